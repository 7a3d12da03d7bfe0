#ifndef NOXMK_PLAN_SECRET_H
#define NOXMK_PLAN_SECRET_H

/*
 * What is secret: the values of variables whose names are on the list of the configuration, mask
 * less unmask, or on that of this module where there is none. Whoever writes a file or shows
 * something asks here; output/mask.h makes *** of the values.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

/* Values shorter than this are hardly secret, and occur in many words that are none. */
enum { SECRET_LEAST = 6 };

/* Patterns (fnmatch(3), whatever the case) for names, and for those that have none all the same. */
struct secrets {
	struct strings mask, unmask;
};

/* Adds the patterns that hold where the configuration has no others. */
void secrets_add_usual(struct strings *mask);

/* What the plan's header (planfile.h) says; its strings belong to that. secrets_clear frees. */
struct secrets secrets_of(const json_t *header);
void secrets_clear(struct secrets *);

/* Is the value of that variable a secret? */
bool secrets_cover(const struct secrets *, const char *variable);

/*
 * May it be one, by its name? What a session writes has such values all the same, as they may be
 * common words, but we never write them into a file ourselves.
 */
bool secrets_are_likely(const char *variable);

/*
 * The longest secret of our environment that the text begins with: how many bytes, and the entry
 * of environ that has it; or 0.
 */
size_t secrets_at(const struct secrets *, const char *text, const char **entry);

#endif
