#ifndef NOXMK_PLAN_PLAN_H
#define NOXMK_PLAN_PLAN_H

/*
 * What the noxfile and the configuration say, in make's terms: a target for each session, groups,
 * which session comes before which, and what each claims for itself while it runs. These are the
 * data; planner.h makes them, and planfile.h and rule.h write them.
 */

#include "base/util.h"
#include "plan/facts.h"
#include "plan/options.h"
#include "plan/use.h"

/*
 * Besides the resources of the configuration, `env:NAME` is an environment's folder and `*` is all
 * there is: whoever is to run alone has it to itself, and then all others share it.
 */
struct plan_resource {
	char *name;
	long long capacity; /* 1: for exclusive and shared use; more: for amounts of it */
};

struct plan_claim {
	size_t resource; /* position in plan.resources; a session claims each but once */
	enum use use;
	long long amount; /* of an AMOUNT, else 0 */
	char *by;         /* where it is declared, for people: tool.noxmk.session."tests*".uses */
};

struct plan_session {
	const struct facts_session *facts;
	char *target;
	char *complaint;         /* why it cannot run (its requires= form a cycle), or NULL */
	struct indices requires; /* sessions that must have passed first: requires= and needs */
	struct indices after;    /* that come first if they run: `after`, callers that notify it */
	struct indices together; /* those that are to be on the same machine (src/shard) */
	json_t *by; /* target of one of these -> where that is declared, if not by nox; or NULL */
	struct plan_claim *claims;
	size_t nclaims;
	struct options options;
	struct indices takes; /* sessions that hand global variables on to it */
	const char *whole; /* of a part the group of all of them; else NULL */
	bool is_default; /* ci runs it */
	bool is_ordered; /* the configuration says after or needs of it, even if no name follows */
};

struct plan_group {
	char *target;
	const char *kind; /* of what: "default", "name", "parts", "tag" or "configuration" */
	char *what; /* for people: "default sessions", "tests", "tag slow" */
	struct indices members;
};

struct plan {
	const struct facts *facts;
	struct facts *cut; /* these facts, the plan's own, if sessions are cut in parts; or NULL */
	struct plan_session *sessions; /* same positions as in facts */
	size_t n;
	struct plan_group *groups; /* the first is "ci" */
	size_t ngroups;
	struct plan_resource *resources; /* no two of one name */
	size_t nresources;
	bool source_build; /* builds in the source tree are to be kept apart */
	bool learns;       /* hazards that were seen are edges: hazards.h */
	long long log_limit; /* see struct config */
	struct strings mask, unmask;
	const char *locks, *ci_commands; /* or NULL */
	json_t *notes; /* for people: what sessions take from others undeclared; or NULL */
};

/*
 * A group without members, last in the list. The plan takes over `target` and `what`. The pointer
 * holds until the next group is added.
 */
struct plan_group *plan_add_group(struct plan *, const char *kind, char *target, char *what);

void plan_free(struct plan *);

/* Does `from` wait for `to` (or is it that), directly or through others? */
bool plan_waits_for(const struct plan *, size_t from, size_t to) UNUSED_RESULT;

/*
 * Adds the session and all that it requires, directly or not, prerequisites first. What the list
 * has already is not added again.
 */
void plan_closure(const struct plan *, size_t session, struct indices *list);

#endif
