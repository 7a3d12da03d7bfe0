#include <stdlib.h>

#include "order/running.h"
#include "order/simulate.h"

/* Where a job of the order is on its way; ABSENT is one that the order lacks. */
enum phase {
	ABSENT,
	PENDING,   /* make has not started its helper yet */
	QUEUED,    /* its helper waits for amounts */
	ENTITLED,  /* it has them, and waits for its slots */
	RUNNING,
	ENDED
};

struct progress {
	enum phase phase;
	double ended;
	size_t blockers;          /* how many jobs must end before make starts it */
	struct indices followers; /* jobs of which this one is such a blocker */
};

struct simulation {
	const struct schedule *schedule;
	struct running running;
	const size_t *order;
	size_t n;
	struct progress *progress; /* of each job */
	long long *taken;      /* of each resource: the amounts that entitled jobs have */
	struct indices queue;  /* QUEUED and ENTITLED jobs, in order of arrival */
	size_t first;          /* place in the order before which no job is PENDING */
};

static void
add_edge(struct simulation *sim, size_t first, size_t then)
{
	if (sim->progress[first].phase == ABSENT)
		return;
	indices_add(&sim->progress[first].followers, then);
	sim->progress[then].blockers++;
}

/* The users of one resource that the next one may have to wait for. */
struct chain {
	size_t writer;          /* the last, or NO_JOB */
	struct indices readers; /* those after that writer */
};

/* Adds the edges of the next user of the resource, as _noxmk.edges of nox.mk does. */
static void
add_user(struct simulation *sim, struct chain *chain, size_t job, bool writes)
{
	for (size_t k = 0; writes && k < chain->readers.n; k++)
		add_edge(sim, chain->readers.v[k], job);
	if (chain->writer != NO_JOB && !(writes && chain->readers.n > 0))
		add_edge(sim, chain->writer, job);
	if (writes) {
		chain->readers.n = 0;
		chain->writer = job;
	} else {
		indices_add(&chain->readers, job);
	}
}

static void
add_chains(struct simulation *sim)
{
	const struct schedule *s = sim->schedule;
	struct chain *chains = xcalloc(s->nresources, sizeof(*chains));

	for (size_t r = 0; r < s->nresources; r++)
		chains[r].writer = NO_JOB;
	for (size_t i = 0; i < sim->n; i++) {
		const struct schedule_job *job = &s->jobs[sim->order[i]];

		for (size_t k = 0; k < job->nclaims; k++)
			if (job->claims[k].use != AMOUNT)
				add_user(sim, &chains[job->claims[k].resource], sim->order[i],
				    job->claims[k].use == EXCLUSIVE);
	}
	for (size_t r = 0; r < s->nresources; r++)
		free(chains[r].readers.v);
	free(chains);
}

/* Are there amounts for the job beside what is taken and what earlier jobs in the queue want? */
static bool
fits(const struct simulation *sim, size_t number, const long long *reserved)
{
	const struct schedule_job *job = &sim->schedule->jobs[number];

	for (size_t k = 0; k < job->nclaims; k++) {
		const struct schedule_claim *c = &job->claims[k];

		if (c->use == AMOUNT && sim->taken[c->resource] + reserved[c->resource] +
		    c->amount > sim->schedule->capacities[c->resource])
			return false;
	}
	return true;
}

static void
count_amounts(const struct schedule_job *job, long long *sums, int sign)
{
	for (size_t k = 0; k < job->nclaims; k++)
		if (job->claims[k].use == AMOUNT)
			sums[job->claims[k].resource] += sign * job->claims[k].amount;
}

/* Jobs in the queue get the amounts and the slots that are free, first come, first served. */
static void
serve_queue(struct simulation *sim)
{
	const struct schedule *s = sim->schedule;
	long long *reserved;
	size_t kept = 0;

	if (sim->queue.n == 0)
		return;
	reserved = xcalloc(s->nresources, sizeof(*reserved));
	for (size_t i = 0; i < sim->queue.n; i++) {
		size_t number = sim->queue.v[i];
		struct progress *job = &sim->progress[number];

		if (job->phase == QUEUED && fits(sim, number, reserved)) {
			job->phase = ENTITLED;
			count_amounts(&s->jobs[number], sim->taken, 1);
		}
		if (job->phase == ENTITLED && sim->running.free_slots >=
		    schedule_slots(&s->jobs[number], sim->running.slots)) {
			job->phase = RUNNING;
			running_start(&sim->running, number);
			continue;
		}
		if (job->phase == QUEUED)
			count_amounts(&s->jobs[number], reserved, 1);
		sim->queue.v[kept++] = number;
	}
	sim->queue.n = kept;
	free(reserved);
}

/* On to the next end of a job. False when nothing runs any more. */
static bool
advance(struct simulation *sim)
{
	if (!running_advance(&sim->running))
		return false;
	for (size_t i = 0; i < sim->running.nended; i++) {
		size_t number = sim->running.ended[i];
		struct progress *job = &sim->progress[number];

		job->phase = ENDED;
		job->ended = sim->running.now;
		count_amounts(&sim->schedule->jobs[number], sim->taken, -1);
		for (size_t k = 0; k < job->followers.n; k++)
			sim->progress[job->followers.v[k]].blockers--;
	}
	serve_queue(sim);
	return true;
}

/*
 * make goes through the order once. A job that it finds ready gets the next free slot, and make
 * waits there until there is one; a job that gets ready behind it waits for the next pass. True if
 * make has started any.
 */
static bool
pass(struct simulation *sim)
{
	bool started = false;

	while (sim->first < sim->n && sim->progress[sim->order[sim->first]].phase != PENDING)
		sim->first++;
	for (size_t i = sim->first; i < sim->n; i++) {
		size_t number = sim->order[i];
		struct progress *job = &sim->progress[number];

		if (job->phase != PENDING || job->blockers > 0)
			continue;
		while (sim->running.free_slots == 0)
			advance(sim);
		job->phase = QUEUED;
		indices_add(&sim->queue, number);
		serve_queue(sim);
		started = true;
	}
	return started;
}

double
simulate(const struct schedule *s, const size_t *order, size_t n, unsigned slots,
    const size_t *cues, double *starts, double *ends)
{
	struct simulation sim = { .schedule = s, .order = order, .n = n };
	double last;

	running_begin(&sim.running, s, slots);
	sim.progress = xcalloc(s->n, sizeof(*sim.progress));
	sim.taken = xcalloc(s->nresources, sizeof(*sim.taken));
	for (size_t i = 0; i < n; i++)
		sim.progress[order[i]].phase = PENDING;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < s->jobs[order[i]].before.n; k++)
			add_edge(&sim, s->jobs[order[i]].before.v[k], order[i]);
		if (cues && cues[order[i]] != NO_JOB)
			add_edge(&sim, cues[order[i]], order[i]);
	}
	add_chains(&sim);
	while (pass(&sim) || advance(&sim))
		;
	for (size_t i = 0; i < s->n; i++) {
		if (starts && sim.progress[i].phase == ENDED)
			starts[i] = sim.running.starts[i];
		if (ends && sim.progress[i].phase == ENDED)
			ends[i] = sim.progress[i].ended;
		free(sim.progress[i].followers.v);
	}
	free(sim.progress);
	free(sim.taken);
	free(sim.queue.v);
	last = sim.running.now;
	running_free(&sim.running);
	return last;
}
