#ifndef NOXMK_SLOTS_GUARD_PROCESS_H
#define NOXMK_SLOTS_GUARD_PROCESS_H

/* What the guard does in its own process; guard.h is the helper's side of it. */

#include <stdnoreturn.h>
#include <sys/types.h>

#include "slots/balance.h"

/*
 * In a child of the helper: serves the helper while it lives, brings the balance back to 0 after
 * its death, and ends.
 */
noreturn void guard_process_run(struct balance *, struct jobserver *, pid_t helper);

#endif
