#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "slots/toolenv.h"

struct toolenv {
	int ends[2]; /* of a pipe of the session's own, or -1 */
	struct strings variables;
};

/*
 * Tools that are no clients of a jobserver are told by variables how many jobs, threads or
 * processes they may use; nox.mk(5), ENVIRONMENT says which tool reads which. The variable is set
 * from `least` processors on, and never above `most` (0: any number). mypy without it has no
 * workers at all, and with more than four it is slower.
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

struct toolenv *
toolenv_open(const struct slot *slot, const struct makeflags *makeflags, unsigned told,
    const char *share)
{
	unsigned processors = told > 0 ? told : slot_count(slot);
	struct toolenv *toolenv;
	const char *path = getenv("PATH");
	char *load;
	int fd;

	if (!slot_is_counted(slot))
		return NULL;
	toolenv = xcalloc(1, sizeof(*toolenv));
	*toolenv = (struct toolenv){ .ends = { -1, -1 } };
	if (slot_jobserver(slot)) {
		fd = jobserver_fd(slot_jobserver(slot));
	} else if (fill_pipe(toolenv, processors - 1)) {
		fd = toolenv->ends[0];
	} else {
		warn("the tools of this session do not know their job slots: pipe");
		toolenv_close(toolenv);
		return NULL;
	}
	load = makeflags->load > 0 ? xasprintf(" -l%g", makeflags->load) : xstrdup("");
	strings_add(&toolenv->variables, xasprintf("MAKEFLAGS=%s -- --jobserver-auth=fifo:"
	    "/proc/%d/fd/%d", load, (int)getpid(), fd));
	free(load);
	strings_add(&toolenv->variables, xasprintf("PATH=%s/tools:%s", share,
	    path ? path : "/usr/local/bin:/usr/bin:/bin"));
	add_variables_of_tools(toolenv, processors, told > 0 && slot_jobserver(slot));
	return toolenv;
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
