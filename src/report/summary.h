#ifndef NOXMK_REPORT_SUMMARY_H
#define NOXMK_REPORT_SUMMARY_H

/*
 * What a run has come to, made from the records in its folder. The functions return -1 after a
 * warning.
 */

#include <jansson.h>
#include <stdbool.h>

#include "plan/planfile.h"

/*
 * On standard output: the table of the goals' sessions and of all others with a record, the logs of
 * those that failed, unless screen_is_quiet, and a last line with the wall time and, where that is
 * known (plain.h), what plain nox would have taken. Nothing for a run without sessions. The same
 * goes into the run folder as JUnit XML (junit.h). state: the state folder. stopped: make ends
 * before all of them had their turn.
 */
int summary_print(int state, int rundir, struct planfile *, const json_t *goals, bool stopped);

/*
 * 0 when every session of the goal, and every one that these notified, passed, was skipped, or
 * waited for a skipped one; 1 when one failed or did not run, after a line on standard error that
 * names them.
 */
int summary_verdict(int rundir, struct planfile *, const char *goal);

/* Does summary_verdict give 0? Says nothing. */
bool summary_is_well(int rundir, struct planfile *, const char *goal);

#endif
