#ifndef NOXMK_SESSION_ATTEMPT_H
#define NOXMK_SESSION_ATTEMPT_H

/*
 * One attempt at a session: its processes, its log, its verdict. When it is asked to end, and by
 * which signal, is the caller's decision (life.h):
 *
 *   attempt_start .. attempt_has_ended     poll and look; signal, pause and resume
 *   attempt_judge                          the verdict is known, and goes on record
 *   attempt_has_left .. attempt_is_cleared if it has left processes behind: poll, look, signal them
 *   attempt_close_log, attempt_free        after attempt_set_aside if another attempt follows
 */

#include <poll.h>

#include "output/mask.h"
#include "output/page.h"
#include "plan/planfile.h"
#include "session/ask.h"
#include "session/terminal.h"
#include "session/zygote.h"
#include "slots/sampler.h"
#include "slots/slot.h"
#include "state/record.h"

struct attempt;

/* All of it is borrowed until attempt_free. */
struct attempt_options {
	int rundir, runtime;        /* see runtime.h */
	const char *key, *target;   /* of the make; what its log, report and record are called by */
	const char *share;          /* the folder of shim.py and tools/ */
	char *const *posargs;       /* NULL-ended */
	bool recheck;               /* the CI has been told before what it tells it */
	bool live, alone;           /* show the output while it comes; and no other session's */
	bool only;                  /* no other session of this make runs */
	bool at_terminal;           /* both of these, and at the user's terminal, if there is one */
	struct planfile *plan;
	json_t *session;            /* its line of the plan */
	const struct slot *slot;    /* the slots that it holds */
	unsigned told;              /* processors that its tools are told of; 0: its slots */
	const struct makeflags *makeflags;
	struct page *page;          /* NULL: there is none */
	struct record *record;      /* is filled in as things become known */
	struct zygote_options fork;
	void (*forked)(void *data); /* see keeper.h */
	/*
	 * The verdict is in the record, which is to be written before anything else is done: the
	 * session was asked to end for the reason `stopped`, or NULL. Maybe called in the keeper.
	 */
	void (*judged)(void *data, const char *stopped);
	void *data;
};

/*
 * Starts it. NULL, with the verdict in the record, when that cannot be done. *mask: NULL before the
 * first attempt, which makes it; what one attempt declares to be secret is so for the next. It has
 * to live as long as the attempt, and is the caller's.
 */
struct attempt *attempt_start(const struct attempt_options *, struct mask **mask) UNUSED_RESULT;
void attempt_free(struct attempt *);

/* When it was started, in monotonic seconds; a pause shifts that. */
double attempt_begun(const struct attempt *);

/* The descriptor of its log, or -1. */
int attempt_log(const struct attempt *);

/*
 * Look when one of the descriptors is readable, and after that many milliseconds (-1: never) at the
 * latest: what the session has written is copied, and its sampler looks.
 */
enum { ATTEMPT_FDS = 3 + TERMINAL_FDS };
void attempt_poll(const struct attempt *, struct pollfd fds[ATTEMPT_FDS]);
int attempt_timeout(const struct attempt *);
void attempt_look(struct attempt *);

/* What its processes use. Borrowed. */
const struct sampler *attempt_sampler(const struct attempt *);

/* What the session asks; see ask.h. NULL: it cannot. Borrowed. */
struct ask *attempt_ask(const struct attempt *);

/* nox's report, with this result, cannot be written. */
void attempt_unreported(struct attempt *, const char *result);

/* It waits for an answer, for so many seconds so far: they do not count as its duration. */
void attempt_waited(struct attempt *, double seconds);

/* That child of ours, which was started meanwhile, is none of the session's. */
void attempt_ignore(struct attempt *, pid_t);

/* Signals the session's process group, and CONT as well: a stopped process cannot die. */
void attempt_signal(struct attempt *, int signal);

/* At the user's terminal: has ^Z asked for a stop of the whole job since the last call? */
bool attempt_suspends(struct attempt *);

/* And has ^C ended the session? Ask once it is judged. */
bool attempt_was_interrupted(const struct attempt *);

/* Stops all its processes. When they go on, the seconds in between do not count as its duration. */
void attempt_pause(struct attempt *);
void attempt_resume(struct attempt *, double seconds);

/* Has the session's own process ended? Then judge, once. */
bool attempt_has_ended(const struct attempt *);

/*
 * Puts verdict, reason, duration and what else is known of the session's own process into the
 * record. killed: what is left of its process group is killed.
 */
void attempt_judge(struct attempt *, bool killed);

/*
 * Once it is judged: are there processes that it has left behind and that may not stay? They are
 * named in the record and in a warning.
 */
bool attempt_has_left(struct attempt *);

/* Signals those and their descendants; are they gone? */
void attempt_signal_left(struct attempt *, int signal);
bool attempt_is_cleared(struct attempt *);

/*
 * Once it is judged: what still runs gets KILL once more and is not waited for. If it cannot be
 * ended (it is another user's, or traced, or the kernel keeps it), the record and a warning say so.
 */
void attempt_give_up(struct attempt *);

/* Writes the log's last line and closes it. */
void attempt_close_log(struct attempt *);

/*
 * Once the log is closed: the next attempt gets a clean record and log. The verdict moves to the
 * record's attempts, the log to TARGET.log.N.
 */
void attempt_set_aside(struct attempt *);

#endif
