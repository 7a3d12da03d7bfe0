#ifndef NOXMK_NOTIFIED_H
#define NOXMK_NOTIFIED_H

/*
 * Sessions that others of the run notified and that have not run: in nox they run at the end of the
 * queue, once. Which ones is known only now, so another make runs them, over and over until nobody
 * notifies anybody any more.
 *
 * make: its command, NULL-ended; the targets .noxmk/run/… are added, and it gets our jobserver.
 * Returns 0, or -1 after a warning.
 */
int notified_run(int run, const char *key, char *const *make);

#endif
