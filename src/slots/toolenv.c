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
 * processes they may use; nox.mk(5), ENVIRONMENT says which tool reads which. least: the variable
 * is set from so many slots on; mypy without it has no workers at all.
 */
static const struct {
	const char *name;
	unsigned least;
} variables_of_tools[] = {
	{ "NOXMK_SLOTS", 1 }, { "PYTHON_CPU_COUNT", 1 }, { "PYTEST_XDIST_AUTO_NUM_WORKERS", 1 },
	{ "MYPY_NUM_WORKERS", 2 }, { "BLACK_NUM_WORKERS", 1 }, { "RAYON_NUM_THREADS", 1 },
	{ "OMP_NUM_THREADS", 1 }, { "OPENBLAS_NUM_THREADS", 1 }, { "MKL_NUM_THREADS", 1 },
	{ "NUMEXPR_NUM_THREADS", 1 }, { "CMAKE_BUILD_PARALLEL_LEVEL", 1 },
	{ "CTEST_PARALLEL_LEVEL", 1 }, { "CARGO_BUILD_JOBS", 1 }, { "GOMAXPROCS", 1 },
	{ "UV_CONCURRENT_BUILDS", 1 },
};

/* Adds those that the user has not set. */
static void
add_variables_of_tools(struct toolenv *toolenv, unsigned slots)
{
	for (size_t i = 0; i < countof(variables_of_tools); i++)
		if (slots >= variables_of_tools[i].least && !getenv(variables_of_tools[i].name))
			strings_add(&toolenv->variables,
			    xasprintf("%s=%u", variables_of_tools[i].name, slots));
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
toolenv_open(const struct slot *slot, const struct makeflags *makeflags, const char *share)
{
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
	} else if (fill_pipe(toolenv, slot_count(slot) - 1)) {
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
	add_variables_of_tools(toolenv, slot_count(slot));
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
