#ifndef NOXMK_AUDIT_BASELINE_H
#define NOXMK_AUDIT_BASELINE_H

/*
 * The hazards that a project knows, and lives with: a file that is committed, .noxmk-audit.json
 * next to pyproject.toml. Only those that are not in it make `noxmk audit --check` fail.
 *
 *   {"noxmk-audit":1,"known":[
 *    {"place":".coverage","sessions":["tests","tests2"]}]}
 *
 * A hazard is known if its place is there, with all of its sessions, maybe among others. A session
 * that is cut is there as a whole, whichever of its parts it is.
 */

#include "audit/analysis.h"

#define BASELINE ".noxmk-audit.json"

/* The list of those that are known; a new reference. NULL after a warning. No file: none is. */
json_t *baseline_read(const char *path) UNUSED_RESULT;

bool baseline_has(const json_t *known, const struct hazard *, const struct actor *);

/* Writes all that are not harmless. 0, or -1 after a warning. */
int baseline_write(const char *path, const struct analysis *);

#endif
