#ifndef NOXMK_SCHEDULE_H
#define NOXMK_SCHEDULE_H

/*
 * Sessions as jobs to be scheduled, and the order in which they should start: that decides which
 * one make starts first when several could, and who comes first on a resource. Pure.
 */

#include "plan.h"

struct schedule_claim {
	size_t resource;
	enum use use;
	long long amount;
};

struct schedule_job {
	double seconds;        /* expected */
	struct indices before; /* must have ended: requires and after, no cycle */
	struct schedule_claim *claims;
	size_t nclaims;
	bool wanted;           /* is it in the set that the order is made for? */
};

struct schedule {
	struct schedule_job *jobs;
	size_t n;
	long long *capacities; /* of each resource */
	size_t nresources;
};

/*
 * All jobs in an order that keeps `before` and ends those wanted (if none is: all) as early as we
 * can find for so many slots. The same for the same schedule. order: n places, for the caller.
 */
void schedule_order(const struct schedule *, unsigned slots, size_t *order);

#endif
