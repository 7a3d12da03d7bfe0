#ifndef NOXMK_SESSION_LIFE_H
#define NOXMK_SESSION_LIFE_H

/*
 * The life of a session, which is a state machine with one event loop. The session waits for its
 * turn and runs, maybe in several attempts, and maybe waits in between (passage.h). It is asked to
 * end by a signal, by the end of make or of the run (policy.h), or by its time limit: with INT,
 * then TERM, then KILL. Processes that it leaves behind are ended as well.
 */

#include <stdbool.h>

#include "base/parent.h"
#include "session/attempt.h"
#include "session/drawer.h"
#include "session/passage.h"
#include "slots/turn.h"
#include "state/now.h"

struct life_options {
	const struct attempt_options *attempt; /* of all attempts */
	struct turn *turn;    /* what the session waits for */
	struct passage *passage; /* and what it waits for once it runs */
	struct now *now;      /* where it tells what it does */
	struct drawer *drawer; /* and what shows what all of them do */
	const struct parent *parent;
	int signals;          /* the descriptor of sig_open */
	double timeout, slow; /* seconds until an attempt is ended, is called slow; 0: never */
	unsigned retries;     /* how many attempts may follow one that fails */
	struct heartbeat *heartbeat; /* NULL: there is none */
	double run_ends;      /* the monotonic second at which the run has to be over; 0: never */
};

struct life_end {
	char *stopped;  /* why the session was asked to end, or NULL; the caller frees */
	bool judged;    /* its last attempt's verdict was made known with that: it stands */
	bool signalled; /* a signal was among those that asked */
	bool tried;     /* nox was started at least once */
};

/*
 * Returns when the session has ended, or has been asked to end while it waited. The record of the
 * attempt's options then has the last attempt's verdict, if there was one (outcome.h).
 */
struct life_end life_lead(const struct life_options *) UNUSED_RESULT;

#endif
