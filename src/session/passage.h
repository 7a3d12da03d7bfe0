#ifndef NOXMK_SESSION_PASSAGE_H
#define NOXMK_SESSION_PASSAGE_H

/*
 * What a session waits for while it runs: its commands at the gate (gate.h), and its builds of the
 * project for those of other sessions. Meanwhile its job slot is lent. It goes on as soon as it
 * may, and has the slot back when there is one. For a moment one session more than there are slots
 * may run, which the gate counts; but nobody who waits for a slot keeps a command waiting.
 */

#include <jansson.h>
#include <poll.h>

#include "session/ask.h"
#include "slots/sampler.h"
#include "slots/turn.h"
#include "state/learned.h"
#include "state/record.h"

struct passage;

struct passage_options {
	int state;             /* the state folder */
	const char *target;
	const char *function;  /* what all sessions of one function of the noxfile are called */
	struct turn *turn;     /* which the session has had */
	unsigned told;         /* processors that its tools are told of; 0: it waits for none */
	unsigned processors;   /* that there are */
	struct record *record; /* where it says what the session uses */
	unsigned (*rank)(void *data); /* the session's place in the order */
	const struct learned *learned; /* what earlier runs have taught of the session */
	bool (*suffices)(void *data, unsigned few); /* see share_suffices */
	void *data;
};

/* Borrows all of the options. passage_close ends what is waited for, and what is held. */
struct passage *passage_open(const struct passage_options *) UNUSED_RESULT;
void passage_close(struct passage *);

/*
 * The session asks. True if it may go on at once; else it waits, and passage_try is to be called
 * when the descriptor (-1: none) is readable, and after that many milliseconds at the latest, until
 * that is true. *told: the answer.
 */
bool passage_ask(struct passage *, const struct ask_question *, unsigned *told);
bool passage_try(struct passage *, unsigned *told);
int passage_fd(const struct passage *);
int passage_timeout(struct passage *);

/* What it waits for, in words for people. Borrowed. */
const char *passage_awaits(const struct passage *);

/* It has built. */
void passage_built(struct passage *);

/* It ends, or is asked to: it does not wait any more. */
void passage_give_up(struct passage *);

/* Nothing of it runs any more, or for a while. It may not have said that it has built. */
void passage_rest(struct passage *);

/*
 * What the sampler has seen, if it has looked since the last call, is told to the gate, and goes on
 * record.
 */
void passage_see(struct passage *, const struct sampler *);

/* It was stopped for so many seconds until now: in these nobody was in its way. */
void passage_suspended(struct passage *, double seconds);

/* What it has waited for: the list of record.h. A new reference. */
json_t *passage_waits(const struct passage *);

#endif
