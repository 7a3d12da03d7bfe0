#ifndef NOXMK_BASE_SIG_H
#define NOXMK_BASE_SIG_H

/*
 * Signals as something to poll: they are blocked before the first fork and read from one descriptor
 * (signalfd(2)), so nothing ever runs in a handler.
 */

#include <signal.h>
#include <stdbool.h>

/*
 * Blocks INT, TERM, HUP, QUIT, TSTP, USR1 and CHLD, and returns the descriptor. Signals that are
 * ignored stay so, but for CHLD and USR1. Ends the process with EXIT_HELPER if it cannot.
 */
int sig_open(void);

/*
 * Closes it. The signals come as before sig_open then, also those that nobody has read; but where
 * it was opened several times only with the first one, which is closed last.
 */
void sig_close(int fd);

/* The next of those signals that is pending, or 0. Several SIGCHLDs may come as one. */
int sig_next(int fd);

/* The same; is it one that the terminal has sent to all of our group, as for ^C? */
int sig_next_of(int fd, bool *terminals);

/* Is one of those that end us pending? It stays so. */
bool sig_stop_is_pending(void);

/* The signal mask from before the first sig_open, which a child needs. */
const sigset_t *sig_original_mask(void);

#endif
