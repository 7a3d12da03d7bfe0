#ifndef NOXMK_NOX_LISTING_H
#define NOXMK_NOX_LISTING_H

#include <jansson.h>

#include "base/util.h"

/*
 * Facts (facts.h) from `nox --list --json`, for a nox that the probe does not know. They have no
 * requires=, no interpreter, and on nox 2024.04.15 to 2026.02.09 no sessions that are off by
 * default. NULL after nox's words and a warning of ours. A new reference.
 */
json_t *listing_facts(const struct strings *nox, const char *noxfile) UNUSED_RESULT;

#endif
