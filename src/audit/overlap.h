#ifndef NOXMK_AUDIT_OVERLAP_H
#define NOXMK_AUDIT_OVERLAP_H

/*
 * Hazards between sessions that ran at the same time, for reports and records: a list of objects,
 * the worst first:
 *
 *   {"level":"conflict","kind":"write/write","what":".coverage","paths":1,
 *    "sessions":["tests","unit"],"words":"both write .coverage"}
 *
 * level and kind as clash.h names them; what as of word.h; words are for people, and safe to be
 * shown. Those of a run are in .overlaps.json in its folder, as {"schema":1,"overlaps":[…]}, if it
 * was watched.
 */

#include "audit/analysis.h"

/* Of all that are not harmless; of those between that session and one of the others. */
json_t *overlap_all(const struct analysis *) UNUSED_RESULT;
json_t *overlap_between(const struct analysis *, const char *target, const json_t *others)
    UNUSED_RESULT;

/*
 * Of the conflicts between that session and these others those at what one of the others changes,
 * and may have left so; the words name all of them.
 */
json_t *overlap_left(const struct analysis *, const char *target, const json_t *others)
    UNUSED_RESULT;

/* Writes them into the run's folder; a failure is warned of. */
void overlap_write(int rundir, const json_t *overlaps);

/* What is there: a new list, or NULL if the run was not watched. What is damaged is none. */
json_t *overlap_read(int rundir) UNUSED_RESULT;

/* One of them with its sessions, "both write .coverage (tests, unit)". The caller frees. */
char *overlap_told(const json_t *overlap) UNUSED_RESULT;

/* Does the list's item name that session? */
bool overlap_is_of(const json_t *overlap, const char *target);

#endif
