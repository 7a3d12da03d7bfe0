#ifndef NOXMK_ORDER_DISPATCH_H
#define NOXMK_ORDER_DISPATCH_H

/*
 * List scheduling (Graham, "Bounds for certain multiprocessing anomalies", 1966): whenever a slot
 * is free, the most urgent of the jobs that may start takes it. make by itself does not work so
 * (simulate.h), but cues bring it to do so (cue.h).
 */

#include "order/schedule.h"

/*
 * Returns when the last job ends. urgency: all jobs, the most urgent first. sequence, starts: room
 * for all jobs, the caller's: the jobs as they start, and when each job starts. A job that can
 * never start (it is part of a cycle, or wants more than there is of a resource) comes last and
 * starts at the end.
 */
double dispatch(const struct schedule *, const size_t *urgency, unsigned slots, size_t *sequence,
    double *starts);

#endif
