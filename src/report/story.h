#ifndef NOXMK_REPORT_STORY_H
#define NOXMK_REPORT_STORY_H

/* One run as its reports tell of it: all that its folder says, and what follows from that. */

#include <jansson.h>
#include <stdbool.h>

#include "plan/planfile.h"
#include "report/lead.h"
#include "report/table.h"
#include "state/request.h"

struct story {
	int rundir;            /* the caller's */
	json_t *info;          /* the run info */
	struct planfile *plan;
	struct request request;
	enum table_of progress;
	struct table table;
	struct lead *leads;    /* of each record: what led to its start */
	struct indices path;   /* the critical path: records, the first one first */
	json_t *ongoing;       /* what runs now, of ongoing.h; empty unless the run goes on */
	json_t *overlaps;      /* where sessions met (audit/overlap.h); NULL: nobody watched */
	double started;        /* Unix time */
	unsigned jobs;         /* that make ran at once; 0: unknown */
	double wall;           /* seconds until the last session that has one ended, so far */
};

/*
 * Reads the run of that folder; story_open_as: one that has come so far, whatever its files say. 0,
 * or -1 after a warning where something is missing without which there is nothing to tell.
 * story_close frees, after either.
 */
int story_open(struct story *, int rundir);
int story_open_as(struct story *, int rundir, enum table_of progress);
void story_close(struct story *);

/* The run's name; "?" where its info has none that can be one. Borrowed. */
const char *story_name(const struct story *);

/* What is to be said of it: "running", "ended" or "stopped". */
const char *story_state(const struct story *);

/* When the session began or ended, in seconds from the run's start; 0 where that cannot be. */
double story_moment(const struct story *, double time);

/* How many machines have run it: more than one where their runs were merged. */
size_t story_machines(const struct story *);

/* Seconds that sessions waited for each resource: its name -> that. A new reference. */
json_t *story_resources(const struct story *) UNUSED_RESULT;

/*
 * The run that a user names: as rundir_select has it, or, by a word with a slash in it, the run
 * folder itself, wherever it is; NULL: the latest. state: the state folder, or -1 where there is
 * none. -1 after a warning; the caller closes.
 */
int story_find(int state, const char *which);

#endif
