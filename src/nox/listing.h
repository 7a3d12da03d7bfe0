#ifndef NOXMK_NOX_LISTING_H
#define NOXMK_NOX_LISTING_H

/*
 * What `nox --list --json` says of a noxfile: the way to ask a nox that the probe does not know. It
 * knows no requires= and no interpreter, and nox 2024.04.15 to 2026.02.09 leaves out the sessions
 * that are off by default.
 */

#include <jansson.h>

#include "base/util.h"

/*
 * Facts (facts.h) from two such lists, of all sessions and of the default ones. nox: the words of
 * NOX. A new reference, or NULL after nox's own words and a warning.
 */
json_t *listing_facts(const struct strings *nox, const char *noxfile) UNUSED_RESULT;

#endif
