#ifndef NOXMK_REPORT_LEAD_H
#define NOXMK_REPORT_LEAD_H

/*
 * What led to the start of each session of a run: what it waited for, how long, and which session
 * had to end first. From these links a run's critical path is put together: the chain of sessions,
 * each of which could not start before the last one had ended, that ends when the run does.
 */

#include <stdbool.h>
#include <stdint.h>

#include "report/table.h"

/* What a session can wait for: others' ends by make's edges, the rest by its record. */
enum wait_kind { WAIT_EDGE, WAIT_SLOT, WAIT_RESOURCE, WAIT_MEMORY, WAIT_BUILD, WAIT_PROCESSORS,
	WAITS };

/*
 * More seconds were not measured: some clock was set, or a file is not what it was. So no sum of
 * them leaves the numbers that there are.
 */
#define LEAD_LONGEST 1e8

/* In the place of a record where there is none. */
#define NO_RECORD SIZE_MAX

struct lead {
	double seconds[WAITS]; /* waited for each; WAIT_BUILD and WAIT_PROCESSORS while it ran */
	size_t edge;           /* the record whose end an edge made it wait for, or NO_RECORD */
	char *what, *by;       /* of that edge: see cause.h; NULL without one */
	size_t before;         /* the record whose end it last waited for, or NO_RECORD */
	enum wait_kind last;   /* for what: WAIT_EDGE, WAIT_SLOT or WAIT_RESOURCE */
};

/* The word of a record's wait, as in record.h; "edge" for the first one. */
const char *wait_kind_name(enum wait_kind);

/* For people: "a job slot". */
const char *wait_kind_words(enum wait_kind);

/* Has it run, by times that can be? */
bool lead_has_run(const struct record *);

/* Seconds from the start of the run to its end; 0 if the times cannot be. */
double lead_end(const struct record *, double run_started);

/* Seconds of the run, until the last session ended: what follows them is not theirs. */
double lead_wall(const struct table *, double run_started);

/* Seconds that it waited for anything but edges. */
double lead_waited(const struct lead *);

/* One for each record of the table. run_started: Unix time. leads_free frees. */
struct lead *leads_new(const struct table *, double run_started) UNUSED_RESULT;
void leads_free(struct lead *, size_t n);

/* Seconds that it took after that moment: what was before was another one's. */
double lead_after(const struct record *, double moment);

/* The critical path, the first session first. The caller frees what it holds. */
struct indices leads_path(const struct table *, const struct lead *) UNUSED_RESULT;

#endif
