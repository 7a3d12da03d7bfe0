#ifndef NOXMK_ORDER_DISPATCH_H
#define NOXMK_ORDER_DISPATCH_H

/*
 * List scheduling (Graham, "Bounds for certain multiprocessing anomalies", 1966): whenever there is
 * a free slot, the most urgent job that may start does. make by itself does not work so
 * (simulate.h), but can be made to (cue.h).
 */

#include "order/schedule.h"

/*
 * When the last job ends, in seconds. urgency: all jobs, the most urgent first. sequence, starts: n
 * places for the caller: the jobs as they start, and when each does. A job that can never start
 * (of a cycle, or for more than there is of a resource) comes last and starts at the end.
 */
double dispatch(const struct schedule *, const size_t *urgency, unsigned slots, size_t *sequence,
    double *starts);

#endif
