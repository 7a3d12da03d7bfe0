#ifndef NOXMK_BASE_NEAREST_H
#define NOXMK_BASE_NEAREST_H

#include "base/util.h"

/* The word of the list that somebody who wrote `word` has most likely meant, or NULL. */
const char *nearest(const char *word, const struct strings *list);

#endif
