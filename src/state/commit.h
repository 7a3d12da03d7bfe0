#ifndef NOXMK_STATE_COMMIT_H
#define NOXMK_STATE_COMMIT_H

/*
 * The commit that is checked out in the current folder, the project's, or in one that it lies in:
 * 40 or 64 hexadecimal digits, by what git keeps in .git, without a process. What a CI says it is
 * where there is no .git. NULL: nobody knows. The caller frees.
 */

#include "base/util.h"

char *commit_checked_out(void) UNUSED_RESULT;

/* The Unix time at which git has fetched that, or has made the checkout; -1: nobody knows. */
double commit_fetched(void);

#endif
