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

#include "base/fd.h"
#include "base/file.h"
#include "base/spawn.h"
#include "state/state.h"

#define DEFAULT ".nox/.noxmk"

/* Where the state folder was in the first releases. */
#define FORMER ".noxmk"

/* What state_choose has chosen is kept here; nothing that we start inherits it (env.c). */
#define CHOSEN "_noxmk_state"

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
	char *path = xstrdup(state_path()), *slash, *owner, *us;
	int error = errno;
	struct stat st;

	while (stat(path, &st) < 0 && (slash = strrchr(path, '/')) && slash > path)
		*slash = '\0';
	if ((error == EACCES || error == EPERM) && stat(path, &st) == 0 &&
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

/* 0, or -1 with errno set. A file that is there stays as the user has made it. */
static int
fill(int state, const char *name, const char *text)
{
	if (faccessat(state, name, F_OK, 0) == 0)
		return 0;
	return file_replace(state, name, text, strlen(text));
}

int
state_make(void)
{
	static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
				  "# What noxmk keeps between makes; see cachedir.org.\n";
	int state;

	move_former();
	if (file_make_folder(state_path(), 0700, &state) < 0 ||
	    faccessat(state, ".", W_OK, 0) < 0 || fill(state, ".gitignore", "*\n") < 0 ||
	    fill(state, "CACHEDIR.TAG", tag) < 0) {
		warn_unusable();
		fd_close(&state);
	}
	return state;
}

int
state_lock(int state)
{
	/* Of a folder, and without a descriptor to write to, NFS locks nothing. */
	int lock = openat(state, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (lock < 0 || fd_lock(lock, LOCK_EX) < 0) {
		warn("%s/lock: two makes at once may lose what one of them writes", state_path());
		fd_close(&lock);
	} else {
		file_give(state, "lock");
	}
	return lock;
}

void
state_unlock(int lock)
{
	fd_close(&lock);
}
