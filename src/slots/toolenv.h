#ifndef NOXMK_SLOTS_TOOLENV_H
#define NOXMK_SLOTS_TOOLENV_H

/*
 * What the tools inside a session are told of its job slots: by variables, and by a path to make's
 * tokens. A session gets no descriptors of the jobserver: Python would close them, and a daemon
 * left behind would keep make waiting. By the path, proc(5) of the helper, every process of the
 * session opens the very pipe that the outer make reads:
 *
 *   MAKEFLAGS=" -- --jobserver-auth=fifo:/proc/PID/fd/N"
 *
 * ninja, cargo and gcc look for that word anywhere. make stops at the "--" and takes it for a
 * variable: versions before 4.4 would die of a path, and all would complain of descriptors that
 * are closed. A make is told by submake.h. make's -l LOAD stands before the "--".
 *
 * A session that holds several slots gets a pipe of its own with those tokens, since make's would
 * give it more. Where there is no jobserver, under a bare -j, the sessions of a make share one: the
 * FIFO .tokens.now in its runtime folder, with a token for each processor but one. Who opens it
 * while nobody else has it (flock(2)) fills it.
 */

#include "base/makeflags.h"
#include "base/util.h"
#include "slots/slot.h"
#include "state/record.h"

struct toolenv;

struct toolenv_options {
	const struct slot *slot; /* the slots that the session holds */
	const struct makeflags *makeflags;
	unsigned told;           /* processors that its tools may use, if they wait for them at
	                          * the gate (gate.h); 0: no more than the slots */
	bool only;               /* no other session of this make runs */
	int folder;              /* the runtime folder, or the run folder */
	const char *share;       /* the folder of tools/make */
};

/* NULL where slots are not counted, or after a warning. toolenv_close frees. */
struct toolenv *toolenv_open(const struct toolenv_options *) UNUSED_RESULT;
void toolenv_close(struct toolenv *);

/* Writes down what its tools (NULL: none) are told, told as above; the record has its slots. */
void toolenv_note(const struct toolenv *, unsigned told, struct record *);

/* The session's variables, "NAME=value", borrowed. NULL: none. */
const struct strings *toolenv_variables(const struct toolenv *);

#endif
