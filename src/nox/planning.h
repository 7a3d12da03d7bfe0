#ifndef NOXMK_NOX_PLANNING_H
#define NOXMK_NOX_PLANNING_H

/*
 * `noxmk plan`: asks nox what the noxfile says and writes .noxmk/plan.jsonl and .noxmk/sessions.mk.
 * Works in the current folder, the project's.
 *
 * The probe runs as noxfile in nox's own interpreter. Where it does not understand the nox it finds
 * (exit 97), `nox --list --json` is asked: names, tags and descriptions, but no requires=.
 *
 * Returns 0; or nox's own exit code, after its own words, when the noxfile does not load;
 * EXIT_HELPER after a warning of ours. On failure the old plan is gone: nothing runs by it.
 */

#include "base/util.h"

struct planning_options {
	const char *share;       /* the folder of probe.py */
	const char *noxfile;     /* as given; relative to the current folder */
	const char *inputs;      /* see rule_write */
	struct strings nox;      /* the words of NOX, without a NULL at the end */
	struct strings reserved; /* see planner_make */
};

int planning_run(const struct planning_options *);

#endif
