#ifndef NOXMK_TESTS_JOBS_H
#define NOXMK_TESTS_JOBS_H

/* Schedules for the suites of what makes and tries orders: written down, or at random. */

#include "order/schedule.h"

/*
 * "3 <0,1 x0 s1 2:2; 1": a job of 3 seconds that comes after the first two, uses the resource 0
 * alone, 1 together with others and 2 of resource 2; then one of 1 second. "?1" is one that is not
 * known, "~1" a client, "1 #2" takes two slots, and "1 *2" keeps two processors busy. capacities:
 * "1 1 4". schedule_drop frees.
 */
struct schedule *schedule_of(const char *jobs, const char *capacities);
void schedule_drop(struct schedule *);

/* What random schedules look like. Each resource is counted or for exclusive and shared use. */
struct variety {
	unsigned least, most;       /* jobs; where skewed, seldom more than a quarter of most */
	unsigned resources;         /* at most; of a counted one there are 4 */
	unsigned amount;            /* that one job takes of it, at most */
	unsigned claims, edges;     /* percent: of a job on each resource; an edge of each of n */
	unsigned slots;             /* that a job takes at most; 0 is 1 */
	bool skewed, backward;      /* backward: jobs may come after later ones, too */
};

struct schedule *schedule_random(const struct variety *, unsigned *seed);

/* From 0 to 1, without 1. */
double unit_random(unsigned *seed);

#endif
