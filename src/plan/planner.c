#include <err.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/slug.h"
#include "plan/config.h"
#include "plan/coupling.h"
#include "plan/overlay.h"
#include "plan/parts.h"
#include "plan/planner.h"

/* Names that mean something to make or to nox.mk wherever they stand. */
static const char *const always_reserved[] = {
	"GNUmakefile", "Makefile", "makefile", "nox.mk", "nox-audit", "nox-list", "nox-plan",
	"noxfile.py", "pyproject.toml", "rerun-failed",
};

/* Adds a target name to the set of those in use; false if it is there. A JSON object is the set. */
static bool
take(json_t *taken, const char *name)
{
	if (json_object_get(taken, name))
		return false;
	json_object_set_new(taken, name, json_true());
	return true;
}

/*
 * Takes a free name near the wanted one: that name (nox-NAME if it is reserved), or else NAME-2,
 * NAME-3 …
 */
static char *
take_near(json_t *taken, json_t *reserved, const char *wanted)
{
	char *base = json_object_get(reserved, wanted) ? xasprintf("nox-%s", wanted) :
							 xstrdup(wanted);
	char *name = xstrdup(base);

	for (unsigned k = 2; json_object_get(reserved, name) || !take(taken, name); k++) {
		free(name);
		name = xasprintf("%s-%u", base, k);
	}
	free(base);
	return name;
}

/* What its target is to be. The caller frees. */
static char *
slug_of(const struct facts_session *s)
{
	char *slug = slug_make(s->session), *part;

	if (s->parts == 0)
		return slug;
	part = xasprintf(PART_TARGET, slug, s->part);
	free(slug);
	return part;
}

/*
 * Two rounds, so that a session whose name is a fine target already keeps it, whatever comes
 * before it in the noxfile: `lint` is lint and `lint!` is lint-2, in either order.
 */
static void
name_sessions(struct plan *plan, json_t *taken, json_t *reserved)
{
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < plan->n; i++) {
			struct plan_session *s = &plan->sessions[i];
			char *slug = slug_of(s->facts);

			if (!s->target && (round == 1 || (!strcmp(slug, s->facts->session) &&
							  !json_object_get(reserved, slug) &&
							  !json_object_get(taken, slug))))
				s->target = take_near(taken, reserved, slug);
			free(slug);
		}
	}
}

/*
 * The session joins the group of an alias: a base name, a signature (all that nox -s would take) or
 * a tag. Called in definition order; `known` maps an alias to the position of its group.
 */
static void
group_join(struct plan *plan, json_t *known, const char *alias, const char *kind, size_t session)
{
	json_t *at = json_object_get(known, alias);
	struct indices *members;

	if (!at) {
		plan_add_group(plan, kind, slug_make(alias),
		    xasprintf("%s%s", strcmp(kind, "tag") ? "" : "tag ", alias));
		at = json_integer((json_int_t)plan->ngroups - 1);
		json_object_set_new(known, alias, at);
	}
	members = &plan->groups[json_integer_value(at)].members;
	if (members->n == 0 || members->v[members->n - 1] != session)
		indices_add(members, session);
}

/*
 * Groups get their final names after all sessions have theirs. A group that would only repeat a
 * session's own target (the base name of a plain session) is dropped.
 */
static void
name_groups(struct plan *plan, size_t first, const char *prefix, json_t *taken, json_t *reserved)
{
	size_t kept = first;

	for (size_t i = first; i < plan->ngroups; i++) {
		struct plan_group group = plan->groups[i];
		const struct plan_session *only = group.members.n == 1 ?
		    &plan->sessions[group.members.v[0]] : NULL;
		char *wanted = group.target;

		if (only && (!strcmp(only->target, wanted) ||
				!strcmp(only->facts->session, group.what))) {
			free(group.target);
			free(group.what);
			free(group.members.v);
			continue;
		}
		if (json_object_get(taken, wanted) && prefix)
			wanted = xasprintf("%s%s", prefix, group.target);
		group.target = take_near(taken, reserved, wanted);
		if (wanted != plan->groups[i].target)
			free(wanted);
		free(plan->groups[i].target);
		plan->groups[kept++] = group;
	}
	plan->ngroups = kept;
}

static bool
is_selected(const struct plan *plan, size_t session)
{
	const struct strings *pythons = &plan->facts->pythons;
	const char *python = plan->sessions[session].facts->python;

	for (size_t i = 0; i < pythons->n && python; i++)
		if (!strcmp(pythons->v[i], python))
			return true;
	return false;
}

/*
 * nox.options.pythons narrows `nox -s tests`, and so `make tests`. Where it leaves nothing nox
 * refuses to run, and we take the group's name to be meant as it stands.
 */
static void
narrow_groups(struct plan *plan, size_t first)
{
	for (size_t i = first; i < plan->ngroups; i++) {
		struct indices *members = &plan->groups[i].members, kept = { 0 };

		for (size_t k = 0; k < members->n; k++)
			if (is_selected(plan, members->v[k]))
				indices_add(&kept, members->v[k]);
		if (kept.n > 0) {
			free(members->v);
			*members = kept;
		}
	}
}

static void
make_groups(struct plan *plan, json_t *taken, json_t *reserved)
{
	json_t *names = json_object(), *tags = json_object();
	struct plan_group *ci = plan_add_group(plan, "default", xstrdup("ci"),
	    xstrdup("the default sessions"));
	size_t first;

	for (size_t i = 0; i < plan->facts->queue.n; i++)
		indices_add(&ci->members, plan->facts->queue.v[i]);
	first = plan->ngroups;
	for (size_t i = 0; i < plan->n; i++) {
		const struct facts_session *s = plan->sessions[i].facts;

		if (s->parts > 0)
			group_join(plan, names, s->session, GROUP_PARTS, i);
		group_join(plan, names, s->name, "name", i);
		for (size_t k = 0; k < s->signatures.n; k++)
			if (strcmp(s->signatures.v[k], s->session) != 0)
				group_join(plan, names, s->signatures.v[k], "name", i);
	}
	name_groups(plan, first, NULL, taken, reserved);
	first = plan->ngroups;
	for (size_t i = 0; i < plan->n; i++) {
		const struct facts_session *s = plan->sessions[i].facts;

		for (size_t k = 0; k < s->tags.n; k++)
			group_join(plan, tags, s->tags.v[k], "tag", i);
	}
	name_groups(plan, first, "tag-", taken, reserved);
	narrow_groups(plan, 1);
	json_decref(names);
	json_decref(tags);
}

enum colour { WHITE, GREY, BLACK };

/*
 * Depth first (Cormen et al., "Depth-first search"): an edge to a grey session closes a cycle. nox
 * refuses such a selection; we drop that edge and let the session say why it does not run.
 */
static void
cut_cycles(struct plan *plan, size_t i, enum colour *colour)
{
	struct plan_session *s = &plan->sessions[i];
	const struct indices *wanted = &s->facts->requires;

	colour[i] = GREY;
	for (size_t k = 0; k < wanted->n; k++) {
		size_t other = wanted->v[k];

		if (colour[other] == GREY) {
			if (!s->complaint)
				s->complaint = xasprintf("requires=%s leads back to it",
				    plan->sessions[other].target);
			continue;
		}
		if (colour[other] == WHITE)
			cut_cycles(plan, other, colour);
		indices_add(&s->requires, other);
	}
	colour[i] = BLACK;
}

/* A notified session runs after its callers, unless a caller waits for it in its turn. */
static void
order_notified(struct plan *plan)
{
	for (size_t caller = 0; caller < plan->n; caller++) {
		const struct indices *targets = &plan->sessions[caller].facts->notifies;

		for (size_t k = 0; k < targets->n; k++) {
			size_t target = targets->v[k];

			if (!plan_waits_for(plan, caller, target))
				indices_add(&plan->sessions[target].after, caller);
		}
	}
}

/*
 * No target has the name of a group of the configuration; but the makefile may keep that name for
 * itself.
 */
static void
name_configured(struct plan *plan, size_t first, json_t *taken, json_t *reserved)
{
	for (size_t i = first; i < plan->ngroups; i++) {
		char *wanted = plan->groups[i].target;

		plan->groups[i].target = take_near(taken, reserved, wanted);
		free(wanted);
	}
}

static int
apply_config(struct plan *plan, json_t *taken, json_t *reserved)
{
	size_t first = plan->ngroups;
	struct config *config;
	int result = -1;

	if (plan->facts->config_error) {
		warnx(CONFIG_FILE ": %s", plan->facts->config_error);
		return -1;
	}
	if ((config = config_parse(plan->facts->config))) {
		result = overlay_apply(plan, config);
		name_configured(plan, first, taken, reserved);
	}
	config_free(config);
	return result;
}

/* Fills the sets of names: those that are in use, and those that must not be used. */
static void
reserve(json_t *taken, json_t *reserved, const struct strings *words)
{
	for (size_t i = 0; i < countof(always_reserved); i++)
		take(reserved, always_reserved[i]);
	for (size_t i = 0; i < words->n; i++)
		take(reserved, words->v[i]);
	take(taken, "ci");
	/* ci is ours even where the including makefile lists it as its own. */
	take(reserved, "ci");
}

/* A plan whose sessions have no more than their targets. */
static struct plan *
name_all(const struct facts *facts, json_t *taken, json_t *reserved)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));

	*plan = (struct plan){ .facts = facts, .n = facts->n };
	plan->sessions = xcalloc(plan->n, sizeof(*plan->sessions));
	for (size_t i = 0; i < plan->n; i++)
		plan->sessions[i].facts = &facts->sessions[i];
	name_sessions(plan, taken, reserved);
	return plan;
}

/* NULL after a warning. */
static struct plan *
make_plan(const struct facts *facts, const struct strings *words)
{
	enum colour *colour = xcalloc(facts->n, sizeof(*colour));
	json_t *taken = json_object(), *reserved = json_object();
	struct plan *plan;

	reserve(taken, reserved, words);
	plan = name_all(facts, taken, reserved);
	for (size_t i = 0; i < plan->n; i++)
		if (facts->sessions[i].complaint)
			plan->sessions[i].complaint = xstrdup(facts->sessions[i].complaint);
	for (size_t i = 0; i < facts->queue.n; i++)
		plan->sessions[facts->queue.v[i]].is_default = true;
	make_groups(plan, taken, reserved);
	for (size_t i = 0; i < plan->n; i++)
		if (colour[i] == WHITE)
			cut_cycles(plan, i, colour);
	free(colour);
	if (apply_config(plan, taken, reserved) == 0) {
		order_notified(plan);
		coupling_apply(plan);
	} else {
		plan_free(plan);
		plan = NULL;
	}
	json_decref(taken);
	json_decref(reserved);
	return plan;
}

/* Does a section cut its sessions? */
static bool
cuts_any(const json_t *config)
{
	json_t *section;
	const char *name;

	json_object_foreach(json_object_get(config, "session"), name, section)
		if (json_object_get(section, "parts"))
			return true;
	return false;
}

/*
 * Makes *all of facts with parts, or leaves it NULL where none is cut. Sections are for sessions by
 * any of their names, so that these come first. 0, or -1 after a warning.
 */
static int
cut(const struct facts *facts, const struct strings *words, struct facts **all)
{
	json_t *taken, *reserved;
	struct config *config;
	struct plan *plan;
	int result;

	if (!cuts_any(facts->config))
		return 0;
	config = config_parse(facts->config);
	if (!config)
		return -1;
	taken = json_object();
	reserved = json_object();
	reserve(taken, reserved, words);
	plan = name_all(facts, taken, reserved);
	result = parts_cut(plan, config, all);
	plan_free(plan);
	config_free(config);
	json_decref(taken);
	json_decref(reserved);
	return result;
}

struct plan *
planner_make(const struct facts *facts, const struct strings *words)
{
	struct facts *parts = NULL;
	struct plan *plan;

	if (cut(facts, words, &parts) < 0)
		return NULL;
	plan = make_plan(parts ? parts : facts, words);
	if (plan) {
		plan->cut = parts;
		parts_tell(plan);
	} else {
		facts_free(parts);
	}
	return plan;
}
