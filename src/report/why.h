#ifndef NOXMK_REPORT_WHY_H
#define NOXMK_REPORT_WHY_H

/*
 * Why a session started when it did: worked out from the records of a run and the plan that it
 * went by. What make itself decides is not on record, so a session's edges are taken from the plan
 * (requires, after, resources in common) and from who had ended by the time its helper began; what
 * is left until then is the time that make had no job slot for it.
 */

/* On standard output. run: the run's folder. -1 after a warning when there is no record. */
int why_print(int run, const char *target);

#endif
