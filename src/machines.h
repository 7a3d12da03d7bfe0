#ifndef NOXMK_MACHINES_H
#define NOXMK_MACHINES_H

/*
 * One project, many machines: `noxmk matrix` divides the sessions, `noxmk shard` tells nox.mk which
 * of them are a machine's, `noxmk merge` makes one run of what the machines have done. What they do
 * is in the folder `shard`.
 */

#include "front/usage.h"

/* Their options. */
extern const struct usage_option matrix_letters[], merge_letters[];

/*
 * words: the operands and options, NULL-ended, behind the command's name. share: the folder of
 * probe.py. They return the exit code.
 */
int matrix_run(char **words, const char *share, const struct usage *);
int merge_run(char **words, const char *share, const struct usage *);

/*
 * Prints "yes" and the targets of the goals that are of that shard. Where the shard is none of this
 * division, or there is no division, it says why on standard error.
 */
int shard_run(char **words, const char *share, const struct usage *);

#endif
