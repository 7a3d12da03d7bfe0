#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/makeflags.h"
#include "base/process.h"
#include "session/leftover.h"
#include "slots/toolenv.h"
#include "slots/tools.h"

#define FIFO "--jobserver-auth=fifo:"

/* As a shell says it. */
enum { NOT_FOUND = 127, NOT_STARTED = 126 };

struct toolenv {
	int ends[2];    /* of a pipe of our own, or -1 */
	int pipe;       /* make's, borrowed, or -1 */
	int watch;      /* inotify(7) on it: somebody has opened it, in whatever session; or -1 */
	bool client;    /* it was one of ours */
	unsigned looks; /* that are left: a session is no place to search without end */
	struct strings variables;
};

enum { LOOKS = 50 };

/* A pipe with a token for each slot but the one that every process has anyway. */
static bool
fill_pipe(struct toolenv *bridge, unsigned tokens)
{
	if (pipe2(bridge->ends, O_CLOEXEC) < 0)
		return false;
	for (; tokens > 0; tokens--)
		if (write(bridge->ends[1], "+", 1) != 1)
			return false;
	return true;
}

struct toolenv *
toolenv_open(const struct slot *slot, const char *share)
{
	double load = makeflags_read(getenv("MAKEFLAGS"), 1).load;
	struct toolenv *bridge;
	const char *path = getenv("PATH");
	char *limit;
	int fd;

	if (!slot_is_counted(slot))
		return NULL;
	bridge = xcalloc(1, sizeof(*bridge));
	*bridge = (struct toolenv){ .ends = { -1, -1 }, .pipe = -1, .watch = -1,
		.looks = LOOKS };
	if (slot_jobserver(slot)) {
		fd = bridge->pipe = jobserver_fd(slot_jobserver(slot));
		/* Without it nobody knows who is a client, and less of the order is right. */
		bridge->watch = fd_watch(fd, IN_OPEN);
	} else if (fill_pipe(bridge, slot_count(slot) - 1)) {
		fd = bridge->ends[0];
	} else {
		warn("the tools of this session do not know their job slots: pipe");
		toolenv_close(bridge);
		return NULL;
	}
	limit = load > 0 ? xasprintf(" -l%g", load) : xstrdup("");
	strings_add(&bridge->variables, xasprintf("MAKEFLAGS=%s -- " FIFO "/proc/%d/fd/%d", limit,
	    (int)getpid(), fd));
	free(limit);
	strings_add(&bridge->variables, xasprintf("PATH=%s/tools:%s", share,
	    path ? path : "/usr/local/bin:/usr/bin:/bin"));
	tools_tell(slot_count(slot), &bridge->variables);
	return bridge;
}

void
toolenv_close(struct toolenv *bridge)
{
	if (!bridge)
		return;
	fd_close(&bridge->ends[0]);
	fd_close(&bridge->ends[1]);
	fd_close(&bridge->watch);
	for (size_t i = 0; i < bridge->variables.n; i++)
		free((char *)bridge->variables.v[i]);
	free(bridge->variables.v);
	free(bridge);
}

const struct strings *
toolenv_variables(const struct toolenv *bridge)
{
	return bridge ? &bridge->variables : NULL;
}

int
toolenv_fd(const struct toolenv *bridge)
{
	return bridge && !bridge->client && bridge->looks > 0 ? bridge->watch : -1;
}

/* Has it that file open? */
static bool
has_open(size_t pid, const struct stat *file)
{
	char *path = xasprintf("/proc/%zu/fd", pid);
	DIR *folder = opendir(path);
	struct dirent *entry;
	struct stat st;
	bool found = false;

	while (folder && !found && (entry = readdir(folder)))
		found = fstatat(dirfd(folder), entry->d_name, &st, 0) == 0 &&
			st.st_ino == file->st_ino && st.st_dev == file->st_dev;
	if (folder)
		closedir(folder);
	free(path);
	return found;
}

int
toolenv_has_client(struct toolenv *bridge, pid_t session)
{
	struct indices processes = { 0 };
	struct stat pipe;
	char events[4096];

	if (!bridge || bridge->watch < 0)
		return -1;
	if (toolenv_fd(bridge) < 0 || read(bridge->watch, events, sizeof(events)) <= 0 ||
	    fstat(bridge->pipe, &pipe) < 0)
		return bridge->client;
	bridge->looks--;
	process_descendants(session, &processes);
	for (size_t i = 0; i < processes.n && !bridge->client; i++)
		bridge->client = has_open(processes.v[i], &pipe);
	free(processes.v);
	return bridge->client;
}

static bool
is_us(const char *path)
{
	struct stat it, us;

	return stat(path, &it) == 0 && stat("/proc/self/exe", &us) == 0 &&
	       it.st_ino == us.st_ino && it.st_dev == us.st_dev;
}

/* The first program of that name on PATH that is not this one. The caller frees. */
static char *
find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *copy = xstrdup(path ? path : "/usr/local/bin:/usr/bin:/bin"), *rest = copy, *folder;
	char *found = NULL;

	while (!found && (folder = strsep(&rest, ":"))) {
		char *program = xasprintf("%s/%s", *folder ? folder : ".", name);

		if (access(program, X_OK) == 0 && !is_us(program))
			found = program;
		else
			free(program);
	}
	free(copy);
	return found;
}

/* The path in the last such word, with and without a "--" before it. The caller frees. */
static char *
find_fifo(const char *makeflags)
{
	const char *found = NULL;

	for (const char *p = makeflags; (p = strstr(p, FIFO)); p += strlen(FIFO))
		found = p + strlen(FIFO);
	return found ? xasprintf("%.*s", (int)strcspn(found, " "), found) : NULL;
}

/*
 * For make to inherit. A reader that waits must not have O_NONBLOCK in makes before 4.3, but
 * opening must not wait either.
 */
static int
open_inherited(const char *path, int access_mode)
{
	int fd = open(path, access_mode | O_NONBLOCK);

	if (fd >= 0)
		fcntl(fd, F_SETFL, 0);
	return fd;
}

/* In place of what is said of -j and a jobserver. */
static void
set_makeflags(const char *old, int take, int give)
{
	char *copy = xstrdup(old), *rest = copy, *word;
	const char *variables = strstr(old, " -- ");
	struct buffer new = { 0 };

	buffer_addstr(&new, "");
	if (variables)
		copy[variables - old] = '\0';
	while ((word = strsep(&rest, " ")))
		if (strncmp(word, "-j", 2) != 0 && strncmp(word, "--jobserver", 11) != 0)
			buffer_printf(&new, "%s%s", new.len ? " " : "", word);
	buffer_printf(&new, " -j --jobserver-auth=%d,%d%s", take, give,
	    variables ? variables : "");
	setenv("MAKEFLAGS", new.data, 1);
	buffer_free(&new);
	free(copy);
}

static bool
is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/*
 * -j would leave the jobserver, with a warning: the number of jobs is settled. Only the plain forms
 * are known here: -j, -jN, -j N, --jobs, --jobs=N.
 */
static void
drop_jobs(char **argv)
{
	char **to = argv;

	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		if (!strcmp(*argv, "-j") || !strcmp(*argv, "--jobs"))
			argv += argv[1] && is_number(argv[1]);
		else if (strncmp(*argv, "--jobs=", 7) != 0 &&
			 (strncmp(*argv, "-j", 2) != 0 || !is_number(*argv + 2)))
			*to++ = *argv;
	}
	while ((*to++ = *argv))
		argv++;
}

int
submake_exec(char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	const char *makeflags = getenv("MAKEFLAGS");
	char *program = slash && !is_us(argv[0]) ? xstrdup(argv[0]) : find_program(name);
	char *path = makeflags ? find_fifo(makeflags) : NULL;
	struct jobserver *nearer = makeflags ? jobserver_open(makeflags) : NULL;
	int take = path && !nearer ? open_inherited(path, O_RDONLY) : -1;
	int give = take >= 0 ? open_inherited(path, O_WRONLY) : -1;
	int result;

	if (give >= 0) {
		set_makeflags(makeflags, take, give);
		drop_jobs(argv);
	}
	if (program) {
		argv[0] = program;
		execv(program, argv);
	}
	result = program ? NOT_STARTED : NOT_FOUND;
	if (program)
		warn("%s", program);
	else
		warnx("%s: not found", name);
	jobserver_close(nearer);
	free(program);
	free(path);
	return result;
}
