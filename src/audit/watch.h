#ifndef NOXMK_AUDIT_WATCH_H
#define NOXMK_AUDIT_WATCH_H

/*
 * NOXMK_WATCH=1: a usual run is traced, and its end tells which hazards were there between sessions
 * that really ran at the same time. What is printed, and learned, has with them whoever else met
 * them there: the lines are to be enough for the next run, which has other times.
 */

#include "plan/planfile.h"

/*
 * Prints them, unless nothing is to be printed, and one line with their number; and keeps them for
 * reports (overlap.h). What cannot be read is warned of.
 */
void watch_tell(int state, int rundir, struct planfile *);

#endif
