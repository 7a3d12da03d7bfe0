#ifndef NOXMK_SLOTS_TOOLENV_H
#define NOXMK_SLOTS_TOOLENV_H

/*
 * How the tools inside a session come to make's tokens. A session gets no descriptors: Python would
 * close them, and a daemon left behind would keep make waiting. It gets a path instead, by which
 * every process of the session opens the very pipe that the outer make reads, proc(5) of the
 * helper:
 *
 *   MAKEFLAGS=" -- --jobserver-auth=fifo:/proc/PID/fd/N"
 *
 * ninja, cargo and gcc look for that word anywhere. make stops at the "--" and takes it for a
 * variable: versions before 4.4 would die of a path, and all would complain of descriptors that
 * are closed. So `make` on the session's PATH is this program, which opens the path as descriptors
 * and starts the real one with them; the same happens to a make that the noxfile names by its path
 * (shim.py). One that a script calls by its path runs its jobs one at a time, and so do all under
 * it.
 *
 * make's -l LOAD stands before the "--".
 *
 * A session that holds several slots, or one from our own pool, gets a pipe of its own with those
 * tokens, since make's would give it more.
 */

#include <sys/types.h>

#include "base/util.h"
#include "slots/slot.h"

struct toolenv;

/*
 * For a session that holds these slots; share: the folder of tools/make. NULL where slots are not
 * counted, or after a warning. toolenv_close frees.
 */
struct toolenv *toolenv_open(const struct slot *, const char *share) UNUSED_RESULT;
void toolenv_close(struct toolenv *);

/* The session's variables, "NAME=value", borrowed. NULL: none. */
const struct strings *toolenv_variables(const struct toolenv *);

/*
 * Is one of the tools of the session, which are all below that process, a client of make's
 * jobserver? Look again whenever the descriptor (-1: never) is readable. -1: there is none that it
 * could be of.
 */
int toolenv_has_client(struct toolenv *, pid_t session);
int toolenv_fd(const struct toolenv *);

/*
 * Becomes the real make: argv[0] if that is a path and not this program, else the first one of that
 * name on PATH. Does not return but with an exit code, after a warning.
 */
int submake_exec(char **argv);

#endif
