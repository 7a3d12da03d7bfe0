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

#include "base/fd.h"
#include "base/file.h"
#include "state/join.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/state.h"

#define PLAN "plan.jsonl"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* For people; where links are not to be had, they have to look for the newest run themselves. */
static void
link_latest(int state, const char *name)
{
	char *temp = xasprintf("latest.%d~", (int)getpid()), *target = xasprintf("runs/%s", name);

	unlinkat(state, temp, 0);
	if (symlinkat(target, state, temp) == 0 && renameat(state, temp, state, "latest") < 0)
		unlinkat(state, temp, 0);
	free(target);
	free(temp);
}

/* A helper that comes later finds the run by this file. 0, or -1 after a warning. */
static int
write_make_file(int runs, const char *key, const char *name)
{
	char *file = xasprintf(MAKEKEY_FILE "%s", key), *line = xasprintf("%s\n", name);
	int result = file_replace(runs, file, line, strlen(line));

	if (result < 0)
		warn("%s/runs/%s", state_path(), file);
	free(line);
	free(file);
	return result;
}

static int
is_make_file(const struct dirent *entry)
{
	return !strncmp(entry->d_name, MAKEKEY_FILE, strlen(MAKEKEY_FILE));
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

/* Removes the oldest runs, and the files that name runs which are gone. */
static void
prune(int state, int runs, unsigned keep)
{
	json_t *names = rundir_list(state);
	struct dirent **entries = NULL;
	int n;

	for (size_t i = 0; i + keep < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		int rundir = openat(runs, name, DIR_FLAGS);

		if (rundir < 0 || !rundir_is_alive(rundir))
			remove_run(name);
		if (rundir >= 0)
			close(rundir);
	}
	json_decref(names);
	n = scandirat(runs, ".", &entries, is_make_file, alphasort);
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name, *key = file + strlen(MAKEKEY_FILE);
		/* In the first releases it was a link. */
		bool odd = entries[i]->d_type == DT_LNK || !makekey_is_sane(key);
		int rundir = odd ? -1 : rundir_find(state, key);

		if (rundir < 0)
			unlinkat(runs, file, 0);
		fd_close(&rundir);
		free(entries[i]);
	}
	free(entries);
}

static char *
run_name(const char *key)
{
	struct timespec now;
	struct tm tm;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm);
	return xasprintf("%s.%03ldZ-%s", date, now.tv_nsec / 1000000, strrchr(key, '-') + 1);
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

/* Makes the run folder with all that belongs in it; nothing names it yet. */
static int
make_run(int state, int runs, const char *name, const char *key)
{
	int rundir, result = -1, made = mkdirat(runs, name, 0777);

	if (made < 0 && errno == EEXIST) {
		/* A helper of this make was killed before it had named the run. */
		remove_run(name);
		made = mkdirat(runs, name, 0777);
	}
	if (made < 0 || (rundir = openat(runs, name, DIR_FLAGS)) < 0) {
		warn("%s/runs/%s", state_path(), name);
		return -1;
	}
	file_give(runs, name);
	if (linkat(state, PLAN, rundir, PLAN, 0) < 0 && copy_plan(state, rundir) < 0) {
		if (errno == ENOENT)
			warnx("there is no plan to run by: see the message about the noxfile");
		else
			warn("%s/runs/%s/" PLAN, state_path(), name);
	} else {
		result = rundir_write_info(rundir, name, key);
	}
	close(rundir);
	if (result < 0)
		remove_run(name);
	return result;
}

/* The folder of the runs, made if need be. -1 after a warning. */
static int
open_runs(int state)
{
	int made = mkdirat(state, "runs", 0777), runs = openat(state, "runs", DIR_FLAGS);

	if (made == 0)
		file_give(state, "runs");
	if (runs < 0)
		warn("%s/runs", state_path());
	return runs;
}

/* Makes the run of that make, unless a helper was faster. -1 after a warning. */
static int
begin(int state, const char *key, unsigned keep)
{
	int lock = state_lock(state), runs = open_runs(state), rundir = rundir_find(state, key);
	char *name = run_name(key);

	if (runs >= 0 && rundir < 0 && make_run(state, runs, name, key) == 0 &&
	    write_make_file(runs, key, name) == 0) {
		link_latest(state, name);
		prune(state, runs, keep);
		rundir = rundir_open_named(state, name);
	}
	free(name);
	fd_close(&runs);
	state_unlock(lock);
	return rundir;
}

int
join_run(int state, const char *key, unsigned keep)
{
	int rundir;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
		return -1;
	}
	rundir = rundir_find(state, key);
	return rundir < 0 && errno == ENOENT ? begin(state, key, keep) : rundir;
}
