#ifndef NOXMK_BRIDGE_H
#define NOXMK_BRIDGE_H

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

#include "slot.h"
#include "util.h"

struct bridge;

/*
 * For a session that holds these slots; share: the folder of tools/make. NULL where slots are not
 * counted, or after a warning. bridge_close frees.
 */
struct bridge *bridge_open(const struct slot *, const char *share) UNUSED_RESULT;
void bridge_close(struct bridge *);

/* The session's variables, "NAME=value", borrowed. NULL: none. */
const struct strings *bridge_variables(const struct bridge *);

/*
 * Is one of the tools of the session, which are all below that process, a client of make's
 * jobserver? Look again whenever the descriptor (-1: never) is readable. -1: there is none that it
 * could be of.
 */
int bridge_has_client(struct bridge *, pid_t session);
int bridge_fd(const struct bridge *);

/*
 * Becomes the real make: argv[0] if that is a path and not this program, else the first one of that
 * name on PATH. Does not return but with an exit code, after a warning.
 */
int bridge_make(char **argv);

#endif
