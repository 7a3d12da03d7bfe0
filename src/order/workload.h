#ifndef NOXMK_ORDER_WORKLOAD_H
#define NOXMK_ORDER_WORKLOAD_H

/* Sessions of a plan as a schedule: what the plan says of each, and how long it took before. */

#include <jansson.h>

#include "order/schedule.h"
#include "state/history.h"

/* The sessions and the schedule's jobs have the same positions, in the order of the plan. */
struct workload {
	struct schedule schedule;
	json_t *sessions;  /* list of lines of the plan */
	json_t *positions; /* target -> position of its session */
	json_t *resources; /* name -> position of that resource; its keys are in that order */
};

/*
 * active: the sessions, as planfile_expand gives them. coarse: with durations rounded to two
 * digits, so that an order does not change with every few milliseconds. workload_free frees.
 */
struct workload *workload_new(const json_t *active, const struct history *, bool coarse)
    UNUSED_RESULT;
void workload_free(struct workload *);

/* The target of that job. It lives as long as the workload. */
const char *workload_target(const struct workload *, size_t job);

/* The job with that target, or NO_JOB. NULL is no target. */
size_t workload_find(const struct workload *, const char *target);

#endif
