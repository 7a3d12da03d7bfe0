#include <stdlib.h>

#include "base/json.h"
#include "order/forecast.h"
#include "order/order.h"
#include "order/simulate.h"
#include "order/workload.h"
#include "state/history.h"

/* What starts first comes first; of two that start at once the one that make takes first. */
static int
compare_starts(const void *a, const void *b)
{
	const struct forecast_line *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

struct forecast_line *
forecast_run(int state, const json_t *active, unsigned slots, double *wall)
{
	struct history *history = history_load(state);
	struct workload *work = workload_new(active, history, false);
	size_t n = work->schedule.n, *order, *cues = xcalloc(n, sizeof(*cues));
	struct forecast_line *lines = xcalloc(n, sizeof(*lines));
	double *starts = xcalloc(n, sizeof(*starts)), *ends = xcalloc(n, sizeof(*ends));

	/* A job that never starts stands there as if it started at once. */
	for (size_t i = 0; i < n; i++)
		ends[i] = work->schedule.jobs[i].seconds;
	order = order_read(state, work, cues);
	*wall = simulate(&work->schedule, order, n, slots, cues, starts, ends);
	for (size_t i = 0; i < n; i++) {
		json_t *session = json_array_get(work->sessions, order[i]);
		size_t cue = cues[order[i]];
		struct learned learned = history_learned(history, json_text(session, "target"));

		lines[i] = (struct forecast_line){ .target = json_text(session, "target"),
			.session = session, .place = i,
			.cue = cue == NO_JOB ? NULL : workload_target(work, cue),
			.start = starts[order[i]], .end = ends[order[i]], .width = learned.width,
			.known = work->schedule.jobs[order[i]].known };
		learned_clear(&learned);
	}
	if (n > 0)
		qsort(lines, n, sizeof(*lines), compare_starts);
	free(order);
	free(cues);
	free(starts);
	free(ends);
	workload_free(work);
	history_free(history);
	return lines;
}
