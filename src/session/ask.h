#ifndef NOXMK_SESSION_ASK_H
#define NOXMK_SESSION_ASK_H

/*
 * What a session asks its helper while it runs, over a socket between the two (socketpair(2), each
 * message a packet). shim.py asks, and waits for the answer, before the session does:
 *
 *   "command KIND N NAME"   run a command. NAME: its first word, without folders. KIND: wide, if it
 *                           is known to start N processes (0: as many as it is told); sibling, if
 *                           nothing is known of it, and several sessions run it; else plain
 *   "build"                 build the project where other sessions build it, too
 *   "built"                 no question: that is over
 *   "unreported RESULT"     no question: nox's report, in which RESULT would stand, cannot be
 *                           written
 *
 * The answer is "go N": N is what the command is to be told of processors; 0: nothing. "wait" comes
 * before it if there is something to wait for.
 */

#include <stdbool.h>

#include "base/util.h"

/* The descriptor by which the session finds the socket. */
enum { ASK_FD = 3 };

struct ask;

enum ask_kind { ASK_PLAIN, ASK_SIBLING, ASK_WIDE, ASK_BUILD, ASK_BUILT, ASK_UNREPORTED };

struct ask_question {
	enum ask_kind kind;
	unsigned processes; /* of a wide command; 0: as many as it is told */
	char name[64];      /* of the command; or the result */
};

/* NULL after a warning: then the session does all at once. ask_close frees. */
struct ask *ask_open(void) UNUSED_RESULT;
void ask_close(struct ask *);

/* The session's end, to be ASK_FD there; and, once it is started, to be closed here. */
int ask_other_end(const struct ask *);
void ask_started(struct ask *);

/* Readable when a question has come; -1 when there will be none: the session has closed its end. */
int ask_fd(const struct ask *);

/*
 * Takes the next message. False if there is none, or if it is no question. One at a time: a session
 * may write without end, and its helper has other things to look after.
 */
bool ask_next(struct ask *, struct ask_question *);
void ask_answer(struct ask *, unsigned processors);
void ask_hold(struct ask *);

#endif
