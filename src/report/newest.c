#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "plan/planfile.h"
#include "report/newest.h"
#include "state/request.h"
#include "state/rundir.h"

/* Do the goals of that run's make run this target? */
static bool
is_asked_for(int rundir, const char *target)
{
	struct planfile *plan = planfile_open(rundir);
	struct request request = { 0 };
	json_t *sessions = json_object();
	bool is;

	if (plan && request_read(rundir, &request) == 0)
		planfile_expand(plan, request.goals, sessions, false);
	is = json_object_get(sessions, target) != NULL;
	json_decref(sessions);
	request_clear(&request);
	planfile_close(plan);
	return is;
}

/* Is the target still to run in that run, whose make has been asked for something? */
static bool
is_to_run(int rundir, const char *target)
{
	return faccessat(rundir, REQUEST_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       faccessat(rundir, RUNDIR_ENDED, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       rundir_may_live(rundir) && is_asked_for(rundir, target);
}

/* What is sought. */
struct wanted {
	const char *target, *name; /* its file */
	bool awaits;
};

static bool
is_wanted(void *data, int rundir)
{
	const struct wanted *wanted = data;

	return faccessat(rundir, wanted->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       (wanted->awaits && is_to_run(rundir, wanted->target));
}

/* -1 after a warning. */
static int
open_run(const struct newest *newest, const char *target)
{
	char *name = xasprintf("%s%s", target, newest->suffix);
	struct wanted wanted = { .target = target, .name = name, .awaits = newest->awaits };
	int rundir = rundir_newest_that(newest->state, is_wanted, &wanted);
	struct planfile *plan = rundir < 0 ? planfile_open(newest->state) : NULL;

	/* The plan may have lost a target of which there still is a log. */
	if (plan && planfile_knows(plan, target))
		warnx("%s: in none of the runs that are kept", name);
	planfile_close(plan);
	free(name);
	return rundir;
}

int
newest_print(const struct newest *newest, char *const *targets)
{
	int result = 0;

	for (; *targets; targets++) {
		int rundir = newest->run ? rundir_select(newest->state, newest->run) :
		    open_run(newest, *targets);

		if (rundir < 0 || newest->print(newest->data, rundir, *targets) < 0)
			result = 1;
		fd_close(&rundir);
	}
	return result;
}
