#ifndef NOXMK_SLOTS_GUARD_H
#define NOXMK_SLOTS_GUARD_H

/*
 * make gives a helper one job and counts its tokens when it exits. A helper that lends that job
 * while it only waits, or takes tokens besides it, must bring the count back even if it is killed.
 * So a guard does the giving and taking: a process of ours that does nothing else. It learns of the
 * helper's death by the end of its socket, brings the balance (balance.h) back to 0, and ends. If
 * it is killed as well, the next guard of this make takes that over, or the end of the run does.
 *
 * Several tokens are taken all at once or not at all, so that of two helpers that want many neither
 * keeps from the other what it has already.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "slots/jobserver.h"

struct guard;

/*
 * Its balance is 0, or what one has left of whom helper and guard were killed. folder: of the
 * ledger, the runtime folder or -1. NULL when there can be no guard (no more processes). Borrows
 * the jobserver.
 */
struct guard *guard_open(struct jobserver *, int folder) UNUSED_RESULT;

/*
 * Brings right what helpers have left whose guards were killed as well, as far as the tokens for
 * that come within so many milliseconds.
 */
void guard_mend(struct jobserver *, int folder, int milliseconds);

/*
 * Brings the balance back to 0, and waits a moment for that. What cannot be had by then the guard
 * sees to, later.
 */
void guard_close(struct guard *);

/*
 * Closes our side of the socket in a forked child that lives on: while the child had it open, the
 * guard would not learn of the helper's death.
 */
void guard_forked(struct guard *);

/*
 * From now on a balance of least to most is wanted, as many as are there when least can be had.
 * What is above most is given away at once, and all that we have while we wait for several.
 */
void guard_ask(struct guard *, int least, int most);

/*
 * Is the balance what was asked for? Else try again when the descriptor (-1: none) is readable. A
 * guard that was killed is no loss: this does its work.
 */
bool guard_try(struct guard *);
int guard_fd(const struct guard *);

int guard_balance(const struct guard *);
pid_t guard_pid(const struct guard *);

#endif
