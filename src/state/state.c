#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/spawn.h"
#include "state/state.h"

#define DEFAULT ".nox/.noxmk"

/* Where the state folder was in the first releases. */
#define FORMER ".noxmk"

/* What state_choose has chosen is kept here; nothing that we start inherits it (env.c). */
#define CHOSEN "_noxmk_state"

#define TAG "CACHEDIR.TAG"
#define ELSEWHERE "NOXMK_STATE=FOLDER puts it elsewhere"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

const char *
state_path(void)
{
	static const char *const names[] = { CHOSEN, "NOXMK_STATE" };

	for (size_t i = 0; i < countof(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return DEFAULT;
}

char *
state_file(const char *name)
{
	return xasprintf("%s/%s", state_path(), name);
}

char *
state_nearest(void)
{
	char *path = xstrdup(state_path()), *slash;
	struct stat st;

	while (stat(path, &st) < 0 && (slash = strrchr(path, '/')) && slash > path)
		*slash = '\0';
	if (stat(path, &st) == 0)
		return path;
	free(path);
	return NULL;
}

void
state_choose(const char *path)
{
	setenv(CHOSEN, path, 1);
}

/*
 * The user's name, or the number where the file has none: getpwuid(3) would load libraries, which a
 * program that is linked statically must not. The caller frees.
 */
static char *
name_of(uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;
	char *name;

	while (file && (entry = fgetpwent(file)) && entry->pw_uid != uid)
		;
	name = entry ? xstrdup(entry->pw_name) : xasprintf("%u", (unsigned)uid);
	if (file)
		fclose(file);
	return name;
}

/*
 * Says why the state folder cannot be used, by errno. Somebody else's folder, the state folder
 * itself or one that it lies in, is told with its owner and with what to do.
 */
static void
warn_unusable(void)
{
	int error = errno;
	char *path = state_nearest(), *owner, *us;
	struct stat st;

	if ((error == EACCES || error == EPERM) && path && stat(path, &st) == 0 &&
	    st.st_uid != geteuid()) {
		owner = name_of(st.st_uid);
		us = name_of(geteuid());
		warnx("%s, where the state folder is, belongs to %s: `sudo chown -R %s %s` makes "
		      "it yours, or NOXMK_STATE=FOLDER puts yours elsewhere", path, owner, us,
		    path);
		free(owner);
		free(us);
	} else {
		warnx("the state folder %s: %s; " ELSEWHERE, state_path(), strerror(error));
	}
	free(path);
}

int
state_find(void)
{
	int state = open(state_path(), DIR_FLAGS);

	if (state < 0 && errno != ENOENT)
		warn_unusable();
	return state;
}

int
state_open(void)
{
	int state = state_find();

	if (state < 0 && errno == ENOENT)
		warnx("no %s here: `make ci` in the project's folder makes it", state_path());
	return state;
}

/* The former state folder, with its history and its runs, goes to the new place. */
static void
move_former(void)
{
	static const char *const argv[] = { "mv", "-T", "--", FORMER, DEFAULT, NULL };
	int moved = -1;
	struct stat st;
	pid_t pid;

	if (strcmp(state_path(), DEFAULT) != 0 || lstat(FORMER, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    lstat(DEFAULT, &st) == 0)
		return;
	file_make_folder(".nox", 0777, &moved);
	fd_close(&moved);
	/* .nox may be on another disk; mv copies then. */
	if (rename(FORMER, DEFAULT) == 0)
		moved = 0;
	else if (errno == EXDEV &&
		 (pid = spawn((char *const *)argv, environ, STDERR_FILENO, STDERR_FILENO, false)) >
		     0)
		moved = spawn_wait(pid);
	if (moved == 0)
		warnx("what was in " FORMER " is in " DEFAULT " from now on");
	else
		warnx("what is in " FORMER " could not be moved to " DEFAULT ": history and logs "
		      "begin anew");
	/* What it was planned with may be another release, which had other names for everything. */
	unlink(DEFAULT "/sessions.mk");
	unlink(DEFAULT "/order.mk");
}

/*
 * Is there anything in the folder, and nothing by which to know one of ours whose tag somebody has
 * removed? What we keep would mix with what others keep there, and what we remove could be theirs.
 */
static bool
is_of_others(int folder)
{
	static const char *const ours[] = { "runs", "history.json", "sessions.mk" };
	struct dirent **entries = NULL;
	int n;

	for (size_t i = 0; i < countof(ours); i++)
		if (faccessat(folder, ours[i], F_OK, 0) == 0)
			return false;
	n = scandirat(folder, ".", &entries, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return n > 2; /* . and .. */
}

/* Does the project's .gitignore name the folder, or the first one on the way to it? */
static bool
is_ignored(const char *path, size_t len)
{
	struct buffer text = { 0 };
	size_t first = strcspn(path, "/");
	bool ignored = false;
	char *rest, *line;

	buffer_addstr(&text, "");
	(void)!file_read(AT_FDCWD, ".gitignore", &text);
	for (rest = text.data; !ignored && (line = strsep(&rest, "\n"));) {
		size_t n = strcspn(line += *line == '/', "\r");

		n -= n > 0 && line[n - 1] == '/';
		ignored = (n == len || n == first) && !strncmp(line, path, n);
	}
	buffer_free(&text);
	return ignored;
}

/* Anything that packs, checks or copies the project looks into any folder of it but .nox. */
static void
warn_in_checkout(void)
{
	const char *path = state_path();
	size_t len = strlen(path), first = strcspn(path, "/");

	len -= path[len - 1] == '/';
	if (first == 0 || (first == 2 && !strncmp(path, "..", 2)) ||
	    (first == 4 && !strncmp(path, ".nox", 4)))
		return;
	if (!is_ignored(path, len))
		warnx("NOXMK_STATE=%s is in the checkout, where packagers, linters and others look "
		      "into any folder but .nox: add /%.*s/ to .gitignore, or use .nox/state",
		    path, (int)len, path);
}

/* Gives it another name, by which it is in nobody's way. */
static bool
move_aside(int state, const char *name)
{
	char *aside = xasprintf("%s.%08x~", name, (unsigned)arc4random());
	bool moved = renameat(state, name, state, aside) == 0;

	free(aside);
	return moved;
}

/*
 * What cannot be used in the state folder goes, but what a folder holds that is not surely ours is
 * not removed. False with errno set.
 */
static bool
clear(int state, const char *name)
{
	struct stat st;
	bool is_folder = fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISDIR(st.st_mode);

	if (is_folder && st.st_uid != geteuid())
		return move_aside(state, name);
	return file_remove(state, name) == 0;
}

/* A folder of ours in which we may do nothing. */
static bool
open_up(int state, const char *name)
{
	struct stat st;

	return fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && fchmodat(state, name, 0700, 0) == 0;
}

int
state_folder(int state, const char *name)
{
	int made = mkdirat(state, name, 0777), folder = file_open_folder(state, name), error;

	if (folder < 0 && (errno == ENOTDIR || errno == ELOOP || errno == EACCES ||
	    errno == EPERM)) {
		error = errno;
		if ((error == EACCES && open_up(state, name)) || clear(state, name)) {
			warnx("%s/%s: %s: it is made anew", state_path(), name, file_why(error));
			made = mkdirat(state, name, 0777);
			folder = file_open_folder(state, name);
		}
	}
	if (made == 0)
		file_give(state, name);
	if (folder < 0)
		warnx("%s/%s: %s", state_path(), name, file_why(errno));
	return folder;
}

bool
state_mend(int state)
{
	/* make reads the first ones. */
	static const char *const files[] = { "own.mk", "sessions.mk", "order.mk", "failed",
		"plan.jsonl", "inputs.json", "history.json" };
	bool sound = true;

	for (size_t i = 0; i < countof(files); i++) {
		int fd = file_open(state, files[i], O_RDONLY, FILE_MOST), error = errno;
		bool gone = fd < 0 && (error == ENOENT || clear(state, files[i]));

		if (fd < 0 && error != ENOENT)
			warnx("%s/%s: %s: %s", state_path(), files[i], file_why(error),
			    gone ? "it is made anew" : "it has to be removed");
		sound = sound && (fd >= 0 || gone);
		fd_close(&fd);
	}
	return sound;
}

/* 0, or -1 with errno set. A file that is there stays as the user has made it. */
static int
fill(int state, const char *name, const char *text)
{
	struct stat st;

	if (fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		return 0;
	return file_replace(state, name, text, strlen(text));
}

int
state_make(void)
{
	static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
				  "# What noxmk keeps between makes; see cachedir.org.\n";
	bool is_new;
	int state;

	move_former();
	if (file_make_folder(state_path(), 0700, &state) < 0) {
		warn_unusable();
		return -1;
	}
	is_new = strcmp(state_path(), DEFAULT) != 0 && faccessat(state, TAG, F_OK, 0) < 0;
	if (is_new && is_of_others(state)) {
		warnx("NOXMK_STATE=%s: there are other things in this folder; the state folder is "
		      "one of its own, such as %s/noxmk", state_path(), state_path());
		fd_close(&state);
	} else if (faccessat(state, ".", W_OK, 0) < 0 || fill(state, ".gitignore", "*\n") < 0 ||
		   fill(state, TAG, tag) < 0) {
		warn_unusable();
		fd_close(&state);
	} else if (is_new) {
		warn_in_checkout();
	}
	return state;
}

int
state_lock(int state, int seconds)
{
	/* Of a folder, and without a descriptor to write to, NFS locks nothing. */
	int lock = file_open_lock(state, "lock");

	if (lock < 0 || fd_lock_within(lock, LOCK_EX, seconds * 1000) < 0) {
		warnx("%s/lock: two makes at once may lose what one of them writes: %s",
		    state_path(), lock < 0 || errno != EWOULDBLOCK ? strerror(errno) :
		    "another process has locked it for too long");
		fd_close(&lock);
	}
	return lock;
}

bool
state_is_locked_around(int state)
{
	struct indices around = { 0 };
	struct stat st;
	bool locked = false;

	if (fstatat(state, "lock", &st, AT_SYMLINK_NOFOLLOW) == 0)
		process_ancestors(&around);
	for (size_t i = 0; i < around.n && !locked; i++)
		locked = process_has_open((pid_t)around.v[i], st.st_dev, st.st_ino);
	free(around.v);
	return locked;
}

void
state_unlock(int lock)
{
	fd_close(&lock);
}
