#ifndef NOXMK_SESSION_ATTEMPT_H
#define NOXMK_SESSION_ATTEMPT_H

/*
 * One attempt at a session: its processes, what they write, and what nox reports. When it is asked
 * to end, and by what, is up to the caller (run.h).
 */

#include <poll.h>

#include "plan/planfile.h"
#include "slots/slot.h"
#include "state/record.h"

struct attempt;

struct attempt_options {
	int dir;                    /* the run's folder */
	const char *target, *share; /* share: of shim.py and tools/ */
	char *const *posargs;       /* NULL-ended */
	bool live;                  /* show its output */
	struct planfile *plan;
	json_t *session;            /* its line of the plan */
	const struct slot *slot;    /* what it holds */
	const struct makeflags *makeflags;
	struct record *record;      /* filled while it lives */
	void (*forked)(void *);     /* in the keeper, with data: see keeper.h */
	void *data;
};

/* NULL, with the verdict in the record, when it cannot be started. attempt_free frees. */
struct attempt *attempt_start(const struct attempt_options *) UNUSED_RESULT;
void attempt_free(struct attempt *);

/* What to wait for, and for how many milliseconds at most (-1: for ever). Then look. */
enum { ATTEMPT_FDS = 3 };
void attempt_poll(const struct attempt *, struct pollfd fds[ATTEMPT_FDS]);
int attempt_timeout(const struct attempt *);
void attempt_look(struct attempt *);

/* To all its processes, with CONT, since those that are stopped cannot die. */
void attempt_signal(struct attempt *, int signal);

/* Stops all its processes, or lets them go on. */
void attempt_pause(struct attempt *, bool pause);

/* So many seconds do not count. */
void attempt_shift(struct attempt *, double seconds);

/* Its log, or -1. */
int attempt_log(const struct attempt *);

/* Has the session's own process ended? */
bool attempt_has_ended(const struct attempt *);

/*
 * Then this judges it: verdict, reason, duration and so on go into the record. killed: nobody else
 * of its group is to live on.
 */
void attempt_judge(struct attempt *, bool killed);

/* Does anything run that it has started? Names that in the record; false where that is allowed. */
bool attempt_has_left(struct attempt *);
/* Not since then. */
bool attempt_is_cleared(struct attempt *);
void attempt_signal_left(struct attempt *, int signal);

/* The end of its log. */
void attempt_close_log(struct attempt *);

#endif
