#ifndef NOXMK_PLAN_H
#define NOXMK_PLAN_H

/*
 * What the noxfile says, in make's terms: a target for each session, groups, and which session
 * comes before which. Pure: facts in, plan out, no file and no process.
 */

#include "facts.h"
#include "util.h"

struct plan_session {
	const struct facts_session *facts;
	char *target;
	char *complaint;         /* why it cannot run (its requires= form a cycle), or NULL */
	struct indices requires; /* must have passed first */
	/* Come first if they run: callers that may notify it, others with its environment. */
	struct indices after;
	bool is_default;
};

struct plan_group {
	char *target;
	char *what; /* for people: "default sessions", "tests", "tag slow" */
	struct indices members;
};

struct plan {
	const struct facts *facts;
	struct plan_session *sessions; /* same positions as in facts */
	size_t n;
	struct plan_group *groups; /* the first is "ci" */
	size_t ngroups;
};

/*
 * reserved: names the including makefile keeps for itself; a session or group that would get one
 * becomes nox-NAME. Keeps pointers into facts, which must outlive the plan. plan_free releases.
 */
struct plan *plan_make(const struct facts *, const struct strings *reserved) UNUSED_RESULT;
void plan_free(struct plan *);

/* The session and all that it requires, directly or not, prerequisites first, each once. */
void plan_closure(const struct plan *, size_t session, struct indices *list);

#endif
