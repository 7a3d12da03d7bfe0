#ifndef NOXMK_REPORT_SUMMARY_H
#define NOXMK_REPORT_SUMMARY_H

/*
 * What a run came to, made from the records on disk. run: the run's folder (rundir_open). All print
 * on standard output; they return -1 after a warning.
 */

#include <jansson.h>

#include "plan/planfile.h"

/*
 * The table of the goals' sessions and of those notified, the logs of the failed ones, and a last
 * line with the wall time, the sum of the sessions' times and how much faster that was.
 */
int summary_print(int run, struct planfile *, const json_t *goals);

/*
 * 0 when every session of the goal, and every one that these notified, passed, was skipped, or
 * waited for a skipped one; 1 when one failed or did not run, with one line on standard error that
 * names them; -1 as above.
 */
int summary_verdict(int run, struct planfile *, const char *goal);

/*
 * The file .well in the run's folder: those of the goals that summary_verdict calls well, in one
 * line. make reads it and spares them the verdict. Nothing is said of the others yet.
 */
int summary_mark_well(int run, struct planfile *, const json_t *goals);

/* Targets that sessions of this run have notified and that have no record: keys of an object. */
json_t *summary_notified(int run);

#endif
