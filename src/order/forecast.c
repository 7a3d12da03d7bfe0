#include <stdlib.h>

#include "base/json.h"
#include "order/forecast.h"
#include "order/order.h"
#include "order/simulate.h"
#include "order/workload.h"
#include "state/history.h"

/* Seconds that a job takes at least. */
#define SHORTEST 1e-6

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

/* How far a job has come. */
enum stage { DONE, BEGUN, TO_COME, STAGES };

/* Puts the jobs of that stage, of those in `from`, behind the n that are there. */
static size_t
take_stage(const struct indices *from, const enum stage *stages, enum stage stage, size_t *to,
    size_t n)
{
	for (size_t i = 0; i < from->n; i++)
		if (stages[from->v[i]] == stage)
			to[n++] = from->v[i];
	return n;
}

/* In the order in which make has started the jobs and will: what has ended takes no time. */
static double
simulate_rest(int state, struct workload *work, const enum stage *stages, unsigned slots)
{
	size_t n = work->schedule.n, taken = 0, *cues = xcalloc(n, sizeof(*cues));
	struct indices order = { .v = order_read(state, work, cues), .n = n };
	size_t *sorted = xcalloc(n, sizeof(*sorted));
	double seconds;

	for (enum stage stage = DONE; stage < STAGES; stage++)
		taken = take_stage(&order, stages, stage, sorted, taken);
	seconds = simulate(&work->schedule, sorted, taken, slots, cues, NULL, NULL);
	free(order.v);
	free(sorted);
	free(cues);
	return seconds;
}

void
forecast_pass(struct forecast_left *left, double seconds)
{
	left->begun = true;
	/* One that takes longer than ever may end at any moment. */
	left->seconds = seconds < left->seconds ? left->seconds - seconds : left->seconds * 1e-3;
}

double
forecast_rest(int state, const json_t *active, const struct history *history, unsigned slots,
    void (*tell)(void *data, const char *target, struct forecast_left *), void *data)
{
	struct workload *work = workload_new(active, history, false);
	size_t n = work->schedule.n;
	enum stage *stages = xcalloc(n, sizeof(*stages));
	double seconds = 0;

	for (size_t i = 0; i < n && seconds >= 0; i++) {
		struct schedule_job *job = &work->schedule.jobs[i];
		struct forecast_left left = { .seconds = job->seconds, .demand = job->demand };

		tell(data, workload_target(work, i), &left);
		job->seconds = left.seconds;
		job->demand = left.demand;
		stages[i] = left.seconds <= 0 ? DONE : left.begun ? BEGUN : TO_COME;
		if (stages[i] != DONE && !job->known)
			seconds = -1;
		/* No time at all is none that the simulation knows. */
		if (job->seconds < SHORTEST)
			job->seconds = SHORTEST;
	}
	if (seconds >= 0)
		seconds = simulate_rest(state, work, stages, slots);
	free(stages);
	workload_free(work);
	return seconds;
}
