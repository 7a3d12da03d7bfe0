#ifndef NOXMK_BASE_SIG_H
#define NOXMK_BASE_SIG_H

/*
 * Signals as something to poll: blocked before the first fork, read from one signalfd, so nothing
 * ever runs in a handler (signalfd(2)).
 */

#include <signal.h>

/*
 * Blocks INT, TERM, HUP, QUIT, TSTP and CHLD, but for those that are ignored, and returns the
 * descriptor; dies if it cannot.
 */
int sig_open(void);

/* The next pending one of those, or 0. Several SIGCHLDs may come as one. */
int sig_next(int fd);

/* The mask from before sig_open, for a child. */
const sigset_t *sig_original_mask(void);

#endif
