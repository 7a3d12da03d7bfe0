#ifndef NOXMK_ORDER_SEARCH_H
#define NOXMK_ORDER_SEARCH_H

/*
 * Searches for the order in which jobs should go first where not all can: for want of slots, or on
 * a resource. First a few rules of thumb are tried, each the best for some schedules; then the best
 * of what they give is changed at random as long as that helps, with a bounded number of tries.
 */

#include "order/schedule.h"

/*
 * Writes the jobs by urgency, the most urgent first, so that dispatch() ends as early as we can
 * find for so many slots, and no later than with the jobs in the schedule's own order. The result
 * is the same for the same schedule. urgency: room for all jobs, the caller's.
 */
void search_urgency(const struct schedule *, unsigned slots, size_t *urgency);

#endif
