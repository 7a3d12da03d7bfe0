#ifndef NOXMK_ORDER_ORDER_H
#define NOXMK_ORDER_ORDER_H

/*
 * order.mk in the state folder, which only this module reads and writes besides make: the sessions
 * of some goals in the order by which a run ends early, judging by how long each of them took
 * before; the users of each resource in the same order; and the cues by which make keeps to that
 * order (cue.h).
 *
 *   _noxmk.order_for := -j4                     make's option, or -j and NOXMK_JOBS: each
 *                                               number has an order of its own
 *   _noxmk.order := build tests-3.12 lint
 *   _noxmk.resources := 0
 *   # database
 *   _noxmk.resource/0 := tests-3.12+ lint       + stands for exclusive use
 *   _noxmk.cued := lint
 *   _noxmk.cue/lint := build                    lint is due when build ends
 *   # end
 *
 * A resource stands there only if one session writes it and another one uses it. How make goes by
 * this file is told in nox.mk, which also checks it: it refuses a file with names of other kinds.
 */

#include <jansson.h>

#include "order/workload.h"

/*
 * Writes the order of the active sessions (planfile_expand), judging by the state folder's history.
 * A file that says so already is not touched, nor is any for less than two sessions, of which there
 * is only one order. jobs: as makeflags_read wants it. 0, or -1 after a warning.
 */
int order_write(int state, const json_t *active, unsigned jobs);

/*
 * The jobs of the workload in the order of order.mk; those that it lacks come last, as in nox.mk.
 * cues: room for all jobs, the caller's: for each its cue, or NO_JOB. Cues count only if order.mk
 * is for just these sessions. The caller frees the result.
 */
size_t *order_read(int state, const struct workload *, size_t *cues) UNUSED_RESULT;

/* The place of that target in order.mk, from 1; behind all that stand there if it has none. */
unsigned order_rank(int state, const char *target);

#endif
