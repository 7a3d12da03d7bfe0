#ifndef NOXMK_FRONT_COMPLETE_H
#define NOXMK_FRONT_COMPLETE_H

/*
 * Completion of our command line by a shell. The shell's own part (src/completion/) hands the words
 * to `noxmk complete`. What may stand there is read from the usage of the subcommands: options,
 * words with a | between them, and names like TARGET or FOLDER.
 */

#include "front/usage.h"

/* The shells that there is such a part for. */
#define COMPLETE_SHELLS "bash|zsh|fish"

/* Prints that shell's part. 0, or EXIT_USAGE after a warning. share: the folder it is in. */
int complete_script(const char *share, const char *shell);

/*
 * Prints what the last of the words, NULL-ended, which stand behind `noxmk`, may become: one a line
 * with a tab and what it is behind it. 0, or 1 when a path has to stand there, which the shell
 * knows best. Without a plan there are no targets.
 */
int complete_words(usage_list *, char *const *words);

#endif
