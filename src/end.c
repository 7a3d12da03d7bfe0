#include "end.h"
#include "notified.h"
#include "order/order.h"
#include "own.h"
#include "report/summary.h"
#include "state/failed.h"
#include "state/history.h"
#include "state/join.h"
#include "state/record.h"
#include "state/rundir.h"

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

/* Do all sessions that were to run have a record? data: the end. */
static bool
is_recorded(void *data)
{
	const struct end *end = data;
	json_t *expected = notified_pending(end->rundir), *names = record_list(end->rundir), *item;
	size_t i;
	bool all;

	planfile_expand(end->plan, end->goals, expected, false);
	json_array_foreach(names, i, item)
		json_object_del(expected, json_string_value(item));
	all = json_object_size(expected) == 0;
	json_decref(expected);
	json_decref(names);
	return all;
}

int
end_run(const struct end *end, const char *key, char *const *make)
{
	int result = 0, state = end->state, rundir = end->rundir;

	if (*make) {
		result = notified_run(end->rundir, key, make);
		if (key)
			join_restore(key, &state, &rundir);
	}
	/*
	 * A helper may have been killed, and the keeper of its session has a record to write.
	 * Nobody waits for others that are at work there: they may need the slot that we hold.
	 */
	rundir_wait(end->rundir, is_recorded, (void *)end);
	if (summary_print(end->state, end->rundir, end->plan, end->goals, false) < 0 ||
	    summary_mark_well(end->rundir, end->plan, end->goals) < 0)
		result = -1;
	if (*make)
		keep_results(end);
	return result;
}

void
end_interrupted(const struct end *end)
{
	(void)!summary_print(end->state, end->rundir, end->plan, end->goals, true);
	keep_results(end);
}
