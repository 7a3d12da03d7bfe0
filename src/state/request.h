#ifndef NOXMK_STATE_REQUEST_H
#define NOXMK_STATE_REQUEST_H

/*
 * What somebody wants of a make, as data: the user's text never stands on a recipe's command line,
 * where a shell would read it, and where it may be too long. It comes in two forms.
 *
 * make writes the first one, the file .request-WHAT-KEY in the state folder (WHAT: which helper is
 * to read it; KEY: makekey.h), a line a setting:
 *
 *   NOXMK_KEEP=20       a knob (knob.h), and so on for each; empty: its default
 *   unknown=NOXMK_KEPE  variables that begin as knobs do, and are none; no line if there are none
 *   known=NOX NOXMK …   all knobs; only behind that line
 *   typed=FAILFAST=1    what its command line sets, none of ours, that nobody is known to read
 *   plain=ARGS …        the names of ours that have no such beginning; only behind that line
 *   goals=ci lint       targets of this make
 *   left=docs           sessions of these goals that another machine runs (NOXMK_SHARD); no line
 *                       where there is no other
 *   own=check           goals of this make that are the makefile's own; no line where there is none
 *   sessions=1          how many are to run
 *   alone=lint          the only one of them; empty: there are others
 *   args=-k 'a b'       ARGS, to the end of the file, less the last line end
 *
 * `noxmk begin` checks that and leaves the second one, .request.json in the run folder, for all
 * other helpers of that make:
 *
 *   {"schema":1,"knobs":{"NOXMK_KEEP":"20"},"goals":["ci","lint"],"alone":"lint",
 *    "posargs":["-k","a b",{"hex":"e9"}],       words: word.h
 *    "processors":8,                            so many are ours: to find out takes a helper long
 *    "sessions":12,                             that are to run
 *    "left":["docs"],                           only with NOXMK_SHARD
 *    "own":["check"],                           only if there are any
 *    "busy":41.5}                               machine_busy, where that is known
 */

#include <jansson.h>
#include <stdbool.h>

#include "plan/secret.h"
#include "state/knob.h"

#define REQUEST_FILE ".request.json"

struct request {
	struct knobs knobs;
	json_t *goals;          /* a list */
	char *alone;            /* "" if there are several */
	struct strings posargs; /* the words of ARGS, which belong to the request */
	json_t *left;           /* a list; NULL: this machine runs all of the goals */
	json_t *own;            /* a list; only request_check knows */
	json_t *knob_texts;     /* the knobs as they were given */
	unsigned processors;    /* that we may use; only request_read knows */
	unsigned sessions;      /* that are to run */
	bool selects_nothing;   /* goals that have no session; only request_check knows */
};

/* { 0 } is an empty one, too. */
void request_clear(struct request *);

/*
 * Reads make's form and removes the file; others that dead makes have left go, too. NULL after a
 * warning; else the settings by name, a new reference.
 */
json_t *request_take(int state, const char *what, const char *key) UNUSED_RESULT;

/* The list of targets in that setting; a new reference. */
json_t *request_goals(const json_t *settings) UNUSED_RESULT;

/* NOXMK_JOBS in these, which request_check may yet refuse; 0: not set. */
unsigned request_jobs(const json_t *settings);

/* False after a message for each setting that is not understood. request_clear frees either way. */
bool request_check(const json_t *settings, struct request *);

/*
 * Can that JSON be of the second form, from wherever it comes? Its goals are what a plan could have
 * as targets, and so can be shown as they are.
 */
bool request_is_sound(const json_t *);

/* The second form, without secrets in ARGS (or NULL). 0, or -1 after a warning. */
int request_write(int rundir, const struct request *, const struct secrets *);
int request_read(int rundir, struct request *);

/* Did the sessions of that run get words of ARGS? False where that is not known. */
bool request_has_words(int rundir);

/*
 * The sessions that its goals run by the plan in the same folder, as planfile_expand has them: a
 * new reference. NULL after a warning: they are not known.
 */
json_t *request_active(int rundir) UNUSED_RESULT;

#endif
