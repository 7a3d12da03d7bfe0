#ifndef NOXMK_SLOTS_GATE_H
#define NOXMK_SLOTS_GATE_H

/*
 * The gate, where a command that may be wide waits until the processors that it needs are free. A
 * tool that is told all processors and waits is faster than one that is told fewer: waiting costs
 * nothing while others keep all of them busy, and being narrow is for ever. (A command is told of a
 * part beside others of its function, and where the run is known to end as early by that:
 * passage.c.)
 *
 * The helpers of one make share a table, .gate.now in the runtime folder: notes on commands, then
 * an entry for each session that runs, with the processors that it was seen to use, those that a
 * command of it may come to need, those that it uses at most from now on, and its function until a
 * wide command was let go.
 *
 * A command of a session goes if what the others use and what it needs is at most
 * max(2N - 1, N + 1) together, N being the processors. If its session was seen to run before, the
 * limit is max(1.75N - 1, N + 1), so that fewer workers wait for each other's processors. Else it
 * waits, and of those that wait the one of the lowest rank goes first. Sessions that have not begun
 * wait for those at the gate. Who waits uses nothing: so the first one waits only for those that
 * run, while most of N are used, or may be in a moment, and the others only for that, too. One that
 * waits, but whose helper is stopped, keeps nobody waiting. What a command was seen to use is what
 * sessions of the same function are taken to need.
 *
 * The owner of an entry keeps the lock of its bytes (fcntl(2), "open file description locks"), so
 * that entry ends with the last of its processes, helper or keeper. The table is only ever changed
 * by its owner, but for the mutex, the lock of the first byte, under which commands are let through
 * and notes are written one at a time.
 */

#include <stdbool.h>

#include "base/util.h"

struct gate;

/*
 * folder: the runtime folder, or the run folder. processors: N. NULL after a warning where nothing
 * can be shared: then everybody goes. gate_close ends the entry of this session.
 */
struct gate *gate_open(int folder, unsigned processors) UNUSED_RESULT;
void gate_close(struct gate *);

/* Who waits at the gate: the session has not begun, and is to let him go first. */
bool gate_is_awaited(const struct gate *);

/* Does any other session run? */
bool gate_has_company(const struct gate *);

/* The session begins: from now on it has an entry, and uses one processor. */
void gate_enter(struct gate *);

/*
 * The session is of that function of the noxfile, and its wide command is yet to come; with NULL it
 * has come. The second one counts the other sessions of that function whose command is yet to come.
 */
void gate_belong(struct gate *, const char *function);
unsigned gate_count_siblings(const struct gate *);

/* So many processors are in use by the session now. */
void gate_use(struct gate *, unsigned processors);

/* From now on the session uses so many at most; 0: nobody knows. */
void gate_use_at_most(struct gate *, unsigned processors);

/* Those that all other sessions use together. */
unsigned gate_load_of_others(const struct gate *);

/* What they use at most from now on; 0: that is not known of each, or there are none. */
unsigned gate_most_of_others(const struct gate *);

/* A command that asks to go. */
struct gate_need {
	unsigned processors; /* that it may use */
	bool known;          /* by an earlier run */
	double settles;      /* seconds after which those are seen that it does use */
	unsigned rank;       /* the lowest goes first */
};

/*
 * May it go? If not it waits now: try again soon. gate_leave: it waits no more, or has ended, and
 * what it might have needed does not count any more.
 */
bool gate_try(struct gate *, const struct gate_need *);
void gate_leave(struct gate *);

/* What the others used when it was tried last. */
unsigned gate_others(const struct gate *);

/*
 * What sessions of one function of the noxfile tell each other: a command that all of them run used
 * so many processors. subject: that function and command. gate_noted: the most that was told, 0 if
 * nothing was. Of more subjects than there is room for nothing is known.
 */
void gate_note(struct gate *, const char *subject, unsigned processors);
unsigned gate_noted(const struct gate *, const char *subject);

#endif
