#include <err.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/util.h"
#include "plan/planfile.h"
#include "report/newest.h"
#include "state/rundir.h"

/* The newest run that has the file TARGET<suffix>. -1 after a warning. */
static int
newest_run_of(int state, const char *target, const char *suffix)
{
	char *name = xasprintf("%s%s", target, suffix);
	int rundir = rundir_newest_with(state, name);
	struct planfile *plan = rundir < 0 ? planfile_open(state) : NULL;

	/* The plan may have lost a target of which there still is a log. */
	if (plan && planfile_knows(plan, target))
		warnx("%s: in none of the runs that are kept", name);
	planfile_close(plan);
	free(name);
	return rundir;
}

int
newest_print(int state, const char *key, char *const *targets, const char *suffix,
    int (*print)(int rundir, const char *target))
{
	int result = 0;

	for (; *targets; targets++) {
		int rundir = key ? rundir_open(state, key) : newest_run_of(state, *targets, suffix);

		if (rundir < 0 || print(rundir, *targets) < 0)
			result = 1;
		fd_close(&rundir);
	}
	return result;
}
