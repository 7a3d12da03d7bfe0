#include <stdlib.h>

#include "order/running.h"

/* How often an interval of paces is halved: it is far less than a thousandth then. */
enum { BISECTIONS = 30 };

void
running_begin(struct running *r, const struct schedule *s, unsigned slots)
{
	*r = (struct running){ .schedule = s, .slots = slots, .free_slots = slots,
		.starts = xcalloc(s->n, sizeof(*r->starts)),
		.left = xcalloc(s->n, sizeof(*r->left)),
		.jobs = xcalloc(s->n, sizeof(*r->jobs)),
		.ended = xcalloc(s->n, sizeof(*r->ended)) };
	for (size_t i = 0; i < s->n; i++)
		r->starts[i] = -1;
}

void
running_free(struct running *r)
{
	free(r->starts);
	free(r->left);
	free(r->jobs);
	free(r->ended);
}

void
running_start(struct running *r, size_t job)
{
	r->free_slots -= schedule_slots(&r->schedule->jobs[job], r->slots);
	r->starts[job] = r->now;
	r->left[job] = r->schedule->jobs[job].seconds;
	r->jobs[r->n++] = job;
}

/* How many times as fast as with one slot each of the clients goes now. */
static double
pace_of_clients(const struct running *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->schedule->jobs[r->jobs[i]].client;
	return n > 0 ? 1 + (double)r->free_slots / (double)n : 1;
}

/* How fast jobs go now. 1: as fast as with the slots that they hold and all that they want. */
struct pace {
	double all, clients;
};

static double
demand_of(const struct running *r, const struct schedule_job *job, double pace_of_clients)
{
	if (job->client)
		return pace_of_clients;
	return r->schedule->processors > 0 ? job->demand : schedule_demand(job, r->slots);
}

/* A job that keeps less than one processor busy sleeps meanwhile, and is as fast at that. */
static double
slowed(double demand, double pace)
{
	return demand >= 1 ? pace : 1 / (1 - demand + demand / pace);
}

/* The processors that all keep busy at that pace of one who never sleeps. */
static double
used(const struct running *r, double pace, double pace_of_clients)
{
	double sum = 0;

	for (size_t i = 0; i < r->n; i++) {
		double demand = demand_of(r, &r->schedule->jobs[r->jobs[i]], pace_of_clients);

		sum += demand * slowed(demand, pace);
	}
	return sum;
}

/* So that they use the processors that there are. Where each is at work all the time: evenly. */
static double
pace_on(const struct running *r, double there, double wanted, double pace_of_clients)
{
	/* At that pace even those that sleep most use no more than there is. */
	double low = there / (wanted + (double)r->n), high = 1;

	if (r->schedule->processors == 0)
		return there / wanted;
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;

		if (used(r, middle, pace_of_clients) > there)
			high = middle;
		else
			low = middle;
	}
	return low;
}

static struct pace
pace_of(const struct running *r)
{
	struct pace pace = { 1, pace_of_clients(r) };
	double wanted = 0, there = r->schedule->processors;

	for (size_t i = 0; i < r->n; i++)
		wanted += demand_of(r, &r->schedule->jobs[r->jobs[i]], pace.clients);
	there = there > 0 ? there : r->slots;
	if (wanted > there + SAME_MOMENT) {
		pace.all = pace_on(r, there, wanted, pace.clients);
		pace.clients *= pace.all;
	}
	return pace;
}

static double
pace_of_job(const struct running *r, size_t job, struct pace pace)
{
	const struct schedule_job *it = &r->schedule->jobs[job];

	if (it->client)
		return pace.clients;
	return r->schedule->processors > 0 ? slowed(it->demand, pace.all) : pace.all;
}

/* When the job ends, if nothing else ends before. */
static double
end_of(const struct running *r, size_t job, struct pace pace)
{
	return r->now + r->left[job] / pace_of_job(r, job, pace);
}

bool
running_advance(struct running *r)
{
	struct pace pace = pace_of(r);
	double next;
	size_t kept = 0;

	r->nended = 0;
	if (r->n == 0)
		return false;
	next = end_of(r, r->jobs[0], pace);
	for (size_t i = 1; i < r->n; i++) {
		double end = end_of(r, r->jobs[i], pace);

		next = end < next ? end : next;
	}
	for (size_t i = 0; i < r->n; i++)
		r->left[r->jobs[i]] -= (next - r->now) * pace_of_job(r, r->jobs[i], pace);
	r->now = next;
	for (size_t i = 0; i < r->n; i++) {
		size_t job = r->jobs[i];

		if (end_of(r, job, pace) > next + SAME_MOMENT) {
			r->jobs[kept++] = job;
			continue;
		}
		r->free_slots += schedule_slots(&r->schedule->jobs[job], r->slots);
		r->ended[r->nended++] = job;
	}
	r->n = kept;
	return true;
}
