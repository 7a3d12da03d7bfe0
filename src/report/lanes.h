#ifndef NOXMK_REPORT_LANES_H
#define NOXMK_REPORT_LANES_H

/*
 * Where sessions are drawn on a timeline: in lanes, from 0 on, in each of which one begins after
 * the other has ended. As few as can be: as many as ran at once at some time, of each machine.
 */

#include <stddef.h>
#include <stdint.h>

#include "report/table.h"

/* In the place of a lane where there is none: the session has not run. */
#define NO_LANE SIZE_MAX

/* From when to when something is drawn. */
struct span {
	double from, to;
};

/* Writes the lane of each of n spans; one that ends before it begins has none. */
void lanes_assign(const struct span *, size_t n, size_t *lanes);

/*
 * The lane of each record. Those of a machine are one behind the other, in the order in which the
 * table first has one of it. The caller frees.
 */
size_t *lanes_of(const struct table *) UNUSED_RESULT;

#endif
