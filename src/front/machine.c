#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mount.h"
#include "base/process.h"
#include "front/machine.h"
#include "state/makekey.h"
#include "state/runtime.h"
#include "state/state.h"

static bool
locks_work(int folder)
{
	int one = openat(folder, "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int other = openat(folder, "a", O_RDWR | O_CLOEXEC);
	bool work = one >= 0 && other >= 0 && fd_lock(one, LOCK_EX | LOCK_NB) == 0 &&
		    fd_lock(other, LOCK_EX | LOCK_NB) < 0;

	fd_close(&one);
	fd_close(&other);
	return work;
}

static bool
rename_works(int folder)
{
	struct buffer text = { 0 };
	bool works = file_replace(folder, "a", "1", 1) == 0 &&
		     file_replace(folder, "a", "2", 1) == 0 && file_read(folder, "a", &text) == 0 &&
		     text.len == 1 && *text.data == '2';

	buffer_free(&text);
	return works;
}

/* folder: one of our own, in which anything may be written. */
static struct finding
try_files(int folder)
{
	char *type = mount_type(folder);
	struct finding finding = { .health = STOP };

	if (!rename_works(folder)) {
		finding.text = xasprintf("%s cannot replace a file by rename: NOXMK_STATE=FOLDER "
					 "on a local disk", type);
	} else if (!locks_work(folder)) {
		finding.text = xasprintf("%s has no locks, which keep sessions apart: "
					 "NOXMK_STATE=FOLDER on a local disk", type);
	} else if (faccessat(folder, "A", F_OK, 0) == 0) {
		finding.health = ADVICE;
		finding.text = xasprintf("%s takes A for a: sessions whose names differ in case "
					 "only need other names", type);
	} else {
		finding.health = WELL;
		finding.text = xasprintf("%s: locks, renames, and knows case", type);
	}
	free(type);
	return finding;
}

struct finding
machine_files(void)
{
	char *nearest = state_nearest();
	const char *parent = nearest ? nearest : *state_path() == '/' ? "/" : ".";
	char *path = xasprintf("%s/.noxmk-doctor-XXXXXX", parent);
	struct finding finding = { .health = STOP };
	struct stat before = { 0 };
	int folder = -1;

	if (stat(parent, &before) == 0 && mkdtemp(path))
		folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		finding = try_files(folder);
		(void)!file_remove(AT_FDCWD, path);
		/* As if we had not been here. */
		utimensat(AT_FDCWD, parent,
		    (struct timespec[]){ before.st_atim, before.st_mtim }, 0);
	} else {
		finding.text = xasprintf("%s: %s: make it writable, or NOXMK_STATE=FOLDER puts "
					 "the state folder elsewhere", parent, strerror(errno));
	}
	fd_close(&folder);
	free(path);
	free(nearest);
	return finding;
}

struct finding
machine_cpus(void)
{
	unsigned available = cpus_available(), quota = cpus_quota("/proc/self/cgroup",
						       "/sys/fs/cgroup");
	long all = sysconf(_SC_NPROCESSORS_ONLN);
	struct finding finding = { .health = WELL };

	if (quota > 0)
		finding.text = xasprintf("%u of %ld, by a quota of %u: make -j%u", available, all,
		    quota, available);
	else
		finding.text = xasprintf("%u of %ld, no quota: make -j%u", available, all,
		    available);
	return finding;
}

struct finding
machine_proc(void)
{
	char *program = process_own_program();
	char *children = xasprintf("/proc/self/task/%d/children", (int)getpid());
	struct process_stat stat;
	struct finding finding = { .health = STOP };

	if (!*program || !process_stat(getpid(), &stat)) {
		finding.text = xstrdup("/proc tells nothing, and noxmk needs it: mount -t proc "
				       "proc /proc");
	} else if (access("/proc/sys/kernel/random/uuid", R_OK) < 0) {
		finding.health = ADVICE;
		finding.text = xstrdup("/proc/sys is not there: two makes may be taken for one "
				       "when the machine is booted anew");
	} else if (access(children, R_OK) < 0) {
		finding.health = ADVICE;
		finding.text = xstrdup("the kernel lists no children (CONFIG_PROC_CHILDREN): what "
				       "a session leaves behind may not be found");
	} else {
		finding.health = WELL;
		finding.text = xstrdup("is mounted");
	}
	free(children);
	free(program);
	return finding;
}

struct finding
machine_terminals(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct finding finding = { .health = WELL };

	if (terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0 &&
	    access(ptsname(terminal), R_OK | W_OK) == 0) {
		finding.text = xstrdup("are to be had");
	} else {
		finding.health = ADVICE;
		finding.text = xasprintf("there are none (%s), so a session that is alone has "
					 "none of its own: mount -t devpts devpts /dev/pts",
		    strerror(errno));
	}
	fd_close(&terminal);
	return finding;
}

/* The files in the folder that begin so, and behind that have the key of a make that is dead. */
static size_t
count_dead(int folder, const char *begin)
{
	size_t n = 0, len = strlen(begin);
	const struct dirent *entry;
	int again = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again < 0 ? NULL : fdopendir(again);

	while (entries && (entry = readdir(entries))) {
		const char *key = entry->d_name + len;

		if (strncmp(entry->d_name, begin, len) != 0)
			continue;
		/* .request-begin-KEY */
		key += *begin ? strcspn(key, "-") + (strchr(key, '-') != NULL) : 0;
		if (makekey_is_sane(key) && !makekey_is_alive(key))
			n++;
	}
	if (entries)
		closedir(entries);
	return n;
}

struct finding
machine_orphans(void)
{
	char *path;
	int runtime = runtime_base(&path);
	int state = state_find();
	size_t folders = count_dead(runtime, ""), requests = count_dead(state, ".request-");
	struct finding finding = { .health = ADVICE };

	if (folders > 0)
		finding.text = xasprintf("folders of makes that were killed, in %s: %zu; after a "
					 "day the next run removes them", path, folders);
	else if (requests > 0)
		finding.text = xasprintf("requests of makes that were killed: %zu; while no make "
					 "runs here, rm %s/.request-*", requests, state_path());
	else if (strcmp(state_path(), ".noxmk") != 0 && access(".noxmk", F_OK) == 0 &&
		 access(state_path(), F_OK) == 0)
		finding.text = xasprintf(".noxmk is the state folder of a former release, and %s "
					 "is in use: rm -r .noxmk", state_path());
	else
		finding = (struct finding){ WELL, xstrdup("nothing is left of makes that are "
							  "dead") };
	fd_close(&runtime);
	fd_close(&state);
	free(path);
	return finding;
}
