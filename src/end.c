#include "end.h"
#include "notified.h"
#include "order/order.h"
#include "report/summary.h"
#include "state/failed.h"
#include "state/history.h"
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
	planfile_expand(end->plan, end->goals, active, false);
	(void)!order_write(end->state, active, end->jobs);
	json_decref(active);
}

int
end_run(const struct end *end, const char *key, char *const *make)
{
	int result = 0;

	if (*make)
		result = notified_run(end->rundir, key, make);
	/* A helper may have been killed, and the keeper of its session has a record to write. */
	rundir_wait(end->rundir);
	if (summary_print(end->rundir, end->plan, end->goals, false) < 0 ||
	    summary_mark_well(end->rundir, end->plan, end->goals) < 0)
		result = -1;
	if (*make)
		keep_results(end);
	return result;
}

void
end_interrupted(const struct end *end)
{
	(void)!summary_print(end->rundir, end->plan, end->goals, true);
	keep_results(end);
}
