#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/watch.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/makeflags.h"
#include "end.h"
#include "makefile/own.h"
#include "notified.h"
#include "order/order.h"
#include "report/statuses.h"
#include "report/summary.h"
#include "session/zygote.h"
#include "slots/guard.h"
#include "slots/jobserver.h"
#include "state/failed.h"
#include "state/history.h"
#include "state/join.h"
#include "state/knob.h"
#include "state/policy.h"
#include "state/presence.h"
#include "state/record.h"
#include "state/rundir.h"
#include "state/runtime.h"
#include "state/state.h"
#include "trial/recheck.h"

/* Milliseconds in which a token has to come that the dead have left to be taken. */
enum { MEND_PATIENCE = 1000 };

/* Warns where something cannot be kept; the run is no worse for that. */
static void
keep_results(const struct end *end)
{
	json_t *active;

	failed_update(end->state, end->rundir, end->plan, end->goals);
	if (!history_update(end->state, end->rundir))
		return;
	active = json_object();
	own_apply(end->state, end->plan, end->goals);
	planfile_expand(end->plan, end->goals, active, false);
	(void)!order_write(end->state, active, end->jobs);
	json_decref(active);
}

/*
 * A helper may have been killed, and the keeper of its session has a record to write, or processes
 * to end. We may wait for that, and for nobody else: others may need the slot that we hold.
 * sessions: those that make has done with, in its eyes.
 */
static void
await_keepers(const struct end *end, const char *key, const json_t *sessions)
{
	json_t *names = record_list(end->rundir), *lacking = json_copy((json_t *)sessions), *item;
	bool entered = rundir_is_entered(end->rundir);
	const char *target;
	size_t i;

	json_array_foreach(names, i, item)
		json_object_del(lacking, json_string_value(item));
	json_object_foreach(entered ? (json_t *)sessions : lacking, target, item)
		presence_await(key, target);
	json_object_foreach(lacking, target, item)
		record_release(end->rundir, target);
	json_decref(lacking);
	json_decref(names);
}

/* Has make gone without coming to its end, since what the user has it make first has failed? */
static bool
is_missing(int rundir)
{
	return !rundir_has_ended(rundir) && !rundir_may_live(rundir);
}

/* Helpers may have been killed with their guards while their slots were lent: make counts those. */
static void
mend_tokens(const char *key, int rundir)
{
	struct makeflags makeflags = makeflags_read(getenv("MAKEFLAGS"), 1);
	struct jobserver *jobserver = jobserver_open(makeflags.auth);
	int runtime = jobserver && key ? runtime_find(key) : -1;

	if (jobserver)
		guard_mend(jobserver, runtime >= 0 ? runtime : rundir, MEND_PATIENCE);
	fd_close(&runtime);
	jobserver_close(jobserver);
	makeflags_clear(&makeflags);
}

/*
 * Names the goals that are well, for make: see rundir.h. What a session may have put there goes. A
 * name that cannot be made, as on a full disk, costs a process only: make asks for the goal.
 */
static void
mark_well(const struct end *end, const char *key)
{
	json_t *goal;
	size_t i;

	json_array_foreach((json_t *)end->goals, i, goal) {
		const char *target = json_string_value(goal);
		char *name = xasprintf("runs/" RUNDIR_WELL "%s-%s", key, target);
		int fd = -1;

		if (!summary_is_well(end->rundir, end->plan, target))
			file_remove(end->state, name);
		else
			fd = file_create(end->state, name, O_WRONLY);
		if (fd >= 0)
			file_give(end->state, name);
		fd_close(&fd);
		free(name);
	}
}

/* Who has said how much is to be rechecked needs no hint. -1 after a warning. */
static int
sum_up(const struct end *end, bool stopped)
{
	bool said = end->recheck == 0 || end->recheck == RECHECK_ALL;
	const struct summary summary = { .state = end->state, .rundir = end->rundir,
		.plan = end->plan, .goals = end->goals, .stopped = stopped,
		.hints = !stopped && !said && !recheck_is_too_late(end->rundir),
		.reports = end->reports };

	return summary_print(&summary);
}

int
end_run(const struct end *end, const char *key, char *const *make)
{
	int result = 0, state = end->state, rundir = end->rundir;
	json_t *sessions;

	if (!key && !*make && is_missing(rundir)) {
		end_interrupted(end);
		return 0;
	}
	sessions = json_object();
	planfile_expand(end->plan, end->goals, sessions, false);
	if (*make)
		result = notified_run(end->rundir, key, make, end->plan, sessions);
	/* These sessions may have removed the run folder, too. */
	if (result != 0 && key)
		join_restore(key, &state, &rundir);
	if (key)
		await_keepers(end, key, sessions);
	if (key && *make)
		recheck_run(&(struct recheck_options){ .state = state, .rundir = rundir,
		    .key = key, .plan = end->plan, .share = end->recheck });
	if (end->watch)
		watch_tell(end->state, end->rundir, end->plan);
	if (sum_up(end, false) < 0)
		result = -1;
	if (key)
		mark_well(end, key);
	rundir_mark_ended(end->rundir, false);
	mend_tokens(key, rundir);
	if (*make) {
		keep_results(end);
		record_sync(end->rundir, sessions);
	}
	if (key && end->share)
		statuses_post(end->share, end->rundir, end->plan, end->goals);
	json_decref(sessions);
	return result < 0 ? -1 : 0;
}

void
end_interrupted(const struct end *end)
{
	json_t *sessions = json_object();

	(void)!sum_up(end, true);
	rundir_mark_ended(end->rundir, true);
	keep_results(end);
	planfile_expand(end->plan, end->goals, sessions, false);
	record_sync(end->rundir, sessions);
	json_decref(sessions);
}

void
end_clear_up(int state, const char *key, int rundir)
{
	int runtime = runtime_find(key);

	zygote_end(state, runtime);
	fd_close(&runtime);
	runtime_remove(key, rundir);
}
