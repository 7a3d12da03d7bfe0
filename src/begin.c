#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "begin.h"
#include "output/screen.h"
#include "report/list.h"
#include "state/join.h"
#include "state/record.h"
#include "state/request.h"
#include "state/runtime.h"
#include "state/state.h"

/* As nox does where there is nothing to run: that is no fault. */
static void
list_targets(int rundir)
{
	struct planfile *plan = planfile_open(rundir);
	char *complaint;

	if (!plan)
		return;
	/* The verdict tells what nox complains of. */
	complaint = planfile_complaint(plan);
	printf("noxmk: %s. There are (make nox-list):\n\n", complaint ?
	    "no default session can be selected" : "the noxfile selects no session by default");
	free(complaint);
	list_print(plan);
	fflush(stdout);
	planfile_close(plan);
}

/* So many of the others are named. */
enum { LEFT_SHOWN = 6 };

/* What this machine does, and what it leaves to the others, in one line. */
static void
tell_shard(const struct request *request)
{
	size_t left = json_array_size(request->left), i;
	const json_t *target;

	printf("noxmk: shard %.*s: %zu of %zu sessions; ",
	    (int)strcspn(json_text(request->knob_texts, "NOXMK_SHARD"), "@"),
	    json_text(request->knob_texts, "NOXMK_SHARD"), json_array_size(request->goals),
	    json_array_size(request->goals) + left);
	printf("left to other machines:");
	json_array_foreach(request->left, i, target)
		if (i < LEFT_SHOWN)
			screen_put(" ", json_string_value(target), "");
	if (left > LEFT_SHOWN)
		printf(" and %zu more", left - LEFT_SHOWN);
	puts(left > 0 ? "" : " nothing");
	fflush(stdout);
}

/*
 * No session may find the disk full at its end that another one has filled. The helper of a session
 * that is alone does this itself. 0, or -1 after a warning.
 */
static int
reserve_records(int rundir, const struct request *request)
{
	struct planfile *plan = *request->alone ? NULL : planfile_open(rundir);
	json_t *sessions = json_object(), *unused;
	const char *target;
	int result = 0;

	if (plan)
		planfile_expand(plan, request->goals, sessions, false);
	json_object_foreach(sessions, target, unused)
		if (result == 0 && record_reserve(rundir, target) < 0 && fd_is_full(errno)) {
			warn("no room for the records of %zu session%s in %s",
			    json_object_size(sessions), json_object_size(sessions) == 1 ? "" : "s",
			    state_path());
			result = -1;
		}
	json_decref(sessions);
	planfile_close(plan);
	return result;
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
		if (write_request(rundir, &request) == 0 &&
		    reserve_records(rundir, &request) == 0)
			result = 0;
		if (result == 0 && request.selects_nothing)
			list_targets(rundir);
		if (result == 0 && request.left)
			tell_shard(&request);
		/* By that the run goes on where a session removes the run folder. */
		runtime = runtime_make(key, state, rundir);
		fd_close(&runtime);
		fd_close(&rundir);
	}
	request_clear(&request);
	json_decref(settings);
	return result;
}
