#ifndef NOXMK_LEND_H
#define NOXMK_LEND_H

/*
 * Lends the job that make gave us: as long as we only wait, there is one token more for others.
 * make counts its tokens when it exits, so that token must be taken back even if we are killed. A
 * guard does both, giving and taking: a process of ours that does nothing else, one a loan. It
 * learns of our death by the end of its socket, and goes when the token is back or nobody is left
 * who could bring it.
 */

#include <stdbool.h>

#include "jobserver.h"

struct lend;

/* NULL when there can be no guard (no more processes): nothing is lent then. */
struct lend *lend_open(struct jobserver *) UNUSED_RESULT;

/* If nothing was taken back the guard sees to that, later if need be. */
void lend_close(struct lend *);

/*
 * Is the job ours again? The first call asks for it; afterwards try when the descriptor is
 * readable.
 */
bool lend_take(struct lend *);
int lend_fd(const struct lend *);

#endif
