#ifndef NOXMK_TRIAL_RECHECK_H
#define NOXMK_TRIAL_RECHECK_H

/*
 * Is it the code or the parallelism? A session that failed while others ran is run once more at the
 * end of the run, alone. Its verdict stays; its record says what that has shown (company.h).
 */

#include <stdbool.h>

#include "plan/planfile.h"

struct recheck_options {
	int state, rundir;       /* descriptors of the state folder and the run folder */
	const char *key;         /* of the run */
	struct planfile *plan;
	double share;            /* of the run's time, for all of them: see knob.h */
};

/*
 * Rechecks the sessions of the run that failed in company, by a helper each, one after the other,
 * those that took least first; none while others still run. It ends early when somebody asks us to
 * end: then the rest has no recheck. A session may have removed the folders: they are made anew,
 * under the same descriptors.
 */
void recheck_run(const struct recheck_options *);

/* Has the run ended early, so that nothing is rechecked? */
bool recheck_is_too_late(int rundir);

#endif
