#ifndef NOXMK_REPORT_TABLE_H
#define NOXMK_REPORT_TABLE_H

/* The records of a run, in the order in which people read of its sessions. */

#include <jansson.h>
#include <stdbool.h>

#include "plan/planfile.h"
#include "report/whole.h"

struct table {
	struct record *records;
	size_t n;
	json_t *sessions; /* target -> its line of the plan, of all of these that the plan has */
	struct wholes wholes; /* the same, with one for all parts of a session that is cut */
};

/* What is said of sessions without a record. */
enum table_of {
	TABLE_SO_FAR,  /* nothing: the run goes on */
	TABLE_ENDED,   /* why they have none */
	TABLE_STOPPED, /* the same, but make has not come to all of them */
	TABLE_OPEN,    /* that they have not ended yet: the run goes on */
};

/*
 * The records of the goals' sessions in the order of the plan, then all others: of sessions that
 * were notified, or that another goal of this make ran. 0, or -1 after a warning. table_clear
 * frees, after either.
 */
int table_read(struct table *, int rundir, struct planfile *, const json_t *goals, enum table_of);
void table_clear(struct table *);

/* Adds the record of that session, whose line of the plan that is, or NULL, without any wholes. */
void table_add(struct table *, int rundir, const char *target, const json_t *line, enum table_of);

/* What is to be said of those of this run: it goes on, has ended, or make was stopped. */
enum table_of table_progress(int rundir);

/*
 * The columns of a screen for the targets: as wide as the longest, but behind them so many are for
 * the fixed columns of the table, and, if it can be, for the text that ends a line.
 */
int table_names_width(const struct record *, size_t n, int fixed, int text);

/* The record of one session; one that says why there is none, if so. record_clear frees. */
struct record table_record(int rundir, const char *target, enum table_of) UNUSED_RESULT;

#endif
