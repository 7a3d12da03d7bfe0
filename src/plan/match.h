#ifndef NOXMK_PLAN_MATCH_H
#define NOXMK_PLAN_MATCH_H

/*
 * Which sessions a name in the configuration means: a base name (tests), a full name or another
 * that `nox -s` takes (tests-3.12, tests-3.12(django='4.2')), a target, or else an fnmatch(3)
 * pattern of any of these.
 */

#include "plan/plan.h"

/* How exactly a name fits a session; the least exact comes first. A part's target is one's own. */
enum match_kind { MATCH_PATTERN, MATCH_BASE, MATCH_SIGNATURE, MATCH_FULL, MATCH_PART };

struct match_hit {
	size_t session;
	enum match_kind kind;
};
struct match_hits {
	struct match_hit *v;
	size_t n;
};

struct match;

/* The plan needs its targets already. match_free frees. */
struct match *match_new(const struct plan *) UNUSED_RESULT;
void match_free(struct match *);

/*
 * The sessions that the name means, each once, in definition order. A name that some session has is
 * not taken for a pattern. The caller frees hits.v.
 */
struct match_hits match_find(const struct match *, const char *name) UNUSED_RESULT;

/* Warns that a name in that place (setting_place) means no session, and which one may be meant. */
void match_warn(const struct match *, const char *place, const char *name);

#endif
