#ifndef NOXMK_STATE_RUNDIR_H
#define NOXMK_STATE_RUNDIR_H

/*
 * The run folders in the state folder, one for each run. Such a folder's descriptor is called
 * `rundir` everywhere.
 *
 *   runs/20261123T011828.250Z-c0ffee01/   a run: when it began, in UTC, and the random word of
 *                                         its make; so these names sort by age
 *     .run.json                           the run info: {"schema":1,"run","make","where",
 *                                         "jobs","started","clock"}: its name, the key of its make
 *                                         and where that counts (makekey.h), make's -j, null
 *                                         without a number, and when it began, by both clocks
 *                                         (clock.h); "commit", if that is known; "audit", the
 *                                         word of the audit that has started that make, if one has
 *     plan.jsonl                          the plan that it started with
 *     TARGET.log, TARGET.json             one of each for a session (joblog.h, record.h)
 *     TARGET.trace                        what it has touched, if that was asked for (trace.h)
 *     .TARGET.report                      what nox said of it (nox/noxreport.h)
 *     .TARGET.globals                     what it hands on to others (nox/handover.py)
 *     .TARGET.notified, .TARGET.room      record.h
 *     .overlaps.json                      where sessions met, if it was watched (audit/overlap.h)
 *     .halt, .alive                       policy.h, rundir_enter
 *     .queue.now, .sessions.now           queue.h, now.h, where there is no runtime folder
 *   runs/.make-4711-9876-c0ffee01         "20261123T011828.250Z-c0ffee01\n": the run of the make
 *                                         with that key
 *   runs/.well-4711-9876-c0ffee01-ci      an empty file: that goal of that make is well. For make,
 *                                         which does not open it (nox.mk)
 *   latest -> runs/…                      the newest, for people, where links are to be had
 *
 * Functions that return a descriptor return -1 after a warning; the caller closes.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

/* How the names of the files in runs/ begin that name the goals of a make that are well. */
#define RUNDIR_WELL ".well-"

/* The run info, without which there is no run. */
#define RUNDIR_INFO ".run.json"

/* Opens the folder of a make's run, or of the latest one when key is NULL. */
int rundir_open(int state, const char *key);

/*
 * Opens the one that a user names: by the key of its make, by its own name, as "latest", or as
 * "-2", the one before that.
 */
int rundir_select(int state, const char *which);

/* As rundir_open for a make, but where it has no run errno is ENOENT and nothing is printed. */
int rundir_find(int state, const char *key);

/* The name of that make's run by runs/.make-…, or NULL. The caller frees. */
char *rundir_name_of(int state, const char *key) UNUSED_RESULT;

/* A name for a new run of that make. The caller frees. */
char *rundir_new_name(const char *key) UNUSED_RESULT;

/* The path of that run folder, for people and for what takes no descriptor. The caller frees. */
char *rundir_path(const char *name) UNUSED_RESULT;

/*
 * The names of the runs that are kept, oldest first: a JSON list. And one of these runs;
 * rundir_find_named prints nothing, and errno is set.
 */
json_t *rundir_list(int state);
int rundir_open_named(int state, const char *name);
int rundir_find_named(int state, const char *name);

/*
 * A folder, of a run maybe, by a path that somebody has given: no link is followed, also not by a
 * slash at the end, but latest of a state folder to the run that it names. -1 with errno set.
 */
int rundir_open_path(const char *path);

/* Opens the newest run folder of which that is true; -1 without a warning if there is none. */
int rundir_newest_that(int state, bool (*is)(void *data, int rundir), void *data);

/* This file is there when the end of the run has been summed up; it says if make was stopped. */
#define RUNDIR_ENDED ".ended"

/* Makes that file, if it can be. was_stopped: make was, before it came to all sessions. */
void rundir_mark_ended(int rundir, bool was_stopped);

/* Does it say so? */
bool rundir_was_stopped(int rundir);

/* Has the end of that run been marked? */
bool rundir_has_ended(int rundir);

/* Has it such a file of that target: TARGET and the suffix, as in "lint.log"? */
bool rundir_has(int rundir, const char *target, const char *suffix);

/* And this one has the exit status of make, where somebody has noted it: noxmk(1), merge. */
#define RUNDIR_STATUS ".status"

/* The variable by which an audit tells the makes that it starts its word. */
#define RUNDIR_AUDIT "NOXMK_AUDIT"

/* Opens the run of the make that got that word; -1 without a warning if there is none. */
int rundir_of_audit(int state, const char *word);

/* The run info: a new reference, or NULL after a warning. */
json_t *rundir_info(int rundir);

/* Writes the info of a new run. 0, or -1 after a warning. */
int rundir_write_info(int rundir, const char *name, const char *key);

/*
 * May the make of that run still run? It does while somebody is at work there. Else its process
 * tells, but only to those who see that: of a make elsewhere, in another container maybe, it is
 * only sure that it has ended when nothing has been written there for a day.
 */
bool rundir_may_live(int rundir);

/* Is the make of that run known to be dead? Not if it is of another machine or container. */
bool rundir_has_lost_make(int rundir);

/* Has nothing been written for a day to the folder of that name, "" for that itself? */
bool rundir_is_old(int dirfd, const char *name);

/*
 * While we hold this descriptor (or a keeper does, which has inherited it) we are at work in the
 * run folder. -1 when that cannot be, which is not warned of, since little depends on it.
 */
int rundir_enter(int rundir);

/* Is somebody, or can that not be known? Of those who could not enter nothing is known. */
bool rundir_is_entered(int rundir);

/* Is nobody else at work there? To be asked once, at the end: then we are not any more. */
bool rundir_is_left(int entered);

#endif
