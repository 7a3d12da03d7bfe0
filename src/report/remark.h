#ifndef NOXMK_REPORT_REMARK_H
#define NOXMK_REPORT_REMARK_H

/* What is said of a session behind its time, in the summary. */

#include <stdbool.h>

#include "report/table.h"
#include "state/history.h"

/* The share of a run from which on time that was lost is worth a word. */
#define REMARK_NOTEWORTHY 0.1

struct remarks {
	const struct table *table;
	const struct history *history; /* of the runs before this one */
	double wall;                   /* seconds of the run */
	bool goes_on;                  /* it does: these are seconds so far */
};

/*
 * Its reason, and what its recheck has shown; then whether it is flaky, slow, or has leaked a
 * process; and without a reason that it waited long for processors. NULL: nothing. The caller
 * frees.
 */
char *remark_of(const struct remarks *, const struct record *) UNUSED_RESULT;

/* Did it leave a process behind, and was not stopped itself? */
bool remark_has_leaked(const struct record *);

/*
 * Has it taken as long as its `slow` says? Or has it passed, but took more than twice its usual
 * time, and some seconds more, which it did not lose to others?
 */
bool remark_is_slow(const struct remarks *, const struct record *);

#endif
