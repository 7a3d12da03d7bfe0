#include <stdlib.h>

#include "slots/tools.h"

/*
 * The manual says what reads each of them. least: from so many slots on; mypy without the variable
 * has no workers at all.
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

void
tools_tell(unsigned slots, struct strings *variables)
{
	for (size_t i = 0; i < countof(variables_of_tools); i++)
		if (slots >= variables_of_tools[i].least && !getenv(variables_of_tools[i].name))
			strings_add(variables,
			    xasprintf("%s=%u", variables_of_tools[i].name, slots));
}
