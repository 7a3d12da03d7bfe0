#ifndef NOXMK_REPORT_SUMMARY_H
#define NOXMK_REPORT_SUMMARY_H

/*
 * What a run has come to, made from the records in its folder. The functions return -1 after a
 * warning.
 */

#include <jansson.h>
#include <stdbool.h>

#include "plan/planfile.h"
#include "report/markdown.h"
#include "report/remark.h"

struct summary {
	int state, rundir;     /* descriptors of the state folder and the run folder */
	struct planfile *plan;
	const json_t *goals;   /* a list */
	bool stopped;          /* make ends before all of them had their turn */
	bool hints;            /* it may be told how to find out more */
	bool is_strict;        /* a report that cannot be written is a failure */
	bool annotated;        /* what tools have found has been told to the CI */
	unsigned reports;      /* those to be written besides: see report_write */
};

/*
 * On standard output: the table of the goals' sessions and of all others with a record, the logs of
 * those that failed, unless screen_is_quiet, and a last line with the wall time and, where that is
 * known (plain.h), what plain nox would have taken. Nothing for a run without sessions. The same
 * goes into the run folder as JUnit XML (junit.h).
 */
int summary_print(const struct summary *);

/*
 * The line that counts: "3 sessions: 2 passed, 1 failed; …". The caller frees.
 */
char *summary_total(const struct remarks *) UNUSED_RESULT;

/* The rows of the table in Markdown. */
void summary_fill(struct markdown *, const struct remarks *);

/*
 * 0 when every session of the goal, and every one that these notified, passed, was skipped, or
 * waited for a skipped one; 1 when one failed or did not run, after a line on standard error that
 * names them.
 */
int summary_verdict(int rundir, struct planfile *, const char *goal);

/* Does summary_verdict give 0? Says nothing. */
bool summary_is_well(int rundir, struct planfile *, const char *goal);

#endif
