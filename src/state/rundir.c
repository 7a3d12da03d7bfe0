#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/state.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

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

static int
is_run(const struct dirent *entry)
{
	return is_name(entry->d_name);
}

/* -1 with errno set and nothing printed. */
static int
open_named(int state, const char *name)
{
	char *path = xasprintf("runs/%s", name);
	int rundir = openat(state, path, DIR_FLAGS), saved = errno;

	free(path);
	errno = saved;
	return rundir;
}

int
rundir_find(int state, const char *key)
{
	char *path = xasprintf("runs/" MAKEKEY_FILE "%s", key);
	struct buffer name = { 0 };
	int rundir = -1, saved = EINVAL;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make", key);
	} else if (file_read(state, path, &name) < 0) {
		if ((saved = errno) != ENOENT)
			warn("%s/%s", state_path(), path);
	} else {
		name.data[strcspn(name.data, "\n")] = '\0';
		saved = ENOENT;
		if (is_name(name.data) && (rundir = open_named(state, name.data)) < 0 &&
		    (saved = errno) != ENOENT)
			warn("%s/runs/%s", state_path(), name.data);
	}
	buffer_free(&name);
	free(path);
	errno = saved;
	return rundir;
}

static int
open_newest(int state)
{
	json_t *names = rundir_list(state);
	const char *newest = json_string_value(json_array_get(names, json_array_size(names) - 1));
	int rundir = -1;

	if (newest)
		rundir = rundir_open_named(state, newest);
	else
		warnx("there is no run yet: `make ci` makes one");
	json_decref(names);
	return rundir;
}

int
rundir_open(int state, const char *key)
{
	int rundir = key ? rundir_find(state, key) : open_newest(state);

	if (key && rundir < 0 && errno == ENOENT)
		warnx("this make has no run: was %s removed?", state_path());
	return rundir;
}

json_t *
rundir_list(int state)
{
	int runs = openat(state, "runs", DIR_FLAGS), n = 0;
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
	int rundir = open_named(state, name);

	if (rundir < 0)
		warn("%s/runs/%s", state_path(), name);
	return rundir;
}

int
rundir_newest_with(int state, const char *name)
{
	json_t *names = rundir_list(state);
	int rundir = -1;

	for (size_t i = json_array_size(names); i-- > 0 && rundir < 0;) {
		rundir = open_named(state, json_string_value(json_array_get(names, i)));
		if (rundir >= 0 && faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
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

	if (file_read(rundir, RUNDIR_INFO, &text) == 0)
		info = json_loadb(text.data, text.len, 0, NULL);
	buffer_free(&text);
	return info;
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
	json_t *info = json_pack("{s:i,s:s,s:s,s:f,s:f}", "schema", 1, "run", name, "make", key,
	    "started", clock_now(), "clock", clock_monotonic());
	char *text = json_dumps(info, JSON_INDENT(1));
	int result = text ? file_store(rundir, RUNDIR_INFO, text, strlen(text)) : -1;

	if (result < 0)
		warn("%s/runs/%s/" RUNDIR_INFO, state_path(), name);
	free(text);
	json_decref(info);
	return result;
}

static bool
make_is_alive(int rundir)
{
	json_t *info = read_info(rundir);
	const char *key = json_string_value(json_object_get(info, "make"));
	bool alive = key && makekey_is_sane(key) && makekey_is_alive(key);

	json_decref(info);
	return alive;
}

/* A shared lock while we are at work; for the exclusive one the file is open for writing (NFS). */
int
rundir_enter(int rundir)
{
	int fd = openat(rundir, ".alive", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

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
rundir_is_alive(int rundir)
{
	int fd = openat(rundir, ".alive", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	bool busy = fd >= 0 && fd_lock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

	fd_close(&fd);
	return busy || make_is_alive(rundir);
}
