#ifndef NOXMK_STATE_JOIN_H
#define NOXMK_STATE_JOIN_H

/* The helpers of one make share a run: the first makes its folder, the others join. */

/*
 * Opens the run folder of the make with that key (makekey.h); the first call makes it. Then older
 * runs beyond `keep` are removed, unless their make is still alive. Works in the current folder,
 * the project's. The caller closes. -1 after a warning.
 */
int join_run(int state, const char *key, unsigned keep);

#endif
