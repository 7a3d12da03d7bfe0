#include <err.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "plan/match.h"
#include "plan/setting.h"

struct match {
	const struct plan *plan;
	json_t *exact; /* name -> a list: session, kind, session, kind … */
	struct strings names; /* its keys */
};

static void
note(struct match *match, const char *name, size_t session, enum match_kind kind)
{
	json_t *list = json_object_get(match->exact, name);
	size_t n = json_array_size(list);

	if (!list) {
		list = json_array();
		json_object_set_new(match->exact, name, list);
		strings_add(&match->names, name);
	} else if (json_integer_value(json_array_get(list, n - 2)) == (json_int_t)session) {
		return; /* the session has it already, as a more exact name */
	}
	json_array_append_new(list, json_integer((json_int_t)session));
	json_array_append_new(list, json_integer(kind));
}

struct match *
match_new(const struct plan *plan)
{
	struct match *match = xcalloc(1, sizeof(*match));

	*match = (struct match){ .plan = plan, .exact = json_object() };
	for (size_t i = 0; i < plan->n; i++) {
		const struct facts_session *s = plan->sessions[i].facts;

		note(match, s->session, i, MATCH_FULL);
		note(match, plan->sessions[i].target, i, s->parts > 0 ? MATCH_PART : MATCH_FULL);
		for (size_t k = 0; k < s->signatures.n; k++)
			note(match, s->signatures.v[k], i, MATCH_SIGNATURE);
		note(match, s->name, i, MATCH_BASE);
	}
	return match;
}

void
match_free(struct match *match)
{
	if (!match)
		return;
	json_decref(match->exact);
	free(match->names.v);
	free(match);
}

static void
add_hit(struct match_hits *hits, size_t session, enum match_kind kind)
{
	hits->v = xreallocarray(hits->v, hits->n + 1, sizeof(*hits->v));
	hits->v[hits->n++] = (struct match_hit){ session, kind };
}

static bool
fits(const char *pattern, const struct plan_session *s)
{
	if (fnmatch(pattern, s->facts->session, 0) == 0 || fnmatch(pattern, s->target, 0) == 0 ||
	    fnmatch(pattern, s->facts->name, 0) == 0)
		return true;
	for (size_t k = 0; k < s->facts->signatures.n; k++)
		if (fnmatch(pattern, s->facts->signatures.v[k], 0) == 0)
			return true;
	return false;
}

struct match_hits
match_find(const struct match *match, const char *name)
{
	const json_t *list = json_object_get(match->exact, name);
	struct match_hits hits = { 0 };

	for (size_t i = 0; i < json_array_size(list); i += 2)
		add_hit(&hits, (size_t)json_integer_value(json_array_get(list, i)),
		    (enum match_kind)json_integer_value(json_array_get(list, i + 1)));
	if (list || !strpbrk(name, "*?["))
		return hits;
	for (size_t i = 0; i < match->plan->n; i++)
		if (fits(name, &match->plan->sessions[i]))
			add_hit(&hits, i, MATCH_PATTERN);
	return hits;
}

void
match_warn(const struct match *match, const char *place, const char *name)
{
	const char *meant = nearest(name, &match->names);

	if (meant)
		warnx(CONFIG_FILE ": %s: no session is called \"%s\"; did you mean \"%s\"?", place,
		    name, meant);
	else
		warnx(CONFIG_FILE ": %s: no session %s \"%s\"; nox -l lists them", place,
		    strpbrk(name, "*?[") ? "matches" : "is called", name);
}
