#ifndef NOXMK_PLAN_COUPLING_H
#define NOXMK_PLAN_COUPLING_H

/*
 * Sessions that lean on being one process, in one order, as they are under nox: one assigns a
 * global variable, or leaves files, and one behind it reads that, which the noxfile's code shows
 * (struct facts_tie) though nothing declares it. Such a session keeps its place behind the others,
 * and takes their variables (nox/handover.py), until the configuration says after or needs of it.
 */

#include "plan/plan.h"

/*
 * Adds the order to a plan that has all other edges, and a note for people on each pair of default
 * sessions, with the line that declares it.
 */
void coupling_apply(struct plan *);

#endif
