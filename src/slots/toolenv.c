#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "slots/toolenv.h"
#include "state/runtime.h"

/* See toolenv.h. */
#define SHARED ".tokens" RUNTIME_OF_NOW

struct toolenv {
	int ends[2]; /* of a pipe of the session's own, or of the shared FIFO; or -1 */
	struct strings variables;
};

/*
 * Tools that are no clients of a jobserver are told by variables how many jobs, threads or
 * processes they may use; nox.mk(5), ENVIRONMENT says which tool reads which. The variable is set
 * from `least` processors on, and never above `most` (0: any number). mypy without it has no
 * workers at all, and is slower with one, or with more than four.
 */
static const struct {
	const char *name;
	unsigned least, most;
	bool hides_slots; /* a build that has the number does not ask the jobserver */
} variables_of_tools[] = {
	{ "NOXMK_SLOTS", 1, 0, false }, { "PYTHON_CPU_COUNT", 1, 0, false },
	{ "PYTEST_XDIST_AUTO_NUM_WORKERS", 1, 0, false }, { "MYPY_NUM_WORKERS", 2, 4, false },
	{ "BLACK_NUM_WORKERS", 1, 0, false },
	{ "RAYON_NUM_THREADS", 1, 0, false }, { "OMP_NUM_THREADS", 1, 0, false },
	{ "OPENBLAS_NUM_THREADS", 1, 0, false }, { "MKL_NUM_THREADS", 1, 0, false },
	{ "NUMEXPR_NUM_THREADS", 1, 0, false }, { "CMAKE_BUILD_PARALLEL_LEVEL", 1, 0, true },
	{ "CTEST_PARALLEL_LEVEL", 1, 0, false }, { "CARGO_BUILD_JOBS", 1, 0, false },
	{ "GOMAXPROCS", 1, 0, false }, { "UV_CONCURRENT_BUILDS", 1, 0, false },
};

/* Adds those that the user has not set. elastic: builds may take what slots are free. */
static void
add_variables_of_tools(struct toolenv *toolenv, unsigned told, bool elastic)
{
	for (size_t i = 0; i < countof(variables_of_tools); i++) {
		const char *name = variables_of_tools[i].name;
		unsigned most = variables_of_tools[i].most;

		if (told >= variables_of_tools[i].least && !getenv(name) &&
		    !(elastic && variables_of_tools[i].hides_slots))
			strings_add(&toolenv->variables, xasprintf("%s=%u", name,
			    most > 0 && told > most ? most : told));
	}
}

/* A pipe with a token for each slot but the one that every process has anyway. */
static bool
fill_pipe(struct toolenv *toolenv, unsigned tokens)
{
	if (pipe2(toolenv->ends, O_CLOEXEC) < 0)
		return false;
	for (; tokens > 0; tokens--)
		if (write(toolenv->ends[1], "+", 1) != 1)
			return false;
	return true;
}

/* The FIFO that the sessions of a make share, with that many tokens. -1 with errno set. */
static int
open_shared(int folder, unsigned tokens)
{
	int fd = mkfifoat(folder, SHARED, 0600) < 0 && errno != EEXIST ? -1 :
	    openat(folder, SHARED, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		fd_close(&fd);
		errno = EINVAL;
	}
	if (fd < 0)
		return -1;
	/* What is in it was left by sessions that are gone. */
	if (fd_lock(fd, LOCK_EX | LOCK_NB) == 0) {
		fd_drain(fd);
		for (; tokens > 0; tokens--)
			if (write(fd, "+", 1) != 1)
				break;
	}
	/* Who comes in between fills it once more, which is the same. */
	(void)!fd_lock(fd, LOCK_SH);
	return fd;
}

/* The processors that the tools are told of. */
static unsigned
told_of(const struct toolenv_options *o)
{
	unsigned slots = slot_count(o->slot);

	return o->told > 0 ? o->told : slots > 0 ? slots : 1;
}

/* Where the tools find tokens: make's jobserver, or a pipe that toolenv_close closes. */
static int
open_tokens(struct toolenv *toolenv, const struct toolenv_options *o)
{
	if (slot_jobserver(o->slot))
		return jobserver_fd(slot_jobserver(o->slot));
	if (o->told > 0)
		return toolenv->ends[0] = open_shared(o->folder, o->told - 1);
	return fill_pipe(toolenv, told_of(o) - 1) ? toolenv->ends[0] : -1;
}

struct toolenv *
toolenv_open(const struct toolenv_options *o)
{
	const char *path = getenv("PATH");
	struct toolenv *toolenv;
	char *load;
	int fd;

	if (!slot_is_counted(o->slot))
		return NULL;
	toolenv = xcalloc(1, sizeof(*toolenv));
	*toolenv = (struct toolenv){ .ends = { -1, -1 } };
	fd = open_tokens(toolenv, o);
	if (fd < 0) {
		warn("the tools of this session do not know their job slots: pipe");
		toolenv_close(toolenv);
		return NULL;
	}
	load = o->makeflags->load > 0 ? xasprintf(" -l%g", o->makeflags->load) : xstrdup("");
	strings_add(&toolenv->variables, xasprintf("MAKEFLAGS=%s -- --jobserver-auth=fifo:"
	    "/proc/%d/fd/%d", load, (int)getpid(), fd));
	free(load);
	strings_add(&toolenv->variables, xasprintf("PATH=%s/tools:%s", o->share,
	    path ? path : PROCESS_PATH));
	add_variables_of_tools(toolenv, told_of(o), o->told > 0);
	/*
	 * Threads of OpenMP that wait for each other spin in vain where others have a processor of
	 * theirs. Where nobody has, to be woken takes them longer than most of what they wait for.
	 */
	if (o->told > 0 && !o->only && !getenv("OMP_WAIT_POLICY"))
		strings_add(&toolenv->variables, xstrdup("OMP_WAIT_POLICY=passive"));
	return toolenv;
}

void
toolenv_note(const struct toolenv *toolenv, unsigned told, struct record *record)
{
	record->told = !toolenv ? 0 : told > 0 ? told : record->slots;
	free(record->few);
	record->few = toolenv && told == 0 ? xstrdup("its job slots") : NULL;
}

void
toolenv_close(struct toolenv *toolenv)
{
	if (!toolenv)
		return;
	fd_close(&toolenv->ends[0]);
	fd_close(&toolenv->ends[1]);
	for (size_t i = 0; i < toolenv->variables.n; i++)
		free((char *)toolenv->variables.v[i]);
	free(toolenv->variables.v);
	free(toolenv);
}

const struct strings *
toolenv_variables(const struct toolenv *toolenv)
{
	return toolenv ? &toolenv->variables : NULL;
}
