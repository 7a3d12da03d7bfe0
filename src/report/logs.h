#ifndef NOXMK_REPORT_LOGS_H
#define NOXMK_REPORT_LOGS_H

/* `noxmk log`: the logs of some sessions, or of those that have failed. */

#include <stdbool.h>

#include "state/record.h"

struct logs_options {
	int state;
	const char *run;      /* for rundir_select, or NULL for the last one that has such a log */
	char *const *targets; /* NULL-ended */
	bool follows;         /* as they grow, by follow.h; else by joblog_print */
	bool raw;             /* see there */
};

/*
 * Prints the logs of these targets. Without any, those of the sessions of the run, or of the last
 * one, that make their goals fail, in the order of the summary, each behind a line that says whose
 * it is; or one line that none has failed. 0, 1 after a warning when there is no such run or log,
 * or it cannot be read, and EXIT_USAGE.
 */
int logs_print(const struct logs_options *);

/* The line in front of such a log. folder: the run folder's path. */
void logs_print_head(const struct record *, const char *folder);

#endif
