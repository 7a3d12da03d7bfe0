#ifndef NOXMK_AUDIT_LESSON_H
#define NOXMK_AUDIT_LESSON_H

/*
 * What is learned of hazards, for plans whose configuration wants that: the pairs of
 * plan/hazards.h. An audit teaches which sessions are in conflict, and which ask for what others
 * have made before: they may come to something else in another order. A session that has failed,
 * and would not have without certain others, teaches that even what is only likely matters there.
 *
 * It is known until one of the two is no session any more, or until both have been seen whole, and
 * nothing between them; but not even that ends what is only known to fail, nobody knows of what.
 */

#include "audit/analysis.h"

/* What an audit has seen is added, and what it does not see any more is not known any more. */
void lesson_of_audit(const struct analysis *, struct planfile *, int state);

/* Only the latter. What was seen has to have what earlier audits have seen with it (kept.h). */
void lesson_review(const struct analysis *, struct planfile *, int state);

/* Has there been anything to learn from? */
bool lesson_is_there(int state);

/* The conflicts that watch.h tells of are added. */
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
