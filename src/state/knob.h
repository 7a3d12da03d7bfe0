#ifndef NOXMK_STATE_KNOB_H
#define NOXMK_STATE_KNOB_H

/*
 * The knobs of nox.mk that tell the helper how to run sessions, by the names that their users know:
 * NOXMK_OUTPUT, NOXMK_JOBS, NOXMK_BUDGET, NOXMK_KEEP, NOXMK_DEADLINE, NOXMK_FLAKY,
 * NOXMK_HEARTBEAT, NOXMK_STATUS, NOXMK_TERMINAL, NOXMK_RECHECK, NOXMK_REPORT, NOXMK_WATCH,
 * NOXMK_SHARD, NOXMK_FORK, FAIL_FAST, MAX_FAIL. See nox.mk(5).
 */

#include <stdbool.h>

#include "base/util.h"
#include "state/policy.h"

/* What is shown while sessions run: see NOXMK_OUTPUT in nox.mk(5). */
enum output { OUTPUT_AUTO, OUTPUT_BOARD, OUTPUT_STREAM, OUTPUT_PREFIX, OUTPUT_FAILED,
	OUTPUT_FINAL, OUTPUT_QUIET };

/* Times of the run that its rechecks may take: any number; what is usual, which a CI decides. */
#define RECHECK_ALL 1e9
#define RECHECK_UNSAID (-1.0)

/* Are sessions forked? Where that pays; also where it does not, and each waits until it can be. */
enum fork { FORK_NEVER, FORK_PAYING, FORK_ALWAYS };

/* The reports that are written at the end of a run: bits. JUnit always is. */
enum { REPORT_JUNIT = 1, REPORT_JSON = 2, REPORT_MD = 4, REPORT_TRACE = 8, REPORT_SVG = 16,
	REPORT_HTML = 32 };

struct knobs {
	enum output output;
	unsigned jobs, keep; /* jobs: under `make -j` without a number; 0: the processors */
	double heartbeat;    /* seconds of silence after which a CI is told what runs; 0: never */
	bool watch;          /* sessions are traced, and the end tells how they met */
	bool no_status;      /* no session is told to the forge as a status of the commit */
	bool no_terminal;    /* a session that runs alone has no terminal of its own either */
	bool strict;         /* no session uses more than its job slots */
	enum fork fork;
	unsigned reports;    /* of those */
	/*
	 * Sessions that failed beside others are run once more, alone, for at most that part of the
	 * run's time; 0: none is; RECHECK_ALL, RECHECK_UNSAID.
	 */
	double recheck;
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

/* The same without a message, for what was checked once; somebody may have changed it since. */
bool knob_recall(struct knobs *, const char *name, const char *value);

#endif
