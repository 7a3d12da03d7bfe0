#ifndef NOXMK_NOX_ENV_H
#define NOXMK_NOX_ENV_H

/*
 * The environment of nox: ours without what make and noxmk put there for themselves. A make inside
 * would take our jobserver and variables for its own, a nox inside our choice of sessions.
 *
 * extra: variables that replace or add to ours, a NULL-ended list of NAME=VALUE. Both functions
 * return a NULL-ended list, which free() frees; it points to the strings of environ and extra.
 */

#include <jansson.h>

#include "base/util.h"

/* For the plan: NOXSESSION, NOXPYTHON and NOX_PARALLEL stay, since they choose the defaults. */
char **env_for_plan(const char *const *extra) UNUSED_RESULT;

/* The value of one variable in that; NULL if it is not there. */
const char *env_value_for_plan(const char *name);

/*
 * The names in it but those that shells set for themselves: sorted, a blank between two. The caller
 * frees.
 */
char *env_names_for_plan(void) UNUSED_RESULT;

/*
 * For one session, which is chosen by its number: those three are taken out. NOXFORCEPYTHON and
 * NOXEXTRAPYTHON stay, since they change the numbers.
 */
char **env_for_session(const char *const *extra) UNUSED_RESULT;

/*
 * What the user's nox command has made of an environment that it was given (NAME=VALUE, NULL-ended;
 * is: NAME -> VALUE): {"set":{"PATH":"…"},"unset":["X"]}, without what shells and noxmk keep there
 * for themselves. env_adopt does the same to our own environment, and so to all that we start.
 */
json_t *env_difference(char *const *given, const json_t *is) UNUSED_RESULT;
void env_adopt(const json_t *difference);

#endif
