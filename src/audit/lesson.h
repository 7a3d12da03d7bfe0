#ifndef NOXMK_AUDIT_LESSON_H
#define NOXMK_AUDIT_LESSON_H

/*
 * What is learned of hazards, for plans whose configuration wants that: the pairs of
 * plan/hazards.h. An audit teaches which sessions are in conflict, and which ask for what others
 * have made before: they may come to something else in another order. A session that has failed,
 * and would not have without certain others, teaches that even what is only likely matters there.
 * It is known until an audit shows nothing between the two any more.
 */

#include "audit/analysis.h"

/* What an audit has seen takes the place of what was learned before. */
void lesson_of_audit(const struct analysis *, int state);

/* The conflicts between sessions that ran at the same time are added. */
void lesson_of_watch(const struct analysis *, int state);

/*
 * The session fails beside these others, or in another order: that is added of those with which it
 * has a hazard. proven: it is them, so one that is alone is added without any.
 */
void lesson_of_failure(const struct analysis *, int state, const char *target,
    const json_t *others, bool proven);

/* Forgets all. */
void lesson_forget(int state);

#endif
