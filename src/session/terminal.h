#ifndef NOXMK_SESSION_TERMINAL_H
#define NOXMK_SESSION_TERMINAL_H

/*
 * The user's terminal for a session that runs alone: it can ask, show progress, be a debugger, as
 * under nox. The session gets a terminal of its own (pty(7)), so that the log has what it writes:
 *
 *   keyboard -> our standard input, raw -> master | slave -> the session
 *   screen  <- our standard output      <- master | slave <- the session
 *                          the log      <-
 *
 * The slave has the modes and the size of the user's terminal. So ^C and ^\ become signals there,
 * for the session alone. ^Z is for the whole job: make, us and the session.
 *
 * The session's terminal turns each line end into CR LF; here that is undone, for the log, and left
 * to the user's terminal, which follows the session's in this.
 */

#include <poll.h>
#include <stdbool.h>

#include "output/relay.h"

struct terminal;

/*
 * NULL when there is none: standard input or output is no terminal, or we are in its background.
 * Else the user's terminal is raw. terminal_close copies what is left, restores the user's modes
 * and frees, and takes NULL.
 */
struct terminal *terminal_open(void) UNUSED_RESULT;
void terminal_close(struct terminal *, struct mask *, struct relay *);

/* The descriptor of the session's end. */
int terminal_slave(const struct terminal *);

/*
 * terminal_copy is due when one of the descriptors is ready, and after so many milliseconds (-1:
 * never): it carries in both directions what there is, not all at once. The mask is for the
 * screen; the relay, which may be NULL, has its own.
 */
enum { TERMINAL_FDS = 3 };
void terminal_poll(const struct terminal *, struct pollfd fds[TERMINAL_FDS]);
int terminal_timeout(const struct terminal *);
void terminal_copy(struct terminal *, struct mask *, struct relay *);

/*
 * While nobody reads the user's terminal, the session's output waits, as under nox. From this call
 * on it does not: the session was asked to end.
 */
void terminal_end(struct terminal *);

/* Has ^Z been typed since the last call? Then the whole job is to be stopped. */
bool terminal_suspends(struct terminal *);

/*
 * Gives the user's terminal its own modes back, before we are stopped; and takes it again, if we
 * are in its foreground. Both may be called again.
 */
void terminal_leave(struct terminal *);
void terminal_enter(struct terminal *);

/* In another process, once this one is dead: its own modes, if it still has those of ours. */
void terminal_restore(const struct terminal *);

#endif
