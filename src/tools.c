#include <stdlib.h>

#include "tools.h"

/* In the order of the manual, which says what reads each of them. */
static const char *const names[] = {
	"NOXMK_SLOTS", "PYTHON_CPU_COUNT", "PYTEST_XDIST_AUTO_NUM_WORKERS", "MYPY_NUM_WORKERS",
	"BLACK_NUM_WORKERS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
	"MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "CMAKE_BUILD_PARALLEL_LEVEL",
	"CTEST_PARALLEL_LEVEL", "CARGO_BUILD_JOBS", "GOMAXPROCS", "UV_CONCURRENT_BUILDS",
};

void
tools_tell(unsigned slots, struct strings *variables)
{
	for (size_t i = 0; i < countof(names); i++)
		if (!getenv(names[i]))
			strings_add(variables, xasprintf("%s=%u", names[i], slots));
}
