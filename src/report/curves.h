#ifndef NOXMK_REPORT_CURVES_H
#define NOXMK_REPORT_CURVES_H

/* Below the lanes of a timeline: how many sessions ran at each time, and how many waited. */

#include "report/plot.h"
#include "report/story.h"

/* Draws both, one below the other; where none has waited, only the first. */
void curves_add(struct plot *, const struct story *);

#endif
