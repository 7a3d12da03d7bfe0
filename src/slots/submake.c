#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/makeflags.h"
#include "base/process.h"
#include "slots/jobserver.h"
#include "slots/submake.h"

/* As a shell says it. */
enum { NOT_FOUND = 127, NOT_STARTED = 126 };

#define FIFO "fifo:"

/*
 * Is that this program, or what starts it in the place of make? That is a link to it, or, where
 * there are no links, as in a wheel, a script.
 */
static bool
is_ours(const char *program)
{
	const char *slash = strrchr(program, '/');
	char *below = xasprintf("share/noxmk/tools/%s", slash ? slash + 1 : program);
	char *tool = process_installed(below), *real = realpath(program, NULL);
	char *real_tool = realpath(tool, NULL);
	bool ours = process_is_own_program(program) ||
		    (real && real_tool && !strcmp(real, real_tool));

	free(real_tool);
	free(real);
	free(tool);
	free(below);
	return ours;
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

/*
 * If our own jobserver is the nearest one, MAKEFLAGS name descriptors of it from now on. It is not
 * where a make of the session has made one, or has handed ours on.
 */
static bool
hand_jobserver_on(void)
{
	const char *text = getenv("MAKEFLAGS");
	struct makeflags makeflags = makeflags_read(text, 0);
	struct jobserver *nearer = jobserver_open(makeflags.auth);
	bool is_ours = makeflags.tools_auth && !strncmp(makeflags.tools_auth, FIFO, strlen(FIFO));
	const char *path = is_ours ? makeflags.tools_auth + strlen(FIFO) : NULL;
	int take = path && !nearer ? open_inherited(path, O_RDONLY) : -1;
	int give = take >= 0 ? open_inherited(path, O_WRONLY) : -1;

	if (give >= 0) {
		char *new = makeflags_with_jobserver(text, take, give);

		setenv("MAKEFLAGS", new, 1);
		free(new);
	}
	jobserver_close(nearer);
	makeflags_clear(&makeflags);
	return give >= 0;
}

static bool
is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/*
 * With a -j of its own make would leave the jobserver, with a warning. Only the plain forms are
 * known here: -j, -jN, -j N, --jobs, --jobs=N.
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
	char *program = slash && !is_ours(argv[0]) ? xstrdup(argv[0]) :
						     process_find(name, is_ours);
	int result;

	if (hand_jobserver_on())
		drop_jobs(argv);
	if (program) {
		argv[0] = program;
		execv(program, argv);
	}
	result = program ? NOT_STARTED : NOT_FOUND;
	if (program)
		warn("%s", program);
	else
		warnx("%s: not found", name);
	free(program);
	return result;
}
