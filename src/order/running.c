#include <stdlib.h>

#include "order/running.h"

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

static struct pace
pace_of(const struct running *r)
{
	struct pace pace = { 1, pace_of_clients(r) };
	double wanted = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct schedule_job *job = &r->schedule->jobs[r->jobs[i]];

		wanted += job->client ? pace.clients : schedule_demand(job, r->slots);
	}
	if (wanted > r->slots + SAME_MOMENT) {
		pace.all = r->slots / wanted;
		pace.clients *= pace.all;
	}
	return pace;
}

static double
pace_of_job(const struct running *r, size_t job, struct pace pace)
{
	return r->schedule->jobs[job].client ? pace.clients : pace.all;
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
