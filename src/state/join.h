#ifndef NOXMK_STATE_JOIN_H
#define NOXMK_STATE_JOIN_H

#include "state/request.h"

/* The helpers of one make share a run: the first makes its folder, the others join. */

/*
 * Opens the run folder of the make with that key (makekey.h); the first call makes it. Then older
 * runs beyond `keep` are removed, unless their make is still alive. If a session has removed the
 * run folder, or the state folder with it (state: -1), what stands in for it is opened (runtime.h).
 * Works in the current folder, the project's. The caller closes. -1 after a warning.
 */
int join_run(int state, const char *key, unsigned keep);

/*
 * Reads what the user asks of that make. By now a session may have removed the state folder with
 * the run folder, or changed what is in it. 0, or -1 after a warning.
 */
int join_request(const char *key, struct request *) UNUSED_RESULT;

/*
 * Where sessions have removed the run folder of that make, or part of it: makes it anew from the
 * runtime folder. Descriptors of the state folder and of the run folder that are open, and that may
 * be those of removed folders, are those of the new ones then; one that is -1 is opened. To be
 * called when no session runs. What cannot be written is warned of.
 */
void join_restore(const char *key, int *state, int *rundir);

#endif
