#ifndef NOXMK_BASE_NEAREST_H
#define NOXMK_BASE_NEAREST_H

/* Guesses which of several words was meant by one that is spelled wrong. */

#include "base/util.h"

/*
 * The word of the list that somebody who wrote `word` has most likely meant: the one that the
 * fewest edits lead to, and the first of several. NULL if each would take too many edits.
 */
const char *nearest(const char *word, const struct strings *list);

/* The same, with so many edits at most. */
const char *nearest_within(size_t most, const char *word, const struct strings *list);

#endif
