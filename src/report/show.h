#ifndef NOXMK_REPORT_SHOW_H
#define NOXMK_REPORT_SHOW_H

/* `make -n`: what would run, when, and why not sooner. */

#include "plan/planfile.h"

/*
 * Prints the goals' sessions on standard output, in the order in which make starts them: when each
 * is expected to start and to end at the -j of MAKEFLAGS, what it waits for, and how many
 * processors it used last time, if these were several. state: the state folder, which has the order
 * and the history.
 *
 * 0, or 1 after a warning when a goal is unknown.
 */
int show_print(int state, struct planfile *, const json_t *goals);

#endif
