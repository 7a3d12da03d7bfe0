#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/makeflags.h"
#include "state/commit.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/state.h"

#define ALIVE ".alive"

/* What RUNDIR_ENDED says of a run whose make was. */
#define STOPPED "stopped\n"

/* Seconds. */
enum { DEAD_SINCE = 24 * 60 * 60 };

char *
rundir_path(const char *name)
{
	return xasprintf("%s/runs/%s", state_path(), name);
}

/* Does s begin with so many digits, and no more? */
static bool
digits(const char *s, size_t n)
{
	return strspn(s, "0123456789") == n;
}

/*
 * "20261123T011828.250Z-c0ffee01", and nothing else; in the first releases it was local time and a
 * pid, "20261123-011828-4711".
 */
static bool
is_name(const char *s)
{
	const char *word = s + 15;

	if (!digits(s, 8) || (s[8] != 'T' && s[8] != '-') || !digits(s + 9, 6))
		return false;
	if (s[8] == 'T') {
		if (*word++ != '.' || !digits(word, 3) || word[3] != 'Z')
			return false;
		word += 4;
	}
	if (*word++ != '-')
		return false;
	return *word && word[strspn(word, "0123456789abcdef")] == '\0';
}

/* The random word of a make, by the name of its run or by its key. */
static const char *
word_of(const char *name)
{
	const char *dash = strrchr(name, '-');

	return dash ? dash + 1 : name;
}

char *
rundir_new_name(const char *key)
{
	struct timespec now;
	struct tm tm;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm);
	return xasprintf("%s.%03ldZ-%s", date, now.tv_nsec / 1000000, word_of(key));
}

static int
is_run(const struct dirent *entry)
{
	return is_name(entry->d_name);
}

/* Whoever's it is: somebody has named it. */
static int
open_named(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
rundir_open_path(const char *given)
{
	char *path = xstrdup(given), target[64] = "";
	size_t len = strlen(path);
	const char *slash, *name = target + strlen("runs/");
	int fd, state;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	fd = open_named(path);
	if (fd < 0 && errno == ENOTDIR && (slash = strrchr(path, '/')) &&
	    !strcmp(slash, "/latest") && readlink(path, target, sizeof(target) - 1) > 0 &&
	    !strncmp(target, "runs/", strlen("runs/")) && is_name(name)) {
		path[slash - path] = '\0';
		state = open_named(*path ? path : "/");
		fd = state < 0 ? -1 : rundir_find_named(state, name);
		fd_close(&state);
	}
	free(path);
	return fd;
}

int
rundir_find_named(int state, const char *name)
{
	int runs = file_open_folder(state, "runs");
	int rundir = runs < 0 ? -1 : file_open_folder(runs, name), saved = errno;

	fd_close(&runs);
	errno = saved;
	return rundir;
}

char *
rundir_name_of(int state, const char *key)
{
	char *path = xasprintf("runs/" MAKEKEY_FILE "%s", key), *name = NULL;
	struct buffer text = { 0 };

	if (file_load(state, path, &text) == 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
		/* Of another make, a session may have put it there. */
		if (is_name(text.data) && !strcmp(word_of(text.data), word_of(key)))
			name = xstrdup(text.data);
	}
	buffer_free(&text);
	free(path);
	return name;
}

int
rundir_find(int state, const char *key)
{
	char *name = NULL;
	int rundir = -1, saved;

	errno = ENOENT;
	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make", key);
		errno = EINVAL;
	} else if ((name = rundir_name_of(state, key))) {
		rundir = rundir_find_named(state, name);
		if (rundir < 0 && errno != ENOENT && errno != ENOTDIR)
			warnx("%s/runs/%s: %s", state_path(), name, file_why(errno));
	} else {
		errno = ENOENT;
	}
	saved = errno == ENOTDIR ? ENOENT : errno;
	free(name);
	errno = saved;
	return rundir;
}

/* The newest but so many. */
static int
open_newest(int state, size_t but)
{
	json_t *names = rundir_list(state);
	size_t n = json_array_size(names);
	int rundir = -1;

	if (n > but)
		rundir = rundir_open_named(state,
		    json_string_value(json_array_get(names, n - 1 - but)));
	else if (n == 0)
		warnx("there is no run yet: `make ci` makes one");
	else
		warnx("-%zu: only %zu run%s kept", but + 1, n, n == 1 ? " is" : "s are");
	json_decref(names);
	return rundir;
}

int
rundir_select(int state, const char *which)
{
	const char *bad = NULL;
	long long back = 1;

	if (is_name(which))
		return rundir_open_named(state, which);
	if (makekey_is_sane(which))
		return rundir_open(state, which);
	if (*which == '-') {
		back = strtonum(which + 1, 1, INT_MAX, &bad);
		if (bad)
			warnx("%s: how many runs back is %s", which, bad);
	} else if (strcmp(which, "latest") != 0) {
		bad = which;
		warnx("no run is called '%s': a run is latest, -2 for the one before that, or a "
		      "folder in %s/runs", which, state_path());
	}
	return bad ? -1 : open_newest(state, (size_t)back - 1);
}

int
rundir_open(int state, const char *key)
{
	int rundir = key ? rundir_find(state, key) : open_newest(state, 0);

	if (key && rundir < 0 && errno == ENOENT)
		warnx("this make has no run: was %s removed?", state_path());
	return rundir;
}

json_t *
rundir_list(int state)
{
	int runs = file_open_folder(state, "runs"), n = 0;
	struct dirent **entries = NULL;
	json_t *names = json_array();

	if (runs >= 0) {
		/* These names sort by age. */
		n = scandirat(runs, ".", &entries, is_run, alphasort);
		close(runs);
	}
	for (int i = 0; i < n; i++) {
		json_array_append_new(names, json_string(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return names;
}

int
rundir_open_named(int state, const char *name)
{
	int rundir = rundir_find_named(state, name);

	if (rundir < 0)
		warnx("%s/runs/%s: %s", state_path(), name, file_why(errno));
	return rundir;
}

int
rundir_newest_that(int state, bool (*is)(void *data, int rundir), void *data)
{
	json_t *names = rundir_list(state);
	int rundir = -1;

	for (size_t i = json_array_size(names); i-- > 0 && rundir < 0;) {
		rundir = rundir_find_named(state, json_string_value(json_array_get(names, i)));
		if (rundir >= 0 && !is(data, rundir))
			fd_close(&rundir);
	}
	json_decref(names);
	return rundir;
}

static json_t *
read_info(int rundir)
{
	struct buffer text = { 0 };
	json_t *info = NULL;

	if (file_load(rundir, RUNDIR_INFO, &text) == 0)
		info = json_loadb(text.data, text.len, 0, NULL);
	buffer_free(&text);
	return info;
}

static bool
is_of_audit(void *word, int rundir)
{
	json_t *info = read_info(rundir);
	bool is = !strcmp(json_text(info, "audit"), word);

	json_decref(info);
	return is;
}

int
rundir_of_audit(int state, const char *word)
{
	return rundir_newest_that(state, is_of_audit, (void *)word);
}

json_t *
rundir_info(int rundir)
{
	json_t *info = read_info(rundir);

	if (!json_is_object(info)) {
		warnx(RUNDIR_INFO ": missing or damaged");
		json_decref(info);
		return NULL;
	}
	return info;
}

int
rundir_write_info(int rundir, const char *name, const char *key)
{
	char *where = makekey_where();
	struct makeflags make = makeflags_read(getenv("MAKEFLAGS"), 1);
	json_t *info = json_pack("{s:i,s:s,s:s,s:s,s:o,s:f,s:f}", "schema", 1, "run", name,
	    "make", key, "where", where, "jobs", make.unlimited ? json_null() :
	    json_integer(make.slots), "started", clock_now(), "clock", clock_monotonic());
	const char *audit = getenv(RUNDIR_AUDIT);
	char *text, *commit = commit_checked_out();
	int result;

	if (commit)
		json_object_set_new(info, "commit", json_string(commit));
	free(commit);
	if (audit && *audit)
		json_object_set_new(info, "audit", json_string(audit));
	text = json_dumps(info, JSON_INDENT(1));
	result = text ? file_store(rundir, RUNDIR_INFO, text, strlen(text)) : -1;
	if (result < 0)
		warn("%s/runs/%s/" RUNDIR_INFO, state_path(), name);
	free(text);
	free(where);
	makeflags_clear(&make);
	json_decref(info);
	return result;
}

bool
rundir_is_old(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_EMPTY_PATH) == 0 &&
	       time(NULL) - st.st_mtime > DEAD_SINCE;
}

enum make_life { MAKE_DEAD, MAKE_ALIVE, MAKE_UNKNOWN };

static enum make_life
life_of_make(int rundir)
{
	json_t *info = read_info(rundir);
	const char *key = json_string_value(json_object_get(info, "make"));
	char *where = makekey_where();
	enum make_life life = MAKE_UNKNOWN;

	/* Others are of the first releases, or damaged. */
	if (key && makekey_is_sane(key) && !strcmp(json_text(info, "where"), where))
		life = makekey_is_alive(key) ? MAKE_ALIVE : MAKE_DEAD;
	free(where);
	json_decref(info);
	return life;
}

static bool
make_may_live(int rundir)
{
	enum make_life life = life_of_make(rundir);

	/* A helper may have made the folder just now. */
	return life == MAKE_UNKNOWN ? !rundir_is_old(rundir, "") : life == MAKE_ALIVE;
}

bool
rundir_has_lost_make(int rundir)
{
	return life_of_make(rundir) == MAKE_DEAD;
}

/* A shared lock while we are at work; for the exclusive one the file is open for writing (NFS). */
int
rundir_enter(int rundir)
{
	int fd = file_open_lock(rundir, ALIVE);

	if (fd >= 0)
		(void)!fd_lock(fd, LOCK_SH);
	return fd;
}

bool
rundir_is_left(int entered)
{
	return entered >= 0 && fd_lock(entered, LOCK_EX | LOCK_NB) == 0;
}

bool
rundir_is_entered(int rundir)
{
	int fd = file_open(rundir, ALIVE, O_RDWR, 0);
	/* Where it cannot be opened, nothing is known. */
	bool busy = fd >= 0 ? fd_lock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK :
			      errno == EACCES || errno == EPERM || errno == EROFS;

	fd_close(&fd);
	return busy;
}

bool
rundir_may_live(int rundir)
{
	return rundir_is_entered(rundir) || make_may_live(rundir);
}

/* On a full disk there is no more than the file. */
void
rundir_mark_ended(int rundir, bool was_stopped)
{
	int fd = file_create(rundir, RUNDIR_ENDED, O_WRONLY);

	if (fd >= 0 && was_stopped)
		(void)!fd_write_all(fd, STOPPED, strlen(STOPPED));
	fd_close(&fd);
}

bool
rundir_has_ended(int rundir)
{
	return faccessat(rundir, RUNDIR_ENDED, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
rundir_has(int rundir, const char *target, const char *suffix)
{
	char *name = xasprintf("%s%s", target, suffix);
	bool there = faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	free(name);
	return there;
}

bool
rundir_was_stopped(int rundir)
{
	int fd = file_open(rundir, RUNDIR_ENDED, O_RDONLY, 0);
	char text[sizeof(STOPPED)] = "";
	bool was = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !strcmp(text, STOPPED);

	fd_close(&fd);
	return was;
}
