#ifndef NOXMK_AUDIT_REMEDY_H
#define NOXMK_AUDIT_REMEDY_H

/*
 * The lines for pyproject.toml that remove a hazard, as an object: session -> what its section
 * [tool.noxmk.session.NAME] is to get:
 *
 *   {"tests":{"env":{"COVERAGE_FILE":".coverage.tests"}},"docs":{"uses":["build"]},
 *    "report":{"after":["tests"]}}
 *
 * What parts of a session (plan/parts.h) need is said in the section of the whole, once, and holds
 * for any number of them.
 */

#include <jansson.h>

#include "audit/hazard.h"

/*
 * A new reference; {} where a secret is in the name of the place, or where builds, which are kept
 * apart, only make the same of it.
 */
json_t *remedy_of(const struct hazard *, const struct clashes *, const struct actor *)
    UNUSED_RESULT;

/* Adds what another one has. */
void remedy_merge(json_t *into, const json_t *other);

/*
 * Calls print for each line of the section of that target, as TOML has it: `uses = ["build"]`. And
 * the head of the section, which the caller frees.
 */
void remedy_each_line(const json_t *section, void (*print)(void *, const char *line), void *data);
char *remedy_head(const char *target) UNUSED_RESULT;

#endif
