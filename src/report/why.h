#ifndef NOXMK_REPORT_WHY_H
#define NOXMK_REPORT_WHY_H

/*
 * Why a session started when it did: worked out from the records of a run and the plan that it
 * went by. What make decides is on no record. So what the session waited for in make is sought in
 * the plan (requires, after, resources in common) among those that had ended when its helper began;
 * for the rest of that time make had no job slot for it.
 */

/*
 * For newest.h: prints it on standard output. Of a session that has no record yet, in a run that
 * goes on, what it does now, and then all of its last run. data: an int, the state folder. 0, or -1
 * after a warning when there is nothing to tell.
 */
int why_print(void *data, int rundir, const char *target);

#endif
