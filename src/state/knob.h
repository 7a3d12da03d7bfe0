#ifndef NOXMK_STATE_KNOB_H
#define NOXMK_STATE_KNOB_H

/*
 * The knobs of nox.mk that tell the helper how to run sessions, by the names that their users know:
 * NOXMK_OUTPUT, NOXMK_JOBS, NOXMK_BUDGET, NOXMK_KEEP, NOXMK_DEADLINE, NOXMK_FLAKY,
 * NOXMK_HEARTBEAT, NOXMK_STATUS, FAIL_FAST, MAX_FAIL. See nox.mk(5).
 */

#include <stdbool.h>

#include "base/util.h"
#include "state/policy.h"

/* What is shown while sessions run: see NOXMK_OUTPUT in nox.mk(5). */
enum output { OUTPUT_AUTO, OUTPUT_BOARD, OUTPUT_STREAM, OUTPUT_PREFIX, OUTPUT_FAILED,
	OUTPUT_QUIET };

struct knobs {
	enum output output;
	unsigned jobs, keep; /* jobs: under `make -j` without a number; 0: the processors */
	double heartbeat;    /* seconds of silence after which a CI is told what runs; 0: never */
	bool no_status;      /* no session is told to the forge as a status of the commit */
	bool strict;         /* no session uses more than its job slots */
	struct policy policy;
};

/* Shall there be a board, if the terminal can? alone: only one session runs in this make. */
bool knobs_want_board(const struct knobs *, bool alone);

/* What holds where nothing is said. */
struct knobs knobs_default(void) UNUSED_RESULT;

/* The name of each knob, from 0 on; NULL behind the last one. */
const char *knob_name(size_t at);

/*
 * Sets the knob of that name. An empty value leaves it as it is. False, after a message that says
 * what it takes, when the value is none for it; also when there is no such knob.
 */
bool knob_set(struct knobs *, const char *name, const char *value);

#endif
