#ifndef NOXMK_BASE_NEAREST_H
#define NOXMK_BASE_NEAREST_H

/* Finding what somebody has meant who has mistyped a word. */

#include "base/util.h"

/* The word of the list that was most likely meant by `word`, or NULL if none is like it. */
const char *nearest(const char *word, const struct strings *list);

#endif
