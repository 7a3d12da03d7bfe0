#include <stdlib.h>
#include <string.h>

#include "order/dispatch.h"
#include "order/running.h"

struct dispatcher {
	const struct schedule *schedule;
	struct running running;
	const size_t *urgency;
	size_t *place;             /* of each job in urgency */
	struct indices *followers; /* of each job */
	size_t *blockers;          /* of each job: how many that it waits for have not ended */
	size_t *ready, nready;     /* places of jobs that want a slot or a resource, ascending */
	bool *written;             /* of each resource: a job has it for itself */
	long long *taken;          /* of each resource: how many read it, or the amounts */
	size_t *sequence, nsequence;
};

/* The job waits for no other one any more. */
static void
make_ready(struct dispatcher *d, size_t job)
{
	size_t at = d->nready++;

	for (; at > 0 && d->ready[at - 1] > d->place[job]; at--)
		d->ready[at] = d->ready[at - 1];
	d->ready[at] = d->place[job];
}

/* Is what it claims free? */
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

/* It gets what it claims, or gives that back. */
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

	for (; i < d->nready && d->running.free_slots > 0; i++) {
		size_t number = d->urgency[d->ready[i]];
		const struct schedule_job *job = &d->schedule->jobs[number];

		if (schedule_slots(job, d->running.slots) > d->running.free_slots ||
		    !fits(d, job)) {
			d->ready[kept++] = d->ready[i];
			continue;
		}
		take(d, job, true);
		running_start(&d->running, number);
		d->sequence[d->nsequence++] = number;
	}
	memmove(d->ready + kept, d->ready + i, (d->nready - i) * sizeof(*d->ready));
	d->nready -= i - kept;
}

/* On to the next end of a job. False when nothing runs any more. */
static bool
end_jobs(struct dispatcher *d)
{
	if (!running_advance(&d->running))
		return false;
	for (size_t i = 0; i < d->running.nended; i++) {
		const struct indices *followers = &d->followers[d->running.ended[i]];

		take(d, &d->schedule->jobs[d->running.ended[i]], false);
		for (size_t k = 0; k < followers->n; k++)
			if (--d->blockers[followers->v[k]] == 0)
				make_ready(d, followers->v[k]);
	}
	return true;
}

static void
dispatcher_open(struct dispatcher *d, unsigned slots)
{
	const struct schedule *s = d->schedule;

	running_begin(&d->running, s, slots);
	d->place = xcalloc(s->n, sizeof(*d->place));
	d->followers = schedule_followers(s);
	d->blockers = xcalloc(s->n, sizeof(*d->blockers));
	d->ready = xcalloc(s->n, sizeof(*d->ready));
	d->written = xcalloc(s->nresources, sizeof(*d->written));
	d->taken = xcalloc(s->nresources, sizeof(*d->taken));
	for (size_t i = 0; i < s->n; i++) {
		d->place[d->urgency[i]] = i;
		d->blockers[i] = s->jobs[i].before.n;
	}
	for (size_t i = 0; i < s->n; i++)
		if (d->blockers[d->urgency[i]] == 0)
			d->ready[d->nready++] = i;
}

static void
dispatcher_close(struct dispatcher *d)
{
	running_free(&d->running);
	schedule_free_followers(d->schedule, d->followers);
	free(d->place);
	free(d->blockers);
	free(d->ready);
	free(d->written);
	free(d->taken);
}

double
dispatch(const struct schedule *s, const size_t *urgency, unsigned slots, size_t *sequence,
    double *starts)
{
	struct dispatcher d = { .schedule = s, .urgency = urgency, .sequence = sequence };
	double last;

	dispatcher_open(&d, slots);
	do
		start_jobs(&d);
	while (end_jobs(&d));
	last = d.running.now;
	for (size_t i = 0; i < s->n; i++) {
		size_t job = urgency[i];
		bool started = d.running.starts[job] >= 0;

		starts[job] = started ? d.running.starts[job] : last;
		if (!started)
			sequence[d.nsequence++] = job;
	}
	dispatcher_close(&d);
	return last;
}
