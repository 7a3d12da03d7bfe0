#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "state/makekey.h"
#include "state/request.h"
#include "state/rundir.h"
#include "state/runtime.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The folder of all makes, if nobody else can have put anything into it; else -1. */
static int
open_own(const char *path, bool make)
{
	int base;
	struct stat st;

	if (make)
		mkdir(path, 0700);
	base = open(path, DIR_FLAGS);
	if (base >= 0 && (fstat(base, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022)))
		fd_close(&base);
	return base;
}

/* The first place that is to be had. *path: the caller frees. */
static int
open_base(bool make, char **path)
{
	/* Memory comes first: a file on a disk may take as long as all else that a helper does. */
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", getenv("TMPDIR"),
		"/tmp" };
	int base = -1;

	*path = NULL;
	for (size_t i = 0; i < countof(places) && base < 0; i++) {
		if (!places[i] || *places[i] != '/')
			continue;
		free(*path);
		*path = xasprintf("%s/noxmk-%u", places[i], (unsigned)geteuid());
		base = open_own(*path, make);
	}
	return base;
}

int
runtime_base(char **path)
{
	return open_base(false, path);
}

/* Maybe one that is still being made. */
static int
open_runtime(const char *key)
{
	char *path;
	int base = open_base(false, &path), runtime = -1;

	if (base >= 0 && makekey_is_sane(key))
		runtime = file_open_folder(base, key);
	fd_close(&base);
	free(path);
	return runtime;
}

bool
runtime_is_whole(int runtime)
{
	return runtime >= 0 && faccessat(runtime, RUNDIR_INFO, F_OK, 0) == 0;
}

int
runtime_find(const char *key)
{
	int runtime = open_runtime(key);

	if (!runtime_is_whole(runtime))
		fd_close(&runtime);
	return runtime;
}

static int
is_key(const struct dirent *entry)
{
	return makekey_is_sane(entry->d_name);
}

static void
remove_dead(int base)
{
	struct dirent **entries = NULL;
	int n = scandirat(base, ".", &entries, is_key, NULL);

	for (int i = 0; i < n; i++) {
		const char *key = entries[i]->d_name;
		int folder = rundir_is_old(base, key) ? file_open_folder(base, key) : -1;

		if (folder >= 0 && !rundir_may_live(folder) && !makekey_is_alive(key))
			file_remove(base, key);
		fd_close(&folder);
		free(entries[i]);
	}
	free(entries);
}

/* With its date. */
static void
copy(int from, int runtime, const char *name)
{
	struct buffer text = { 0 };
	struct stat st;

	if (file_load(from, name, &text) == 0 && fstatat(from, name, &st, 0) == 0 &&
	    file_store(runtime, name, text.data, text.len) == 0)
		utimensat(runtime, name, (struct timespec[]){ st.st_atim, st.st_mtim }, 0);
	buffer_free(&text);
}

int
runtime_make(const char *key, int state, int rundir)
{
	char *path;
	int base, runtime = open_runtime(key), made;

	if (runtime >= 0 || !makekey_is_sane(key))
		return runtime;
	base = open_base(true, &path);
	if (base >= 0) {
		made = mkdirat(base, key, 0700);
		runtime = file_open_folder(base, key);
		if (made == 0 && runtime >= 0) {
			copy(state, runtime, "sessions.mk");
			copy(rundir, runtime, "plan.jsonl");
			copy(rundir, runtime, REQUEST_FILE);
			/* The last one: see runtime_is_whole. */
			copy(rundir, runtime, RUNDIR_INFO);
			remove_dead(base);
		}
	}
	fd_close(&base);
	free(path);
	return runtime;
}

void
runtime_stand_in(int runtime, int rundir)
{
	if (runtime >= 0 && faccessat(rundir, RUNDIR_INFO, F_OK, 0) < 0)
		dup3(runtime, rundir, O_CLOEXEC);
}

void
runtime_remove(const char *key, int rundir)
{
	int runtime = open_runtime(key), there = rundir_enter(rundir), here, base;
	char *path;

	if (runtime >= 0) {
		here = rundir_enter(runtime);
		/* Whoever comes now waits in rundir_enter, and then makes the folder anew. */
		if (rundir_is_left(there) && rundir_is_left(here)) {
			base = open_base(false, &path);
			file_remove(base, key);
			/* Only the last one leaves it empty. */
			rmdir(path);
			free(path);
			fd_close(&base);
		}
		fd_close(&here);
	}
	fd_close(&there);
	fd_close(&runtime);
}
