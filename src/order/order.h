#ifndef NOXMK_ORDER_ORDER_H
#define NOXMK_ORDER_ORDER_H

/*
 * order.mk: the sessions of some goals in the order that ends a run early, going by how long each
 * took before; in the same order the users of each resource; and the cues that it takes to have
 * make keep that order (cue.h).
 *
 *   _noxmk_order_for := -j4                     make's option; to another -j another order is best
 *   _noxmk_order := build tests-3.12 lint
 *   _noxmk_resources := 0
 *   # database
 *   _noxmk_resource/0 := tests-3.12+ lint       + stands for exclusive use
 *   _noxmk_cued := lint
 *   _noxmk_cue/lint := build                    lint is due when build ends
 *   # end
 *
 * Only resources of which a writer and another user are left. What nox.mk makes of it, it says;
 * it also knows which names may stand there, and refuses a file with others.
 */

#include <jansson.h>

#include "plan/planfile.h"

/*
 * For those sessions (planfile_expand), from .noxmk's history. Written only if it has changed, and
 * not for less than two, of which there is only one order. jobs: see makeflags_read. -1 after a
 * warning.
 */
int order_write(int state, const json_t *active, unsigned jobs);

/* The place of that session in order.mk; behind all of them if it has none. */
unsigned order_rank(int state, const char *target);

/* What is expected of one session of a run. */
struct order_line {
	const char *target;     /* borrowed from the active sessions */
	const json_t *session;  /* its line of the plan, likewise */
	const char *cue;        /* the target at whose end it is due, or NULL */
	size_t place;           /* in the order by which make chooses */
	double start, end;      /* seconds from the run's start */
	bool known;             /* or is that only what others take? */
};

/*
 * The active sessions (planfile_expand) as they will start, by order.mk and
 * history; n lines, which the caller frees; *wall: when the last one ends.
 */
struct order_line *order_expect(int state, const json_t *active, unsigned slots, double *wall);

#endif
