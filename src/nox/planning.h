#ifndef NOXMK_NOX_PLANNING_H
#define NOXMK_NOX_PLANNING_H

/*
 * `noxmk plan`: asks nox what the noxfile says and writes plan.jsonl, sessions.mk and inputs.json
 * of the state folder. Works in the current folder, the project's. Files that would be the same
 * are not replaced.
 *
 * probe.py runs as a noxfile in nox's own interpreter. When it does not know the nox that it finds
 * there, the plan rests on `nox --list --json` (listing.h).
 */

#include "base/util.h"

struct planning_options {
	const char *share;       /* the folder of probe.py */
	/*
	 * Texts, of which NULL is what make has told by the variables NOXMK_TOLD_NOX, _NOXFILE and
	 * _RESERVED; without those what it was for the last plan; else what it usually is.
	 */
	const char *nox;         /* the user's command, in the shell's quotes */
	const char *noxfile;     /* relative to the current folder */
	const char *reserved;    /* words, see planner_make */
	bool only_if_stale;      /* do nothing if all that the last plan rests on is as it was */
};

/*
 * Returns 0, or after nox's own words its exit code (128+N for signal N) when the noxfile does not
 * load, or EXIT_USAGE or EXIT_HELPER after a warning. After a failure there is no plan any more:
 * nothing runs by an old one.
 */
int planning_run(const struct planning_options *);

/*
 * Warns people who look at the plan of that state folder if what it rests on is no more as it was,
 * so that a make would make it anew.
 */
void planning_warn_stale(int state);

#endif
