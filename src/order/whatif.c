#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "order/cue.h"
#include "order/dispatch.h"
#include "order/search.h"
#include "order/simulate.h"
#include "order/whatif.h"
#include "order/workload.h"

/* Seconds that a session takes at least: no time at all is none that a simulation knows. */
#define SHORTEST 0.001

/* Seconds that make and a helper may take for a session besides, and how near that is found. */
#define BETWEEN_MOST 0.5
enum { BISECTIONS = 12 };

struct whatif {
	struct workload *work;
	unsigned slots;
	double as_it_was;
};

static bool
has_run(const struct record *r)
{
	return r->verdict != NOT_RUN && r->started > 0 && r->ended >= r->started;
}

/* Without what it waited for while it ran, and what it lost to others. */
static double
own_time(const struct record *r)
{
	double seconds = r->ended - r->started;
	json_t *wait, *attempt;
	size_t i;

	json_array_foreach(r->attempts, i, attempt)
		seconds += json_number(attempt, "duration");

	json_array_foreach(r->waits, i, wait)
		if (record_waits_within(wait))
			seconds -= json_number(wait, "seconds");
	if (r->crowded > 0)
		seconds -= r->crowded;
	return history_is_time(seconds) && seconds > SHORTEST ? seconds : SHORTEST;
}

static void
take_record(struct schedule_job *job, const struct record *r)
{
	double most = r->width > 1 ? r->width : 1;

	job->seconds = own_time(r);
	job->client = r->client == 1 && r->width > 1;
	job->demand = r->cpu > 0 ? r->cpu / job->seconds : 0;
	if (job->demand > most)
		job->demand = most;
}

/* The jobs that have run, in the order of their starts. */
struct past {
	size_t *order, n;
	double *starts, wall; /* of each job; seconds from the first start to the last end */
};

static int
compare_starts(const void *a, const void *b, void *data)
{
	const double *starts = data;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (starts[x] != starts[y])
		return starts[x] < starts[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static struct past
past_of(const struct whatif *whatif, const struct record *records, size_t n)
{
	size_t jobs = whatif->work->schedule.n;
	struct past past = { .order = xcalloc(jobs, sizeof(*past.order)),
		.starts = xcalloc(jobs, sizeof(*past.starts)) };
	double first = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		size_t job = workload_find(whatif->work, records[i].target);

		if (job == NO_JOB || !has_run(&records[i]))
			continue;
		past.starts[job] = records[i].started;
		first = past.n == 0 || records[i].started < first ? records[i].started : first;
		last = records[i].ended > last ? records[i].ended : last;
		past.order[past.n++] = job;
	}
	if (past.n > 0)
		qsort_r(past.order, past.n, sizeof(*past.order), compare_starts, past.starts);
	past.wall = last - first;
	return past;
}

static void
add_to_all(struct whatif *whatif, double seconds)
{
	for (size_t i = 0; i < whatif->work->schedule.n; i++)
		whatif->work->schedule.jobs[i].seconds += seconds;
}

/* Seconds that the run would take if each session took so many more. */
static double
with_more(struct whatif *whatif, const struct past *past, double more)
{
	double seconds;

	add_to_all(whatif, more);
	seconds = simulate(&whatif->work->schedule, past->order, past->n, whatif->slots, NULL,
	    NULL, NULL);
	add_to_all(whatif, -more);
	return seconds;
}

/*
 * A run that took much longer than that was held up by something else: then nobody knows, and
 * nothing is added.
 */
static void
calibrate(struct whatif *whatif, const struct record *records, size_t n)
{
	struct past past = past_of(whatif, records, n);
	double low = 0, high = BETWEEN_MOST;

	if (past.n > 0 && with_more(whatif, &past, high) > past.wall)
		for (int i = 0; i < BISECTIONS; i++) {
			double middle = (low + high) / 2;

			if (with_more(whatif, &past, middle) < past.wall)
				low = middle;
			else
				high = middle;
		}
	add_to_all(whatif, low);
	free(past.order);
	free(past.starts);
}

struct whatif *
whatif_new(const json_t *sessions, const struct record *records, size_t n,
    const struct history *history, unsigned slots, unsigned processors)
{
	struct whatif *whatif = xcalloc(1, sizeof(*whatif));

	whatif->work = workload_new(sessions, history, false);
	whatif->slots = slots > 0 ? slots : 1;
	whatif->work->schedule.processors = processors > 0 ? processors : whatif->slots;
	for (size_t i = 0; i < n; i++) {
		size_t job = workload_find(whatif->work, records[i].target);

		if (job == NO_JOB)
			continue;
		if (has_run(&records[i]))
			take_record(&whatif->work->schedule.jobs[job], &records[i]);
		else if (records[i].verdict == NOT_RUN)
			whatif->work->schedule.jobs[job].seconds = SHORTEST;
	}
	calibrate(whatif, records, n);
	whatif->as_it_was = whatif_slots(whatif, whatif->slots);
	return whatif;
}

void
whatif_free(struct whatif *whatif)
{
	workload_free(whatif->work);
	free(whatif);
}

double
whatif_slots(const struct whatif *whatif, unsigned slots)
{
	const struct schedule *s = &whatif->work->schedule;
	size_t *urgency = xcalloc(s->n, sizeof(*urgency)), *order = xcalloc(s->n, sizeof(*order));
	size_t *cues = xcalloc(s->n, sizeof(*cues));
	double *starts = xcalloc(s->n, sizeof(*starts)), seconds;

	search_urgency(s, slots, urgency);
	dispatch(s, urgency, slots, order, starts);
	cue_choose(s, slots, order, starts, cues);
	seconds = simulate(s, order, s->n, slots, cues, NULL, NULL);
	free(urgency);
	free(order);
	free(cues);
	free(starts);
	return seconds;
}

/* What is taken away does no harm, though an order that a search has found may be worse. */
static double
no_worse(const struct whatif *whatif)
{
	double seconds = whatif_slots(whatif, whatif->slots);

	return seconds < whatif->as_it_was ? seconds : whatif->as_it_was;
}

double
whatif_as_it_was(const struct whatif *whatif)
{
	return whatif->as_it_was;
}

double
whatif_without(struct whatif *whatif, const char *resource)
{
	struct schedule *s = &whatif->work->schedule;
	const json_t *at = json_object_get(whatif->work->resources, resource);
	struct schedule_job *kept;
	double seconds;

	if (!at)
		return whatif->as_it_was;
	kept = xcalloc(s->n, sizeof(*kept));
	/* Whoever shares waits only for who does not. */
	for (size_t i = 0; i < s->n; i++) {
		struct schedule_job *job = &s->jobs[i];

		kept[i] = *job;
		job->claims = xcalloc(job->nclaims, sizeof(*job->claims));
		for (size_t k = 0; k < job->nclaims; k++) {
			job->claims[k] = kept[i].claims[k];
			if (job->claims[k].resource == (size_t)json_integer_value(at))
				job->claims[k].use = SHARED;
		}
	}
	seconds = no_worse(whatif);
	for (size_t i = 0; i < s->n; i++) {
		free(s->jobs[i].claims);
		s->jobs[i] = kept[i];
	}
	free(kept);
	return seconds;
}

double
whatif_without_edges(struct whatif *whatif)
{
	struct schedule *s = &whatif->work->schedule;
	struct indices *kept = xcalloc(s->n, sizeof(*kept));
	double seconds;

	for (size_t i = 0; i < s->n; i++) {
		kept[i] = s->jobs[i].before;
		s->jobs[i].before = (struct indices){ 0 };
	}
	seconds = no_worse(whatif);
	for (size_t i = 0; i < s->n; i++)
		s->jobs[i].before = kept[i];
	free(kept);
	return seconds;
}

double
whatif_halved(struct whatif *whatif, const char *target)
{
	size_t at = workload_find(whatif->work, target);
	struct schedule_job *job, kept;
	double seconds;

	if (at == NO_JOB)
		return whatif->as_it_was;
	job = &whatif->work->schedule.jobs[at];
	kept = *job;
	job->seconds /= 2;
	seconds = no_worse(whatif);
	*job = kept;
	return seconds;
}

const json_t *
whatif_resources(const struct whatif *whatif)
{
	return whatif->work->resources;
}
