#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "plan/coupling.h"
#include "plan/setting.h"

struct coupling {
	struct plan *plan;
	size_t *rank;      /* for each session: its place among the default ones, or NOT_DEFAULT */
	bool *is_notified; /* a session may notify it */
};

#define NOT_DEFAULT ((size_t)-1)

static bool
are_default(const struct coupling *c, size_t a, size_t b)
{
	return c->rank[a] != NOT_DEFAULT && c->rank[b] != NOT_DEFAULT;
}

/* Does nox run it before the other? */
static bool
comes_before(const struct coupling *c, size_t session, size_t other)
{
	if (plan_waits_for(c->plan, other, session))
		return true;
	if (plan_waits_for(c->plan, session, other))
		return false;
	return are_default(c, session, other) ? c->rank[session] < c->rank[other] : session < other;
}

/* Does something say when the session comes? What it takes of variables, no order tells. */
static bool
is_declared(const struct coupling *c, size_t session, const struct facts_tie *tie)
{
	const struct plan_session *s = &c->plan->sessions[session];

	return s->is_ordered ||
	    (!tie->is_global && (s->facts->requires.n > 0 || c->is_notified[session]));
}

static void
add_edge(struct plan_session *s, size_t other, const char *target, const struct facts_tie *tie)
{
	char *by = xasprintf("the noxfile's code (%s%s)", tie->is_global ? "global " : "",
	    tie->what);

	indices_add(&s->after, other);
	if (!s->by)
		s->by = json_object();
	json_object_set_new(s->by, target, json_string(by));
	free(by);
}

/* Adds the name as TOML has it, unless it is there. */
static void
add_name(json_t *names, const char *name)
{
	if (!json_list_has(names, name))
		json_array_append_new(names, json_string(name));
}

/* Takes over whats and names: what the session reads, and the base names of those that leave it. */
static void
add_note(struct coupling *c, size_t session, bool global, json_t *whats, json_t *names)
{
	const struct facts_session *s = c->plan->sessions[session].facts;
	char *place = setting_place("session", s->name, NULL), *text;
	char *list = json_dumps(names, JSON_ENSURE_ASCII);
	const char *others = list ? list : "[]", *s_of = json_array_size(names) > 1 ? "" : "s";
	char *what = json_list_join(whats, ", ");

	if (global)
		text = xasprintf("%s reads the global variable%s %s, which %.*s assign%s, and "
		    "each session is a process of its own: the value is handed on. To declare the "
		    "order: [%s] after = %s in " CONFIG_FILE "; a file would be safer", s->name,
		    json_array_size(whats) > 1 ? "s" : "", what, (int)strlen(others) - 2,
		    others + 1, s_of, place, others);
	else
		text = xasprintf("%s reads what %.*s leave%s (%s), and nothing declares it: it "
		    "comes after, as in the noxfile. To declare it: [%s] after = %s in "
		    CONFIG_FILE "; if it need not wait: after = []", s->name,
		    (int)strlen(others) - 2, others + 1, s_of, what, place, others);
	if (json_array_size(names) > 0 && !c->plan->notes)
		c->plan->notes = json_array();
	if (json_array_size(names) > 0)
		add_name(c->plan->notes, text); /* the variants of a session have one note */
	free(what);
	free(text);
	free(list);
	free(place);
	json_decref(whats);
	json_decref(names);
}

/* The one that nox runs last is the last in the list: its values win. */
static void
add_take(struct coupling *c, size_t session, size_t other)
{
	struct indices *takes = &c->plan->sessions[session].takes;

	if (indices_has(takes, other))
		return;
	indices_add(takes, other);
	for (size_t i = takes->n - 1; i > 0 && comes_before(c, other, takes->v[i - 1]); i--) {
		takes->v[i] = takes->v[i - 1];
		takes->v[i - 1] = other;
	}
}

/* Adds the names of those to be told of. */
static void
apply_tie(struct coupling *c, size_t session, const struct facts_tie *tie, json_t *whats,
    json_t *names)
{
	struct plan_session *s = &c->plan->sessions[session];
	bool declared = is_declared(c, session, tie);

	for (size_t k = 0; k < tie->from.n; k++) {
		size_t other = tie->from.v[k];
		const struct plan_session *from = &c->plan->sessions[other];
		bool required = plan_waits_for(c->plan, session, other);

		if (!comes_before(c, other, session))
			continue;
		if (!required && !declared)
			add_edge(s, other, from->target, tie);
		if (tie->is_global && (required || !declared))
			add_take(c, session, other);
		if (declared || !strcmp(from->facts->name, s->facts->name) ||
		    (!required && !are_default(c, session, other)))
			continue;
		add_name(names, from->facts->name);
		add_name(whats, tie->what);
	}
}

static void
apply_ties(struct coupling *c, size_t session)
{
	const struct facts_session *s = c->plan->sessions[session].facts;

	for (int global = 0; global < 2; global++) {
		json_t *whats = json_array(), *names = json_array();

		for (size_t k = 0; k < s->nties; k++)
			if (s->ties[k].is_global == global)
				apply_tie(c, session, &s->ties[k], whats, names);
		add_note(c, session, global, whats, names);
	}
}

void
coupling_apply(struct plan *plan)
{
	const struct indices *defaults = &plan->groups[0].members;
	struct coupling c = { .plan = plan };

	c.rank = xcalloc(plan->n, sizeof(*c.rank));
	c.is_notified = xcalloc(plan->n, sizeof(*c.is_notified));
	for (size_t i = 0; i < plan->n; i++)
		c.rank[i] = NOT_DEFAULT;
	for (size_t i = 0; i < defaults->n; i++)
		c.rank[defaults->v[i]] = i;
	for (size_t i = 0; i < plan->n; i++)
		for (size_t k = 0; k < plan->sessions[i].facts->notifies.n; k++)
			c.is_notified[plan->sessions[i].facts->notifies.v[k]] = true;
	for (size_t i = 0; i < plan->n; i++)
		apply_ties(&c, i);
	free(c.rank);
	free(c.is_notified);
}
