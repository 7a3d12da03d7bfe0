#ifndef NOXMK_SESSION_PROGRESS_H
#define NOXMK_SESSION_PROGRESS_H

/*
 * How far a run has come: what its helpers tell of themselves (now.h), its records, its plan and
 * what earlier runs have taught become a board (board.h).
 */

#include "output/board.h"
#include "state/now.h"

struct progress;

struct progress_options {
	int state, rundir, runtime; /* runtime: -1 if there is none (any more) */
	int table;                  /* see now.h; -1: there is none (any more) */
	bool ended;                 /* the run has */
	unsigned total;             /* sessions, where the plan is not to be read; else 0 */
	struct now *own;            /* of the helper who looks, which tells others; or NULL */
};

/*
 * To read the whole plan, and all of the history, takes as long as to run a short session. Without
 * that, only what sessions tell themselves is known: nothing of those that make has not started.
 *
 * Borrows all of the options. NULL after a warning. progress_close frees.
 */
struct progress *progress_open(const struct progress_options *) UNUSED_RESULT;
void progress_close(struct progress *);

/*
 * The run as it is now. most: of so many sessions that run the last line of output is read. All of
 * the board lives until the next call.
 */
void progress_look(struct progress *, size_t most, struct board *);

#endif
