#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/name.h"
#include "state/join.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/runtime.h"
#include "state/state.h"

#define PLAN "plan.jsonl"
#define RULE_FILE "sessions.mk"

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
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

/*
 * A helper that comes later finds the run by this file, which nobody needs once the make has ended:
 * it need not outlive a crash. 0, or -1 after a warning.
 */
static int
write_make_file(int runs, const char *key, const char *name)
{
	char *file = xasprintf(MAKEKEY_FILE "%s", key), *line = xasprintf("%s\n", name);
	int result = file_store(runs, file, line, strlen(line));

	if (result < 0)
		warn("%s/runs/%s", state_path(), file);
	free(line);
	free(file);
	return result;
}

/* Is it what a helper of a make that still runs is about to rename, by file_store? */
static bool
is_being_written(const char *file)
{
	size_t len = strcspn(file, ".");
	char *key = xasprintf("%.*s", (int)len, file);
	bool result = file[len] == '.' && makekey_is_sane(key) && makekey_is_alive(key);

	free(key);
	return result;
}

static int
is_make_file(const struct dirent *entry)
{
	return !strncmp(entry->d_name, MAKEKEY_FILE, strlen(MAKEKEY_FILE)) &&
	       !is_being_written(entry->d_name + strlen(MAKEKEY_FILE));
}

static void
remove_run(const char *name)
{
	char *path = rundir_path(name);

	file_remove_tree(path);
	free(path);
}

/* Removes the oldest runs, and their names from the list. */
static void
remove_oldest(int runs, json_t *names, unsigned keep)
{
	size_t n = json_array_size(names);

	for (size_t i = n > keep ? n - keep : 0; i-- > 0;) {
		const char *name = json_string_value(json_array_get(names, i));
		int rundir = openat(runs, name, DIR_FLAGS);

		if (rundir < 0 || !rundir_is_alive(rundir)) {
			remove_run(name);
			json_array_remove(names, i);
		}
		fd_close(&rundir);
	}
}

/* A run's name ends like the key of its make: see run_name. */
static bool
has_run_of(const json_t *names, const char *key)
{
	const char *word = strrchr(key, '-');
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
		if (!strcmp(strrchr(json_string_value(name), '-'), word))
			return true;
	return false;
}

/* Removes the oldest runs, and the files that name runs which are gone. */
static void
prune(int state, int runs, unsigned keep)
{
	json_t *names = rundir_list(state);
	struct dirent **entries = NULL;
	int n;

	remove_oldest(runs, names, keep);
	n = scandirat(runs, ".", &entries, is_make_file, alphasort);
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name, *key = file + strlen(MAKEKEY_FILE);
		/* In the first releases it was a link. */
		bool odd = entries[i]->d_type == DT_LNK || !makekey_is_sane(key);
		int rundir = -1;

		/* To open each one would be the most of what a make costs here. */
		if (odd || (!has_run_of(names, key) && (rundir = rundir_find(state, key)) < 0))
			unlinkat(runs, file, 0);
		fd_close(&rundir);
		free(entries[i]);
	}
	free(entries);
	json_decref(names);
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
	char *mutex = xasprintf("noxmk/%s/begin", key), *name = run_name(key);
	int lock = name_wait(mutex), runs = open_runs(state), rundir = rundir_find(state, key);

	if (runs >= 0 && rundir < 0 && make_run(state, runs, name, key) == 0 &&
	    write_make_file(runs, key, name) == 0) {
		link_latest(state, name);
		prune(state, runs, keep);
		rundir = rundir_open_named(state, name);
	}
	free(name);
	free(mutex);
	fd_close(&runs);
	fd_close(&lock);
	return rundir;
}

int
join_find(int state, const char *key)
{
	int rundir;

	errno = ENOENT;
	rundir = state < 0 ? -1 : rundir_find(state, key);
	/* Whoever removes it may still be at it, so it is not made anew yet. */
	return rundir >= 0 || errno != ENOENT ? rundir : runtime_find(key);
}

int
join_run(int state, const char *key, unsigned keep)
{
	int rundir;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
		return -1;
	}
	rundir = join_find(state, key);
	if (rundir >= 0 || errno != ENOENT)
		return rundir;
	if (state >= 0)
		return begin(state, key, keep);
	warnx("no %s here: `make ci` in the project's folder makes it", state_path());
	return -1;
}

/* The run folder of that name, made if need be. -1 after a warning. */
static int
make_again(int state, const char *key, const char *name)
{
	int runs = open_runs(state), rundir = -1;

	if (runs >= 0 && (mkdirat(runs, name, 0777) == 0 || errno == EEXIST) &&
	    write_make_file(runs, key, name) == 0) {
		file_give(runs, name);
		link_latest(state, name);
		rundir = rundir_open_named(state, name);
	}
	fd_close(&runs);
	return rundir;
}

/* Files of a run. Others are what belongs to the state folder, what is not done yet, or of now. */
static int
is_kept(const struct dirent *entry)
{
	static const char *const suffixes[] = { ".report", RUNTIME_OF_NOW };
	size_t len = strlen(entry->d_name);

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
	    !strcmp(entry->d_name, RULE_FILE))
		return false;
	for (size_t i = 0; i < countof(suffixes); i++)
		if (len >= strlen(suffixes[i]) &&
		    !strcmp(entry->d_name + len - strlen(suffixes[i]), suffixes[i]))
			return false;
	return true;
}

/* Copies those files of the runtime folder that the run folder lacks. */
static void
copy_missing(int runtime, int rundir)
{
	struct dirent **entries = NULL;
	int n = scandirat(runtime, ".", &entries, is_kept, NULL);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int file = -1;

		if (faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		    (file = openat(runtime, name, READ_FLAGS)) >= 0 &&
		    file_copy(file, rundir, name) < 0)
			warn("%s", name);
		fd_close(&file);
		free(entries[i]);
	}
	free(entries);
}

/* The descriptor, if it is open, is that of the folder `now` from here on. */
static void
replace(int *fd, int now)
{
	if (*fd >= 0) {
		dup3(now, *fd, O_CLOEXEC);
		close(now);
	} else {
		*fd = now;
	}
}

/*
 * Opens what is there of the two folders, and makes what is not. False after a warning, or when the
 * run cannot be named any more.
 */
static bool
open_again(const char *key, int runtime, int *state, int *rundir)
{
	json_t *info = NULL;
	int found = state_find();

	if (found < 0 && (errno != ENOENT || (found = state_make()) < 0))
		return false;
	replace(state, found);
	found = rundir_find(*state, key);
	if (found >= 0 && faccessat(found, RUNDIR_INFO, F_OK, 0) < 0)
		fd_close(&found);
	if (found < 0 && (info = rundir_info(runtime)))
		found = make_again(*state, key, json_text(info, "run"));
	json_decref(info);
	if (found >= 0)
		replace(rundir, found);
	return found >= 0;
}

/* The plan's rules for make, if they are gone, with their date: by that make knows their age. */
static void
restore_rules(int runtime, int state)
{
	int file = openat(runtime, RULE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (file >= 0 && fstat(file, &st) == 0 && faccessat(state, RULE_FILE, F_OK, 0) < 0 &&
	    file_copy(file, state, RULE_FILE) == 0)
		utimensat(state, RULE_FILE, (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
	fd_close(&file);
	if (faccessat(state, PLAN, F_OK, 0) < 0 &&
	    (file = openat(runtime, PLAN, O_RDONLY | O_CLOEXEC)) >= 0)
		(void)!file_copy(file, state, PLAN);
	fd_close(&file);
}

void
join_restore(const char *key, int *state, int *rundir)
{
	int runtime = runtime_find(key);

	if (runtime >= 0 && open_again(key, runtime, state, rundir)) {
		copy_missing(runtime, *rundir);
		restore_rules(runtime, *state);
	}
	fd_close(&runtime);
}
