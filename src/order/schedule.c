#include <stdlib.h>

#include "order/schedule.h"

unsigned
schedule_slots(const struct schedule_job *job, unsigned slots)
{
	if (job->slots < 2)
		return 1;
	return job->slots < slots ? job->slots : slots;
}

double
schedule_demand(const struct schedule_job *job, unsigned slots)
{
	double least = schedule_slots(job, slots), demand = job->demand;

	return demand <= least ? least : demand < slots ? demand : slots;
}

struct indices *
schedule_followers(const struct schedule *s)
{
	struct indices *followers = xcalloc(s->n, sizeof(*followers));

	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->jobs[i].before.n; k++)
			indices_add(&followers[s->jobs[i].before.v[k]], i);
	return followers;
}

void
schedule_free_followers(const struct schedule *s, struct indices *followers)
{
	for (size_t i = 0; i < s->n; i++)
		free(followers[i].v);
	free(followers);
}

void
schedule_clear(struct schedule *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->jobs[i].before.v);
		free(s->jobs[i].claims);
	}
	free(s->jobs);
	free(s->capacities);
	*s = (struct schedule){ 0 };
}
