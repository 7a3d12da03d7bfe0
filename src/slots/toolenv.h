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
 * A session that holds several slots, or one from our own pool, gets a pipe of its own with those
 * tokens, since make's would give it more, or is not there.
 */

#include "base/makeflags.h"
#include "base/util.h"
#include "slots/slot.h"

struct toolenv;

/*
 * For a session that holds these slots, under a make with these flags. told: the processors that
 * its tools may use, of which they may have to wait for some (gate.h); 0: no more than the slots.
 * share: the folder of tools/make. NULL where slots are not counted, or after a warning.
 * toolenv_close frees.
 */
struct toolenv *toolenv_open(const struct slot *, const struct makeflags *, unsigned told,
    const char *share) UNUSED_RESULT;
void toolenv_close(struct toolenv *);

/* The session's variables, "NAME=value", borrowed. NULL: none. */
const struct strings *toolenv_variables(const struct toolenv *);

#endif
