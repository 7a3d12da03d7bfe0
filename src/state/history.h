#ifndef NOXMK_STATE_HISTORY_H
#define NOXMK_STATE_HISTORY_H

/*
 * How long each session takes, from its last runs that passed, and what else they have taught:
 *
 *   history.json   {"schema":1,"sessions":{"lint":[1.25,1.5],"tests-3.12":[20.1]},
 *                   "clients":["build"],"worded":["docs"],
 *                   "learned":{"lint":{"told":2,"width":1,…},…},
 *                   "machine":{"seconds":[41.5,39.9],"processors":4},"skipped":{"tests-3.9":0.4}}
 *
 * For each session its seconds, the newest last. clients: the sessions whose tools took part in
 * make's jobserver when they ran last. How long these take depends on how many slots are free, so
 * their processor seconds count where these are more. worded: the sessions that have only passed
 * with words of ARGS so far, which may make them do less. What they do without counts as soon as it
 * is known, and from then on nothing else. learned: see learned.h. machine: what several machines
 * took besides, a number a run of them all, and how many processors the smallest had in the last
 * one. skipped: the sessions that were when they ran last, and the seconds of that. The
 * environment's NOXMK_HISTORY names a second file of that format, from a CI cache or under version
 * control, which counts for targets that the first one lacks. A file with another schema is
 * somebody newer's, and stays as it is.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"
#include "state/learned.h"
#include "state/machine.h"
#include "state/record.h"

#define HISTORY_NAME "history.json"

struct history;

/*
 * A file that cannot be used is warned of and counts as empty. state: -1 where there is no state
 * folder, of which nothing is known then. history_free frees.
 */
struct history *history_load(int state) UNUSED_RESULT;

/* The same without a warning: while sessions run, whoever made their order has warned of it. */
struct history *history_look(int state) UNUSED_RESULT;
void history_free(struct history *);

/*
 * Takes out what the last run of that session has added, if that is the run of the record: so no
 * run is compared with itself. The file stays as it is.
 */
void history_forget(struct history *, const struct record *);

/* What is expected of one session. */
struct expectation {
	double seconds; /* the median of its runs; without any, that of all sessions, or 1 */
	bool known;     /* it has passed before */
	bool client;    /* its tools use make's jobserver; the seconds are those with one slot */
};

struct expectation history_expect(const struct history *, const char *target);

/* The seconds of a session that was skipped when it ran last, and may be again; or -1. */
double history_skipped(const struct history *, const char *target);

/*
 * The seconds that a session usually takes, or -1: not known. For those who look up one: of the
 * files only its own list is parsed, and what cannot be read is not warned of.
 */
double history_usual(int state, const char *target);

/* The same as learned_of, for those who look up many. learned_clear frees. */
struct learned history_learned(const struct history *, const char *target) UNUSED_RESULT;

/* Can a session take so many seconds? More, or fewer than none, are nonsense. */
bool history_is_time(double seconds);

/*
 * Adds what has passed in the run of that folder. True when that has changed what is expected of a
 * session by so much that another order may be better, or when a session has passed, or was
 * skipped, for the first time. A file that cannot be written is warned of; then nothing changes.
 */
bool history_update(int state, int rundir);

/* The same of a run of several machines, and what these were like. 0, or -1 after a warning. */
int history_update_merged(int state, int rundir, const struct machine *);

/* What is known of the machines. */
struct machine history_machine(const struct history *);

#endif
