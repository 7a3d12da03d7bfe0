#ifndef NOXMK_AUDIT_OUTCOME_H
#define NOXMK_AUDIT_OUTCOME_H

/* What came of one run of some sessions: their verdicts, and what they have left in the project. */

#include "audit/analysis.h"
#include "audit/leaving.h"

/* How they ran. */
enum outcome_way { OUTCOME_IN_ORDER, OUTCOME_SHUFFLED, OUTCOME_AT_ONCE };

struct outcome {
	const char *name;         /* of the run, for people */
	enum outcome_way way;
	json_t *sessions;         /* target -> {"verdict","started","ended"} */
	json_t *order;            /* targets, as they started */
	struct leaving leaving;
	struct analysis analysis; /* of their traces; empty where there are none */
	char *root;               /* of the project, for them */
};

/*
 * Of the run in that folder, in the project's folder root. name and way are the caller's. 0, or -1
 * after a warning; outcome_clear frees, after either.
 */
int outcome_read(struct outcome *, int rundir, const char *root);
void outcome_clear(struct outcome *);

/* That session's verdict there, by its name; NULL if it has not come to one. Borrowed. */
const char *outcome_verdict(const struct outcome *, const char *target);

/* The sessions that ran at the same time as that one, or before it: a new list, in their order. */
json_t *outcome_beside(const struct outcome *, const char *target) UNUSED_RESULT;
json_t *outcome_before(const struct outcome *, const char *target) UNUSED_RESULT;

/* Adds the sessions that have changed that path, seen from the project, unless they are there. */
void outcome_add_writers(const struct outcome *, const char *path, json_t *targets);

#endif
