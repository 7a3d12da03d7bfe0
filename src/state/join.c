#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "state/join.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/state.h"

#define PLAN "plan.jsonl"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/*
 * Makes the link or, where there is one, replaces it: others who read it meanwhile find the old one
 * or the new one. 0, or -1 after a warning.
 */
static int
replace_link(int dirfd, const char *target, const char *name)
{
	char *temp = xasprintf("%s.%d~", name, (int)getpid());
	int result = -1;

	unlinkat(dirfd, temp, 0);
	if (symlinkat(target, dirfd, temp) == 0 && renameat(dirfd, temp, dirfd, name) == 0)
		result = 0;
	else
		warn(STATE_SHOWN("%s"), name);
	free(temp);
	return result;
}

static int
is_make_link(const struct dirent *entry)
{
	return !strncmp(entry->d_name, MAKEKEY_LINK, strlen(MAKEKEY_LINK));
}

/* Removes the folder with all that is in it, and follows no links. */
static void
remove_run(const char *name)
{
	char *path = rundir_path(name);
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

/* Removes the oldest runs, and the links of runs that are gone. */
static void
prune(int state, int runs, unsigned keep)
{
	json_t *names = rundir_list(state);
	struct dirent **entries = NULL;
	int n;

	for (size_t i = 0; i + keep < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		int rundir = openat(runs, name, DIR_FLAGS);

		if (rundir < 0 || !rundir_make_is_alive(rundir))
			remove_run(name);
		if (rundir >= 0)
			close(rundir);
	}
	json_decref(names);
	n = scandirat(runs, ".", &entries, is_make_link, alphasort);
	for (int i = 0; i < n; i++) {
		if (faccessat(runs, entries[i]->d_name, F_OK, 0) < 0)
			unlinkat(runs, entries[i]->d_name, 0);
		free(entries[i]);
	}
	free(entries);
}

/* Names of runs sort by age, and end with the pid of their make. */
static char *
run_name(const char *key)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[32];

	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	return xasprintf("%s-%.*s", date, (int)strcspn(key, "-"), key);
}

/* For where links are not to be had (vfat, a plan that another user made). -1 with errno set. */
static int
copy_plan(int state, int rundir)
{
	struct buffer text = { 0 };
	int result = -1, saved;

	if (file_read(state, PLAN, &text) == 0)
		result = file_replace(rundir, PLAN, text.data, text.len);
	saved = errno;
	buffer_free(&text);
	errno = saved;
	return result;
}

/* Makes the run folder with all that belongs in it; no link leads to it yet. */
static int
make_run(int state, int runs, const char *name, const char *key)
{
	int rundir, result = -1, made = mkdirat(runs, name, 0777);

	if (made < 0 && errno == EEXIST) {
		/* A helper of this make was killed before it had made the links. */
		remove_run(name);
		made = mkdirat(runs, name, 0777);
	}
	if (made < 0 || (rundir = openat(runs, name, DIR_FLAGS)) < 0) {
		warn(STATE_SHOWN("runs/%s"), name);
		return -1;
	}
	if (linkat(state, PLAN, rundir, PLAN, 0) < 0 && copy_plan(state, rundir) < 0) {
		if (errno == ENOENT)
			warnx("there is no plan to run by: see the message about the noxfile");
		else
			warn(STATE_SHOWN("runs/%s/" PLAN), name);
	} else {
		result = rundir_write_info(rundir, name, key);
	}
	close(rundir);
	if (result < 0)
		remove_run(name);
	return result;
}

/*
 * Makes the run of that make, unless a helper was faster. The folder of the runs is locked by the
 * caller. 0 when there is one now, or -1 after a warning.
 */
static int
begin(int state, int runs, const char *key, unsigned keep)
{
	char *link = xasprintf(MAKEKEY_LINK "%s", key), *name = run_name(key);
	char *latest = xasprintf("runs/%s", name);
	int result = -1;

	if (faccessat(runs, link, F_OK, 0) == 0) {
		result = 0;
	} else if (make_run(state, runs, name, key) == 0 &&
		   replace_link(state, latest, "latest") == 0 &&
		   replace_link(runs, name, link) == 0) {
		prune(state, runs, keep);
		result = 0;
	}
	free(latest);
	free(name);
	free(link);
	return result;
}

int
join_run(int state, const char *key, unsigned keep)
{
	char *path = xasprintf("runs/" MAKEKEY_LINK "%s", key);
	int rundir = -1, runs = -1;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
		goto out;
	}
	rundir = openat(state, path, DIR_FLAGS);
	if (rundir >= 0)
		goto out;
	if ((mkdirat(state, "runs", 0777) < 0 && errno != EEXIST) ||
	    (runs = openat(state, "runs", DIR_FLAGS)) < 0 || flock(runs, LOCK_EX) < 0)
		warn(STATE_SHOWN("runs"));
	else if (begin(state, runs, key, keep) == 0 &&
		 (rundir = openat(state, path, DIR_FLAGS)) < 0)
		warn(STATE_SHOWN("%s"), path);
out:
	if (runs >= 0)
		close(runs);
	free(path);
	return rundir;
}

