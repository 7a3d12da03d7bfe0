#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/util.h"
#include "state/rundir.h"

/* Milliseconds between two looks whether somebody is still at work, and how often. */
enum { WAIT_TICK = 10, WAIT_TICKS = 1000 };

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int
state_open(void)
{
	int state = open(".noxmk", DIR_FLAGS);

	if (state < 0 && errno == ENOENT)
		warnx("no .noxmk here: `make ci` in the project's folder makes it");
	else if (state < 0)
		warn(".noxmk");
	return state;
}

int
state_make(void)
{
	static const char ignore[] = "*\n";
	int state;

	/* Logs may hold what is not for everybody. */
	if (mkdir(".noxmk", 0700) < 0 && errno != EEXIST) {
		warn("cannot make the folder .noxmk");
		return -1;
	}
	state = state_open();
	if (state >= 0 && faccessat(state, ".gitignore", F_OK, 0) < 0 &&
	    file_replace(state, ".gitignore", ignore, sizeof(ignore) - 1) < 0) {
		warn(".noxmk/.gitignore");
		close(state);
		return -1;
	}
	return state;
}

/* The key becomes part of a file name, and make built it from /proc: PID-STARTTIME-HEX. */
static bool
key_is_sane(const char *key)
{
	static const char *const parts[] = { "0123456789", "0123456789", "0123456789abcdef" };
	const char *p = key;

	for (size_t i = 0; i < countof(parts); i++) {
		size_t len = strspn(p, parts[i]);

		if (len == 0 || p[len] != (i + 1 < countof(parts) ? '-' : '\0'))
			return false;
		p += len + 1;
	}
	return strlen(key) < 64;
}

/* A link's target may be replaced at any time, so it is made beside and renamed. */
static int
link_replace(int dirfd, const char *target, const char *name)
{
	char *temp = xasprintf("%s.%d~", name, (int)getpid());
	int result = -1;

	unlinkat(dirfd, temp, 0);
	if (symlinkat(target, dirfd, temp) == 0 && renameat(dirfd, temp, dirfd, name) == 0)
		result = 0;
	else
		warn(".noxmk/%s", name);
	free(temp);
	return result;
}

/* Is the make of this key still running? Its pid may belong to another process by now. */
static bool
make_is_alive(const char *key)
{
	char *path = xasprintf("/proc/%.*s/stat", (int)strspn(key, "0123456789"), key);
	const char *start = strchr(key, '-');
	struct buffer stat = { 0 };
	char *field;
	bool alive = false;

	if (start && file_read(AT_FDCWD, path, &stat) == 0 &&
	    (field = strrchr(stat.data, ')'))) {
		/* Field 22 is the start time; field 3 follows the name (proc(5)). */
		for (int i = 2; field && i < 22; i++)
			field = strchr(field + 1, ' ');
		alive = field && strtoull(field + 1, NULL, 10) == strtoull(start + 1, NULL, 10);
	}
	buffer_free(&stat);
	free(path);
	return alive;
}

static json_t *
read_info(int dirfd)
{
	struct buffer text = { 0 };
	json_t *info = NULL;

	if (file_read(dirfd, ".run.json", &text) == 0)
		info = json_loadb(text.data, text.len, 0, NULL);
	buffer_free(&text);
	return info;
}

static bool
run_is_alive(int runs, const char *id)
{
	int run = openat(runs, id, DIR_FLAGS);
	json_t *info = run < 0 ? NULL : read_info(run);
	const char *key = json_string_value(json_object_get(info, "make"));
	bool alive = key && key_is_sane(key) && make_is_alive(key);

	json_decref(info);
	if (run >= 0)
		close(run);
	return alive;
}

static int
is_run(const struct dirent *entry)
{
	const char *s = entry->d_name;

	return strspn(s, "0123456789") == 8 && s[8] == '-' && strspn(s + 9, "0123456789") == 6 &&
	       s[15] == '-' && s[16] && strspn(s + 16, "0123456789") == strlen(s + 16);
}

static int
is_make_link(const struct dirent *entry)
{
	return !strncmp(entry->d_name, ".make-", 6);
}

char *
rundir_path(const char *name)
{
	return xasprintf(".noxmk/runs/%s", name);
}

static void
remove_run(const char *id)
{
	char *path = rundir_path(id);
	char *roots[] = { path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D)
			continue;
		if (unlinkat(AT_FDCWD, entry->fts_accpath,
			entry->fts_info == FTS_DP ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
			warn("%s", entry->fts_path);
	}
	if (tree)
		fts_close(tree);
	free(path);
}

/* Run names sort by age. The links of runs that are gone go too. */
static void
prune(int runs, unsigned keep)
{
	struct dirent **entries;
	int n = scandirat(runs, ".", &entries, is_run, alphasort);

	for (int i = 0; i < n; i++) {
		if (i + (int)keep < n && !run_is_alive(runs, entries[i]->d_name))
			remove_run(entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	n = scandirat(runs, ".", &entries, is_make_link, alphasort);
	for (int i = 0; i < n; i++) {
		if (faccessat(runs, entries[i]->d_name, F_OK, 0) < 0)
			unlinkat(runs, entries[i]->d_name, 0);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static int
write_run(int dirfd, const char *id, const char *key)
{
	json_t *run = json_pack("{s:i,s:s,s:s,s:f,s:f}", "schema", 1, "run", id, "make", key,
	    "started", clock_now(), "clock", clock_monotonic());
	char *text = json_dumps(run, JSON_INDENT(1));
	int result = text ? file_replace(dirfd, ".run.json", text, strlen(text)) : -1;

	if (result < 0)
		warn(".noxmk/runs/%s/.run.json", id);
	free(text);
	json_decref(run);
	return result;
}

static char *
run_id(const char *key)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[32];

	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	return xasprintf("%s-%.*s", date, (int)strspn(key, "0123456789"), key);
}

/* Where links are not to be had (vfat, a plan that another user made). */
static int
copy_plan(int state, int run)
{
	struct buffer text = { 0 };
	int result = -1, saved;

	if (file_read(state, "plan.jsonl", &text) == 0)
		result = file_replace(run, "plan.jsonl", text.data, text.len);
	saved = errno;
	buffer_free(&text);
	errno = saved;
	return result;
}

/* The folder with all that belongs in it; nothing points to it yet. */
static int
fill_run(int state, int runs, const char *id, const char *key)
{
	int run, result = -1, made = mkdirat(runs, id, 0777);

	if (made < 0 && errno == EEXIST) {
		/* Of a helper of this make that was killed here. */
		remove_run(id);
		made = mkdirat(runs, id, 0777);
	}
	if (made < 0 || (run = openat(runs, id, DIR_FLAGS)) < 0) {
		warn(".noxmk/runs/%s", id);
		return -1;
	}
	if (linkat(state, "plan.jsonl", run, "plan.jsonl", 0) < 0 && copy_plan(state, run) < 0) {
		if (errno == ENOENT)
			warnx("there is no plan to run by: see the message about the noxfile");
		else
			warn(".noxmk/runs/%s/plan.jsonl", id);
	} else {
		result = write_run(run, id, key);
	}
	close(run);
	if (result < 0)
		remove_run(id);
	return result;
}

/* 0 when the make has a run now, by us or by a helper that was faster; runs is locked meanwhile. */
static int
begin(int state, int runs, const char *key, unsigned keep)
{
	char *name = xasprintf(".make-%s", key), *id = run_id(key);
	char *latest = xasprintf("runs/%s", id);
	int result = -1;

	if (faccessat(runs, name, F_OK, 0) == 0) {
		result = 0;
	} else if (fill_run(state, runs, id, key) == 0 &&
		   link_replace(state, latest, "latest") == 0 &&
		   link_replace(runs, id, name) == 0) {
		prune(runs, keep);
		result = 0;
	}
	free(latest);
	free(id);
	free(name);
	return result;
}

int
rundir_join(int state, const char *key, unsigned keep)
{
	char *path = xasprintf("runs/.make-%s", key);
	int run = -1, runs = -1;

	if (!key_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
		goto out;
	}
	run = openat(state, path, DIR_FLAGS);
	if (run >= 0)
		goto out;
	if ((mkdirat(state, "runs", 0777) < 0 && errno != EEXIST) ||
	    (runs = openat(state, "runs", DIR_FLAGS)) < 0 || flock(runs, LOCK_EX) < 0)
		warn(".noxmk/runs");
	else if (begin(state, runs, key, keep) == 0 && (run = openat(state, path, DIR_FLAGS)) < 0)
		warn(".noxmk/%s", path);
out:
	if (runs >= 0)
		close(runs);
	free(path);
	return run;
}

json_t *
rundir_info(int run)
{
	json_t *info = read_info(run);

	if (!json_is_object(info)) {
		warnx(".run.json: missing or damaged");
		json_decref(info);
		return NULL;
	}
	return info;
}

int
rundir_open(int state, const char *key)
{
	char *path;
	int run;

	if (key && !key_is_sane(key)) {
		warnx("'%s' does not name a make", key);
		return -1;
	}
	path = key ? xasprintf("runs/.make-%s", key) : xstrdup("latest");
	run = openat(state, path, DIR_FLAGS);
	if (run < 0 && errno == ENOENT)
		warnx(key ? "this make has no run: was .noxmk removed?" :
			    "there is no run yet: `make ci` makes one");
	else if (run < 0)
		warn(".noxmk/%s", path);
	free(path);
	return run;
}

int
rundir_newest_with(int state, const char *name)
{
	int runs = openat(state, "runs", DIR_FLAGS), found = -1, n = 0;
	struct dirent **entries = NULL;

	if (runs >= 0)
		n = scandirat(runs, ".", &entries, is_run, alphasort);
	for (int i = n - 1; i >= 0; i--) {
		int run = found < 0 ? openat(runs, entries[i]->d_name, DIR_FLAGS) : -1;

		if (run >= 0 && faccessat(run, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			found = run;
		else if (run >= 0)
			close(run);
		free(entries[i]);
	}
	free(entries);
	if (runs >= 0)
		close(runs);
	if (found < 0)
		warnx("%s: in none of the runs that are kept", name);
	return found;
}

json_t *
rundir_list(int state)
{
	int runs = openat(state, "runs", DIR_FLAGS), n = 0;
	struct dirent **entries = NULL;
	json_t *names = json_array();

	if (runs >= 0)
		n = scandirat(runs, ".", &entries, is_run, alphasort);
	for (int i = 0; i < n; i++) {
		json_array_append_new(names, json_string(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	if (runs >= 0)
		close(runs);
	return names;
}

int
rundir_open_named(int state, const char *name)
{
	char *path = xasprintf("runs/%s", name);
	int run = openat(state, path, DIR_FLAGS);

	if (run < 0)
		warn(".noxmk/%s", path);
	free(path);
	return run;
}

int
rundir_enter(int run)
{
	int fd = openat(run, ".alive", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd >= 0)
		flock(fd, LOCK_SH);
	return fd;
}

bool
rundir_is_left(int entered)
{
	return entered >= 0 && flock(entered, LOCK_EX | LOCK_NB) == 0;
}

void
rundir_wait(int run)
{
	int fd = rundir_enter(run);

	for (int i = 0; i < WAIT_TICKS && fd >= 0 && !rundir_is_left(fd); i++)
		poll(NULL, 0, WAIT_TICK);
	if (fd >= 0)
		close(fd);
}
