#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/stdlib.h>

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

/*
 * For people; where links are not to be had, they have to look for the newest run themselves. A
 * copy that has followed links has a folder of that name.
 */
static void
link_latest(int state, const char *name)
{
	char *temp = xasprintf("latest.%08x~", (unsigned)arc4random());
	char *target = xasprintf("runs/%s", name);

	if (symlinkat(target, state, temp) == 0 && renameat(state, temp, state, "latest") < 0 &&
	    (errno != EISDIR || file_remove(state, "latest") < 0 ||
	    renameat(state, temp, state, "latest") < 0))
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

static int
is_make_file(const struct dirent *entry)
{
	return !strncmp(entry->d_name, MAKEKEY_FILE, strlen(MAKEKEY_FILE)) ||
	       !strncmp(entry->d_name, RUNDIR_WELL, strlen(RUNDIR_WELL));
}

/* Removes the oldest runs, and their names from the list. */
static void
remove_oldest(int runs, json_t *names, unsigned keep)
{
	size_t n = json_array_size(names);

	for (size_t i = n > keep ? n - keep : 0; i-- > 0;) {
		const char *name = json_string_value(json_array_get(names, i));
		int rundir = file_open_folder(runs, name);

		if (rundir >= 0 && !rundir_may_live(rundir)) {
			if (file_remove(runs, name) < 0)
				warn("%s/runs/%s", state_path(), name);
			json_array_remove(names, i);
		}
		fd_close(&rundir);
	}
}

/* A run's name ends like the key of its make: see rundir_new_name. */
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

/* The key in the name of such a file, which may go on behind it; the caller frees. */
static char *
key_of(const char *file)
{
	char *key = xstrdup(strchr(file, '-') + 1), *dash = key;

	for (int i = 0; i < 3 && (dash = strchr(dash, '-')); i++)
		if (i == 2)
			*dash = '\0';
		else
			dash++;
	return key;
}

/*
 * Removes the oldest runs, and the files that name runs which are gone. One that is about to be
 * renamed to such a file stays for a while, since we may not see its owner.
 */
static void
prune(int state, int runs, unsigned keep)
{
	json_t *names = rundir_list(state);
	struct dirent **entries = NULL;
	int n;

	remove_oldest(runs, names, keep);
	n = scandirat(runs, ".", &entries, is_make_file, alphasort);
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name;
		char *key = key_of(file);
		/* In the first releases it was a link. */
		bool odd = entries[i]->d_type == DT_LNK || !makekey_is_sane(key);
		int rundir = -1;

		if (file[strlen(file) - 1] == '~')
			file_remove_stale(runs, file);
		/* To open each one would be the most of what a make costs here. */
		else if (odd ||
			 (!has_run_of(names, key) && (rundir = rundir_find(state, key)) < 0))
			unlinkat(runs, file, 0);
		fd_close(&rundir);
		free(key);
		free(entries[i]);
	}
	free(entries);
	json_decref(names);
}

/* For where links are not to be had (vfat, a plan that another user made). -1 with errno set. */
static int
copy_plan(int state, int rundir)
{
	struct buffer text = { 0 };
	int result = -1, saved;

	if (file_load(state, PLAN, &text) == 0)
		result = file_replace(rundir, PLAN, text.data, text.len);
	saved = errno;
	buffer_free(&text);
	errno = saved;
	return result;
}

/*
 * Makes the run folder with all that belongs in it; nothing names it yet. *name: as it is named
 * then, which the caller frees. -1 after a warning.
 */
static int
make_run(int state, int runs, const char *key, char **name)
{
	int rundir, result = -1;

	/* Who was killed before he had named his run has left a folder, which is his. */
	do {
		free(*name);
		*name = rundir_new_name(key);
	} while (mkdirat(runs, *name, 0777) < 0 && errno == EEXIST);
	if ((rundir = file_open_folder(runs, *name)) < 0) {
		warn("%s/runs/%s", state_path(), *name);
		return -1;
	}
	file_give(runs, *name);
	if (linkat(state, PLAN, rundir, PLAN, 0) < 0 && copy_plan(state, rundir) < 0) {
		if (errno == ENOENT)
			warnx("there is no plan to run by: see the message above");
		else
			warn("%s/runs/%s/" PLAN, state_path(), *name);
	} else {
		result = rundir_write_info(rundir, *name, key);
	}
	close(rundir);
	if (result < 0)
		file_remove(runs, *name);
	return result;
}

/* Makes the run of that make, unless a helper was faster. -1 after a warning. */
static int
begin(int state, const char *key, unsigned keep)
{
	char *mutex = xasprintf("noxmk/%s/begin", key), *name = NULL;
	int lock = name_wait(mutex), runs = state_folder(state, "runs");
	int rundir = rundir_find(state, key);

	if (runs >= 0 && rundir < 0 && make_run(state, runs, key, &name) == 0 &&
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

/*
 * The name of that run as its runtime folder has it, which is out of the way of sessions, or else
 * as the state folder does. NULL if nobody knows; the caller frees.
 */
static char *
name_of(int state, int runtime, const char *key)
{
	json_t *info = runtime < 0 ? NULL : rundir_info(runtime);
	char *name = info ? json_text_copy(info, "run") : NULL;

	json_decref(info);
	return name ? name : rundir_name_of(state, key);
}

/*
 * As join_run, but where there is no run yet errno is ENOENT, and nothing is made or printed.
 * Whoever removes it may still be at it, so it is not made anew yet.
 */
static int
find_run(int state, const char *key)
{
	int runtime = runtime_find(key), rundir = -1;
	char *name = state < 0 ? NULL : name_of(state, runtime, key);

	if (name)
		rundir = rundir_find_named(state, name);
	free(name);
	if (rundir < 0 && runtime < 0)
		errno = ENOENT;
	if (rundir < 0)
		return runtime;
	fd_close(&runtime);
	return rundir;
}

int
join_request(const char *key, struct request *request)
{
	int folder = runtime_find(key), state = -1, result = -1;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
		return -1;
	}
	if (folder < 0) {
		state = state_find();
		folder = find_run(state, key);
	}
	if (folder < 0)
		warnx("this make has no run: was %s removed?", state_path());
	else
		result = request_read(folder, request);
	fd_close(&folder);
	fd_close(&state);
	return result;
}

int
join_run(int state, const char *key, unsigned keep)
{
	int rundir;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
		return -1;
	}
	rundir = find_run(state, key);
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
	int runs = state_folder(state, "runs");
	int rundir = runs < 0 ? -1 : file_open_folder(runs, name);
	char *named = rundir_name_of(state, key), *path = xasprintf("runs/%s", name);

	if (runs >= 0 && rundir < 0) {
		rundir = state_folder(state, path);
		link_latest(state, name);
	}
	if (rundir >= 0 && (!named || strcmp(named, name) != 0))
		(void)!write_make_file(runs, key, name);
	free(path);
	free(named);
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

/* Has the run folder that file with the same bytes? */
static bool
has_same(int rundir, const char *name, const struct buffer *text)
{
	struct buffer is = { 0 };
	bool same = file_load(rundir, name, &is) == 0 && is.len == text->len &&
		    memcmp(is.data, text->data, is.len) == 0;

	buffer_free(&is);
	return same;
}

/*
 * The run folder has that file of the runtime folder, too, afterwards. A session may have changed
 * it; of a record that is said.
 */
static void
restore_file(int runtime, int rundir, const char *name)
{
	size_t len = strlen(name);
	bool is_there = faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	struct buffer text = { 0 };

	if (file_load(runtime, name, &text) == 0 && !has_same(rundir, name, &text)) {
		if (is_there && *name != '.' && len > 5 && !strcmp(name + len - 5, ".json"))
			warnx("%s: not as the helper of the session wrote it, which counts", name);
		if (file_store(rundir, name, text.data, text.len) < 0)
			warn("%s", name);
	}
	buffer_free(&text);
}

/* The run folder has all files of the runtime folder afterwards. A log may be large: it stays. */
static void
copy_missing(int runtime, int rundir)
{
	struct dirent **entries = NULL;
	int n = scandirat(runtime, ".", &entries, is_kept, NULL);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int file = -1;

		if (!strstr(name, ".log"))
			restore_file(runtime, rundir, name);
		else if (faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
			 (file = file_open(runtime, name, O_RDONLY, 0)) >= 0 &&
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
	found = -1;
	if ((info = rundir_info(runtime)))
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
	int file = file_open(runtime, RULE_FILE, O_RDONLY, 0);
	struct stat st;

	if (file >= 0 && fstat(file, &st) == 0 && faccessat(state, RULE_FILE, F_OK, 0) < 0 &&
	    file_copy(file, state, RULE_FILE) == 0)
		utimensat(state, RULE_FILE, (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
	fd_close(&file);
	if (faccessat(state, PLAN, F_OK, 0) < 0 &&
	    (file = file_open(runtime, PLAN, O_RDONLY, 0)) >= 0)
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
