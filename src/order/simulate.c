#include <math.h>
#include <stdlib.h>

#include "order/simulate.h"

/* Seconds below which two moments are the same. */
#define EPSILON 1e-9

enum { NOBODY = -1 };

/* PENDING: its turn has not come. QUEUED: waits for amounts. ENTITLED: has them, but no slot. */
enum phase { ABSENT, PENDING, QUEUED, ENTITLED, RUNNING, ENDED };

struct job_state {
	enum phase phase;
	double started, ended, left; /* left: seconds; of an elastic one with one slot */
	size_t blockers; /* jobs that must end first */
	struct indices after; /* jobs that wait for this one */
};

struct simulation {
	const struct schedule *schedule;
	const size_t *order;
	size_t n;
	unsigned slots, free_slots;
	double now;
	struct job_state *states;
	long long *taken;      /* of each resource */
	struct indices queue;  /* QUEUED and ENTITLED, in order of arrival */
	struct indices running;
	size_t first;          /* position of the first in the order that may be PENDING */
};

static void
add_edge(struct simulation *sim, size_t first, size_t then)
{
	if (sim->states[first].phase == ABSENT)
		return;
	indices_add(&sim->states[first].after, then);
	sim->states[then].blockers++;
}

/* How far the chain of one resource has come. */
struct chain {
	long writer; /* the last, or NOBODY */
	struct indices readers; /* since then */
};

/* The next user of the resource, as nox.mk does it. */
static void
add_user(struct simulation *sim, struct chain *chain, size_t job, bool writes)
{
	for (size_t k = 0; writes && k < chain->readers.n; k++)
		add_edge(sim, chain->readers.v[k], job);
	if (chain->writer != NOBODY && !(writes && chain->readers.n > 0))
		add_edge(sim, (size_t)chain->writer, job);
	if (writes) {
		chain->readers.n = 0;
		chain->writer = (long)job;
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
		chains[r].writer = NOBODY;
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

/* Would it fit beside what is taken and what those before it in the queue wait for? */
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

static void
start(struct simulation *sim, size_t number)
{
	sim->states[number].phase = RUNNING;
	sim->states[number].started = sim->now;
	sim->states[number].left = sim->schedule->jobs[number].seconds;
	sim->free_slots -= schedule_slots(&sim->schedule->jobs[number], sim->slots);
	indices_add(&sim->running, number);
}

/* Of those that wait for amounts, whoever has them now and a slot. */
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
		struct job_state *state = &sim->states[number];

		if (state->phase == QUEUED && fits(sim, number, reserved)) {
			state->phase = ENTITLED;
			count_amounts(&s->jobs[number], sim->taken, 1);
		}
		if (state->phase == ENTITLED &&
		    sim->free_slots >= schedule_slots(&s->jobs[number], sim->slots)) {
			start(sim, number);
			continue;
		}
		if (state->phase == QUEUED)
			count_amounts(&s->jobs[number], reserved, 1);
		sim->queue.v[kept++] = number;
	}
	sim->queue.n = kept;
	free(reserved);
}

/* Of the elastic jobs that run. */
static double
pace(const struct simulation *sim)
{
	size_t n = 0;

	for (size_t i = 0; i < sim->running.n; i++)
		n += sim->schedule->jobs[sim->running.v[i]].elastic;
	return schedule_pace(n, sim->free_slots);
}

/* If nothing else ends before. */
static double
end_of(const struct simulation *sim, size_t number, double pace)
{
	const struct schedule_job *job = &sim->schedule->jobs[number];
	const struct job_state *state = &sim->states[number];

	return job->elastic ? sim->now + state->left / pace : state->started + job->seconds;
}

/* To the next moment at which something ends. False when nothing runs any more. */
static bool
advance(struct simulation *sim)
{
	double fast = pace(sim), next;
	size_t kept = 0;

	if (sim->running.n == 0)
		return false;
	next = end_of(sim, sim->running.v[0], fast);
	for (size_t i = 1; i < sim->running.n; i++)
		next = fmin(next, end_of(sim, sim->running.v[i], fast));
	for (size_t i = 0; i < sim->running.n; i++)
		sim->states[sim->running.v[i]].left -= (next - sim->now) * fast;
	sim->now = next;
	for (size_t i = 0; i < sim->running.n; i++) {
		size_t number = sim->running.v[i];
		struct job_state *state = &sim->states[number];

		if (end_of(sim, number, fast) > next + EPSILON) {
			sim->running.v[kept++] = number;
			continue;
		}
		state->phase = ENDED;
		state->ended = next;
		sim->free_slots += schedule_slots(&sim->schedule->jobs[number], sim->slots);
		count_amounts(&sim->schedule->jobs[number], sim->taken, -1);
		for (size_t k = 0; k < state->after.n; k++)
			sim->states[state->after.v[k]].blockers--;
	}
	sim->running.n = kept;
	serve_queue(sim);
	return true;
}

/*
 * One way through the order. What is ready as make comes by gets the next free slot, and make waits
 * there until it has one; what gets ready behind its back waits for the next pass. Did any start?
 */
static bool
pass(struct simulation *sim)
{
	bool started = false;

	while (sim->first < sim->n && sim->states[sim->order[sim->first]].phase != PENDING)
		sim->first++;
	for (size_t i = sim->first; i < sim->n; i++) {
		size_t number = sim->order[i];
		struct job_state *state = &sim->states[number];

		if (state->phase != PENDING || state->blockers > 0)
			continue;
		while (sim->free_slots == 0)
			advance(sim);
		state->phase = QUEUED;
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
	struct simulation sim = { .schedule = s, .order = order, .n = n,
		.slots = slots, .free_slots = slots };

	sim.states = xcalloc(s->n, sizeof(*sim.states));
	sim.taken = xcalloc(s->nresources, sizeof(*sim.taken));
	for (size_t i = 0; i < n; i++)
		sim.states[order[i]].phase = PENDING;
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
		if (starts && sim.states[i].phase == ENDED)
			starts[i] = sim.states[i].started;
		if (ends && sim.states[i].phase == ENDED)
			ends[i] = sim.states[i].ended;
		free(sim.states[i].after.v);
	}
	free(sim.states);
	free(sim.taken);
	free(sim.queue.v);
	free(sim.running.v);
	return sim.now;
}
