#ifndef NOXMK_STATE_WORD_H
#define NOXMK_STATE_WORD_H

/*
 * A word for a session as JSON, whatever its bytes are, and without the secrets of our environment,
 * which all helpers of a make have:
 *
 *   "-k"                                   as it is
 *   {"hex":"e9"}                           what is not UTF-8
 *   {"pieces":["--token=",{"variable":"PYPI_TOKEN"}]}
 */

#include <jansson.h>

#include "base/util.h"
#include "plan/secret.h"

/* secrets: or NULL. A new reference. */
json_t *word_json(const char *word, const struct secrets *) UNUSED_RESULT;

/* The word, which the caller frees; what is no word is "". */
char *word_text(const json_t *) UNUSED_RESULT;

#endif
