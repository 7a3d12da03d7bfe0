#ifndef NOXMK_REPORT_CAUSE_H
#define NOXMK_REPORT_CAUSE_H

/*
 * The last thing that a session waited for before make could start its helper: the end of another
 * one that it requires, comes after, or shares a resource with, or that it was due behind.
 */

#include <jansson.h>

#include "state/record.h"

struct cause {
	char *target; /* NULL: it waited for nobody */
	double ended; /* Unix time */
	char *what;   /* "it requires lint" */
	char *by;     /* what declares that, for people */
};

/*
 * Is the other session, of that record, the cause, or else the one so far? session, other: their
 * lines of the plan; cue: from the session's record, or NULL. cause_clear frees.
 */
void cause_consider(struct cause *, const json_t *session, const char *cue, const json_t *other,
    const struct record *);
void cause_clear(struct cause *);

/* Clocks are read a little late: who ended so many seconds after that time is a cause, too. */
#define CAUSE_LATE 0.05

/* Seconds from the start of its first attempt to that of the last one, which is the record's. */
double cause_tried(const struct record *);

/* When make could start the helper of that session, in Unix time. */
double cause_ready(const struct record *);

#endif
