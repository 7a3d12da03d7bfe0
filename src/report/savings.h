#ifndef NOXMK_REPORT_SAVINGS_H
#define NOXMK_REPORT_SAVINGS_H

/* `noxmk savings`: what running sessions at once has saved. */

/*
 * Prints, for each run of several sessions that is kept, the time that plain nox would have taken,
 * where that is known (plain.h), next to the time that the run took, and the totals. state: the
 * state folder. 0, or -1 after a warning when there is no such run.
 */
int savings_print(int state);

#endif
