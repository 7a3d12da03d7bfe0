#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order/dispatch.h"

/* Seconds below which two moments are the same. */
#define EPSILON 1e-9

struct dispatcher {
	const struct schedule *schedule;
	const size_t *urgency;
	size_t *place;          /* of each job in urgency */
	struct indices *after;  /* of each job: those that wait for it */
	size_t *blockers;       /* of each job: how many it waits for */
	size_t *ready, nready;  /* places, ascending: those that wait for a slot or a resource */
	size_t *running, nrunning;
	unsigned free_slots, slots;
	bool *written;          /* is somebody alone on that resource? */
	long long *taken;       /* of each resource: readers, or amounts */
	size_t *sequence, nsequence;
	double *starts, now;
	double *left;           /* of each elastic job: its seconds */
};

static void
make_ready(struct dispatcher *d, size_t job)
{
	size_t at = d->nready++;

	for (; at > 0 && d->ready[at - 1] > d->place[job]; at--)
		d->ready[at] = d->ready[at - 1];
	d->ready[at] = d->place[job];
}

static bool
fits(const struct dispatcher *d, const struct schedule_job *job)
{
	for (size_t k = 0; k < job->nclaims; k++) {
		const struct schedule_claim *claim = &job->claims[k];
		long long taken = d->taken[claim->resource];

		if (d->written[claim->resource] || (claim->use == EXCLUSIVE && taken > 0))
			return false;
		if (claim->use == AMOUNT &&
		    claim->amount > d->schedule->capacities[claim->resource] - taken)
			return false;
	}
	return true;
}

static void
take(struct dispatcher *d, const struct schedule_job *job, bool takes)
{
	for (size_t k = 0; k < job->nclaims; k++) {
		const struct schedule_claim *claim = &job->claims[k];
		long long amount = claim->use == AMOUNT ? claim->amount : 1;

		if (claim->use == EXCLUSIVE)
			d->written[claim->resource] = takes;
		else
			d->taken[claim->resource] += takes ? amount : -amount;
	}
}

static void
start_jobs(struct dispatcher *d)
{
	size_t kept = 0, i = 0;

	for (; i < d->nready && d->free_slots > 0; i++) {
		size_t job = d->urgency[d->ready[i]];
		unsigned slots = schedule_slots(&d->schedule->jobs[job], d->slots);

		if (slots > d->free_slots || !fits(d, &d->schedule->jobs[job])) {
			d->ready[kept++] = d->ready[i];
			continue;
		}
		d->free_slots -= slots;
		take(d, &d->schedule->jobs[job], true);
		d->starts[job] = d->now;
		d->left[job] = d->schedule->jobs[job].seconds;
		d->sequence[d->nsequence++] = job;
		d->running[d->nrunning++] = job;
	}
	memmove(d->ready + kept, d->ready + i, (d->nready - i) * sizeof(*d->ready));
	d->nready -= i - kept;
}

/* Of the elastic jobs that run. */
static double
pace(const struct dispatcher *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nrunning; i++)
		n += d->schedule->jobs[d->running[i]].elastic;
	return schedule_pace(n, d->free_slots);
}

/* If nothing else ends before. */
static double
end_of(const struct dispatcher *d, size_t job, double pace)
{
	const struct schedule_job *j = &d->schedule->jobs[job];

	return j->elastic ? d->now + d->left[job] / pace : d->starts[job] + j->seconds;
}

/* To the next moment at which something ends. False when nothing runs any more. */
static bool
end_jobs(struct dispatcher *d)
{
	double fast = pace(d), next;
	size_t kept = 0;

	if (d->nrunning == 0)
		return false;
	next = end_of(d, d->running[0], fast);
	for (size_t i = 1; i < d->nrunning; i++)
		next = fmin(next, end_of(d, d->running[i], fast));
	for (size_t i = 0; i < d->nrunning; i++)
		d->left[d->running[i]] -= (next - d->now) * fast;
	d->now = next;
	for (size_t i = 0; i < d->nrunning; i++) {
		size_t job = d->running[i];

		if (end_of(d, job, fast) > d->now + EPSILON) {
			d->running[kept++] = job;
			continue;
		}
		d->free_slots += schedule_slots(&d->schedule->jobs[job], d->slots);
		take(d, &d->schedule->jobs[job], false);
		for (size_t k = 0; k < d->after[job].n; k++)
			if (--d->blockers[d->after[job].v[k]] == 0)
				make_ready(d, d->after[job].v[k]);
	}
	d->nrunning = kept;
	return true;
}

static void
begin(struct dispatcher *d)
{
	const struct schedule *s = d->schedule;

	d->place = xcalloc(s->n, sizeof(*d->place));
	d->after = xcalloc(s->n, sizeof(*d->after));
	d->blockers = xcalloc(s->n, sizeof(*d->blockers));
	d->ready = xcalloc(s->n, sizeof(*d->ready));
	d->running = xcalloc(s->n, sizeof(*d->running));
	d->written = xcalloc(s->nresources, sizeof(*d->written));
	d->taken = xcalloc(s->nresources, sizeof(*d->taken));
	d->left = xcalloc(s->n, sizeof(*d->left));
	for (size_t i = 0; i < s->n; i++) {
		d->place[d->urgency[i]] = i;
		d->blockers[i] = s->jobs[i].before.n;
		for (size_t k = 0; k < s->jobs[i].before.n; k++)
			indices_add(&d->after[s->jobs[i].before.v[k]], i);
		d->starts[i] = -1;
	}
	for (size_t i = 0; i < s->n; i++)
		if (d->blockers[d->urgency[i]] == 0)
			d->ready[d->nready++] = i;
}

double
dispatch(const struct schedule *s, const size_t *urgency, unsigned slots, size_t *sequence,
    double *starts)
{
	struct dispatcher d = { .schedule = s, .urgency = urgency, .sequence = sequence,
		.starts = starts, .slots = slots, .free_slots = slots };

	begin(&d);
	do
		start_jobs(&d);
	while (end_jobs(&d));
	for (size_t i = 0; i < s->n; i++) {
		if (starts[urgency[i]] < 0) {
			starts[urgency[i]] = d.now;
			sequence[d.nsequence++] = urgency[i];
		}
		free(d.after[i].v);
	}
	free(d.place);
	free(d.after);
	free(d.blockers);
	free(d.ready);
	free(d.running);
	free(d.written);
	free(d.taken);
	free(d.left);
	return d.now;
}
