#ifndef NOXMK_TRIAL_COPIES_H
#define NOXMK_TRIAL_COPIES_H

/*
 * Copies of the project, one after another at the same place in the folder for temporary files, for
 * sessions to run in again and again from the same start. Not copied are the state folder, nox's
 * environments, and any other environment, since programs in there would change the one that they
 * were made in. A link to a place in the project leads to that in the copy.
 */

#include <stdbool.h>

struct copies;

/*
 * Of the current folder, as it is now: it may change from then on. NULL after a warning, or if a
 * signal was to end us: *stop, as in copies_renew. copies_close removes all.
 */
struct copies *copies_open(int *stop);
void copies_close(struct copies *);

/* The folder of the copy, which is there after copies_renew. */
const char *copies_path(const struct copies *);

/* Removes the last copy and makes the next one. 0, or -1 after a warning or with *stop set. */
int copies_renew(struct copies *, int *stop);

/* Is its repository of git elsewhere, so that all copies have the same one? */
bool copies_share_git(const struct copies *);

#endif
