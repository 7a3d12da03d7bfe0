#ifndef NOXMK_NOX_PLANNING_H
#define NOXMK_NOX_PLANNING_H

/*
 * `noxmk plan`: asks nox what the noxfile says and writes plan.jsonl and sessions.mk.
 * Works in the current folder, the project's.
 *
 * probe.py runs as a noxfile in nox's own interpreter. When it does not know the nox that it finds
 * there, the plan rests on `nox --list --json` (listing.h).
 */

#include "base/util.h"

struct planning_options {
	const char *share;       /* the folder of probe.py */
	const char *noxfile;     /* as given; relative to the current folder */
	const char *inputs;      /* see rule_write */
	struct strings nox;      /* the words of NOX */
	struct strings reserved; /* see planner_make */
};

/*
 * Returns 0, or after nox's own words its exit code (128+N for signal N) when the noxfile does not
 * load, or EXIT_HELPER after a warning. On failure there is no plan any more: nothing runs by an
 * old one.
 */
int planning_run(const struct planning_options *);

#endif
