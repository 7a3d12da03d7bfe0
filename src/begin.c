#include <stdio.h>

#include "base/fd.h"
#include "begin.h"
#include "report/list.h"
#include "state/join.h"
#include "state/request.h"
#include "state/runtime.h"

/* As nox does where there is nothing to run: that is no fault. */
static void
list_targets(int rundir)
{
	struct planfile *plan = planfile_open(rundir);

	if (!plan)
		return;
	puts("noxmk: the noxfile selects no session by default. There are (make nox-list):\n");
	list_print(plan);
	fflush(stdout);
	planfile_close(plan);
}

/* The plan says what is secret. 0, or -1 after a warning. */
static int
write_request(int rundir, const struct request *request)
{
	struct planfile *plan = request->posargs.n > 0 ? planfile_open(rundir) : NULL;
	struct secrets secrets = secrets_of(plan ? planfile_header(plan) : NULL);
	int result = request_write(rundir, request, &secrets);

	secrets_clear(&secrets);
	planfile_close(plan);
	return result;
}

int
begin_run(int state, const char *key)
{
	json_t *settings = request_take(state, "begin", key);
	struct request request = { 0 };
	int rundir, runtime, result = EXIT_HELPER;

	if (!settings)
		return EXIT_HELPER;
	if (!request_check(settings, &request)) {
		result = EXIT_USAGE;
	} else if ((rundir = join_run(state, key, request.knobs.keep)) >= 0) {
		if (write_request(rundir, &request) == 0)
			result = 0;
		if (result == 0 && request.selects_nothing)
			list_targets(rundir);
		/* By that the run goes on where a session removes the run folder. */
		runtime = runtime_make(key, state, rundir);
		fd_close(&runtime);
		fd_close(&rundir);
	}
	request_clear(&request);
	json_decref(settings);
	return result;
}
