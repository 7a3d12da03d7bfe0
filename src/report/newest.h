#ifndef NOXMK_REPORT_NEWEST_H
#define NOXMK_REPORT_NEWEST_H

/* For `noxmk log` and `noxmk why`: the run that is to be told of, for each of some targets. */

#include <stdbool.h>

struct newest {
	int state;
	const char *run;    /* for rundir_select; NULL: the newest with the file TARGET<suffix> */
	const char *suffix;
	bool awaits;        /* or which is to have it, as it goes on and runs the session */
	int (*print)(void *data, int rundir, const char *target);
	void *data;
};

/*
 * Calls print for each of the targets, NULL-ended, or, of a group, as of a session that is cut in
 * parts, for each of its members, one after the other. 0; 1 if there is no such run, after a
 * warning, or print has returned less than 0.
 */
int newest_print(const struct newest *, char *const *targets);

/*
 * Warns why no run tells of that target, by the plan of the state folder: it is a group, it is in
 * none of the runs, or it is no target at all.
 */
void newest_complain(int state, const char *target);

#endif
