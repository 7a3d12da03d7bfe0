#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "plan/claim.h"
#include "plan/group.h"
#include "plan/match.h"
#include "plan/overlay.h"
#include "plan/parts.h"

#define SECTION "session"

/* A section [tool.noxmk.session.NAME], and the sessions that NAME means. */
struct section {
	const struct config_session *config;
	struct match_hits hits;
};

struct overlay {
	struct plan *plan;
	const struct config *config;
	struct match *match;
	struct claims *claims;
	struct section *sections; /* as many as config->sessions */
	const char **alone;       /* for each session: the section that decides, or NULL */
	const char **parts;       /* likewise, of what it is cut in */
	int *is_alone, *is_default;
	size_t *marks, stamp; /* a session is marked if its mark is the stamp */
};

static int
find_sections(struct overlay *o)
{
	for (size_t i = 0; i < o->config->nsessions; i++) {
		struct section *section = &o->sections[i];

		section->config = &o->config->sessions[i];
		section->hits = match_find(o->match, section->config->name);
		if (section->hits.n == 0) {
			char *place = setting_place(SECTION, section->config->name, NULL);

			match_warn(o->match, place, section->config->name);
			free(place);
			return -1;
		}
	}
	return 0;
}

static void
set_options(struct overlay *o, const struct config_session *config, size_t session)
{
	struct plan_session *s = &o->plan->sessions[session];

	options_add(&s->options, config->table);
	s->is_ordered = s->is_ordered || json_object_get(config->table, "after") ||
	    json_object_get(config->table, "needs");
	if (json_object_get(config->table, "parts") || json_object_get(config->table, "part-args"))
		o->parts[session] = config->name;
	if (config->is_default != CONFIG_UNSET)
		o->is_default[session] = config->is_default;
	if (config->alone != CONFIG_UNSET) {
		o->is_alone[session] = config->alone;
		o->alone[session] = config->name;
	}
}

static int
claim_resources(struct overlay *o, const struct config_session *config, size_t session)
{
	char *uses = setting_place(SECTION, config->name, "uses");
	char *reads = setting_place(SECTION, config->name, "reads");
	int result = 0;

	for (size_t i = 0; i < config->uses.n && result == 0; i++)
		result = claim_use(o->claims, session, &config->uses.v[i], uses);
	for (size_t i = 0; i < config->reads.n && result == 0; i++)
		result = claim_read(o->claims, session, config->reads.v[i], reads);
	free(uses);
	free(reads);
	return result;
}

/* The least exact sections come first, since a later one overrides what they say. */
static int
apply_sections(struct overlay *o)
{
	for (enum match_kind kind = MATCH_PATTERN; kind <= MATCH_PART; kind++) {
		for (size_t i = 0; i < o->config->nsessions; i++) {
			const struct section *section = &o->sections[i];

			for (size_t k = 0; k < section->hits.n; k++) {
				if (section->hits.v[k].kind != kind)
					continue;
				set_options(o, section->config, section->hits.v[k].session);
				if (claim_resources(o, section->config,
					section->hits.v[k].session) < 0)
					return -1;
			}
		}
	}
	return 0;
}

/* Parts that do not know which one they are would do all the work again, each of them. */
static int
check_parts(const struct overlay *o)
{
	for (size_t i = 0; i < o->plan->n; i++) {
		const struct options *options = &o->plan->sessions[i].options;
		bool cut = options->parts > 1, told = parts_are_told(options);
		char *place;

		if (options->parts == 0 ? json_array_size(options->part_args) == 0 : !cut || told)
			continue;
		place = setting_place(SECTION, o->parts[i], cut ? "parts" : "part-args");
		if (cut)
			warnx(CONFIG_FILE ": %s: nothing tells a part which one it is: "
			      "part-args = [\"--splits={parts}\", \"--group={part}\"] does, or "
			      "{part} in env", place);
		else
			warnx(CONFIG_FILE ": %s: there are no parts to be told of: add parts = 4",
			    place);
		free(place);
		return -1;
	}
	return 0;
}

static void
claim_alone(struct overlay *o)
{
	for (size_t i = 0; i < o->plan->n; i++) {
		char *by;

		if (o->is_alone[i] == CONFIG_UNSET)
			o->is_alone[i] = o->plan->sessions[i].facts->parallel == 0;
		if (!o->is_alone[i])
			continue;
		by = o->alone[i] ? setting_place(SECTION, o->alone[i], "alone") :
				   xstrdup("allow_parallel=False");
		claim_everything(o->claims, i, by);
		free(by);
	}
	claim_the_rest(o->claims);
}

static void
mark_all(struct overlay *o, const struct indices *list)
{
	for (size_t k = 0; k < list->n; k++)
		o->marks[list->v[k]] = o->stamp;
}

/*
 * Makes the session wait for those hits that it does not wait for yet. A pattern, or a name of
 * several sessions, may cover the session itself; that edge is left out.
 */
static void
add_edges(struct overlay *o, size_t session, bool needs, const struct match_hits *hits,
    const char *by)
{
	struct plan_session *s = &o->plan->sessions[session];
	struct indices *list = needs ? &s->requires : &s->after;

	o->stamp++;
	o->marks[session] = o->stamp;
	mark_all(o, &s->requires);
	mark_all(o, list);
	if (!s->by)
		s->by = json_object();
	for (size_t k = 0; k < hits->n; k++) {
		size_t other = hits->v[k].session;

		if (o->marks[other] == o->stamp)
			continue;
		indices_add(list, other);
		json_object_set_new(s->by, o->plan->sessions[other].target, json_string(by));
	}
}

/* Is it the name of just one session, and no pattern? */
static bool
is_one(const struct match_hits *hits)
{
	return hits->n == 1 && hits->v[0].kind != MATCH_PATTERN;
}

static int
order_section(struct overlay *o, const struct section *section, bool needs)
{
	const struct strings *names = needs ? &section->config->needs : &section->config->after;
	char *place = setting_place(SECTION, section->config->name, needs ? "needs" : "after");
	int result = 0;

	for (size_t i = 0; i < names->n && result == 0; i++) {
		struct match_hits hits = match_find(o->match, names->v[i]);

		if (hits.n == 0) {
			match_warn(o->match, place, names->v[i]);
			result = -1;
		} else if (is_one(&hits) && is_one(&section->hits) &&
			   hits.v[0].session == section->hits.v[0].session) {
			warnx(CONFIG_FILE ": %s: \"%s\" is the session itself", place, names->v[i]);
			result = -1;
		}
		for (size_t k = 0; k < section->hits.n && result == 0; k++)
			add_edges(o, section->hits.v[k].session, needs, &hits, place);
		free(hits.v);
	}
	free(place);
	return result;
}

/* The first pass adds all needs, so that the second leaves out an `after` that is needed anyway. */
static int
order_sections(struct overlay *o)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < o->config->nsessions; i++)
			if (order_section(o, &o->sections[i], pass == 0) < 0)
				return -1;
	return 0;
}

/* With all of the hits, or with the first one, which another session is with as with all others. */
static void
tie_session(struct overlay *o, size_t session, const struct match_hits *hits, bool all)
{
	for (size_t h = 0; h < (all ? hits->n : at_most((unsigned)hits->n, 1)); h++)
		if (hits->v[h].session != session)
			indices_add(&o->plan->sessions[session].together, hits->v[h].session);
}

/* What they are to be on one machine with; a name may cover the session itself. */
static int
keep_together(struct overlay *o, const struct section *section)
{
	const struct strings *names = &section->config->together;
	char *place = setting_place(SECTION, section->config->name, "together");
	int result = 0;

	for (size_t i = 0; i < names->n && result == 0; i++) {
		struct match_hits hits = match_find(o->match, names->v[i]);

		if (hits.n == 0) {
			match_warn(o->match, place, names->v[i]);
			result = -1;
		}
		for (size_t k = 0; k < section->hits.n; k++)
			tie_session(o, section->hits.v[k].session, &hits, k == 0);
		free(hits.v);
	}
	free(place);
	return result;
}

static int
tie_sections(struct overlay *o)
{
	for (size_t i = 0; i < o->config->nsessions; i++)
		if (keep_together(o, &o->sections[i]) < 0)
			return -1;
	return 0;
}

/* path: sessions of which each waits for the next, and the last for the first. */
static void
warn_cycle(const struct overlay *o, const size_t *path, size_t n)
{
	struct buffer steps = { 0 };
	const char *place = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct plan_session *s = &o->plan->sessions[path[i]];
		const char *next = o->plan->sessions[path[(i + 1) % n]].target;
		const char *by = json_string_value(json_object_get(s->by, next));

		/* The place ends with the key, ".needs"; without one nox's requires= said so. */
		buffer_printf(&steps, "%s%s %s %s", i ? ", " : "", s->target,
		    by ? strrchr(by, '.') + 1 : "requires=", next);
		if (!place)
			place = by;
	}
	warnx(CONFIG_FILE ": %s: a cycle: %s", place ? place : "tool.noxmk", steps.data);
	buffer_free(&steps);
}

enum colour { WHITE, GREY, BLACK };

/* A search depth first: an edge to a session on the path to here (a grey one) closes a cycle. */
static int
find_cycle(const struct overlay *o, size_t i, enum colour *colour, struct indices *path)
{
	const struct plan_session *s = &o->plan->sessions[i];
	const struct indices *lists[] = { &s->requires, &s->after };

	colour[i] = GREY;
	indices_add(path, i);
	for (size_t l = 0; l < countof(lists); l++) {
		for (size_t k = 0; k < lists[l]->n; k++) {
			size_t other = lists[l]->v[k], start = path->n;

			if (colour[other] == GREY) {
				while (path->v[--start] != other)
					;
				warn_cycle(o, path->v + start, path->n - start);
				return -1;
			}
			if (colour[other] == WHITE && find_cycle(o, other, colour, path) < 0)
				return -1;
		}
	}
	colour[i] = BLACK;
	path->n--;
	return 0;
}

/* Only the configuration can close a cycle here, since the planner has cut those of requires=. */
static int
check_cycles(const struct overlay *o)
{
	enum colour *colour = xcalloc(o->plan->n, sizeof(*colour));
	struct indices path = { 0 };
	int result = 0;

	for (size_t i = 0; i < o->plan->n && result == 0; i++)
		if (colour[i] == WHITE)
			result = find_cycle(o, i, colour, &path);
	free(colour);
	free(path.v);
	return result;
}

/* ci is nox's selection without what default = false takes out, and then what true brings in. */
static void
set_defaults(struct overlay *o)
{
	struct indices *members = &o->plan->groups[0].members;
	size_t kept = 0;

	for (size_t i = 0; i < members->n; i++)
		if (o->is_default[members->v[i]] != 0)
			members->v[kept++] = members->v[i];
	members->n = kept;
	for (size_t i = 0; i < o->plan->n; i++) {
		struct plan_session *s = &o->plan->sessions[i];

		if (o->is_default[i] == 1 && !s->is_default)
			indices_add(members, i);
		if (o->is_default[i] != CONFIG_UNSET)
			s->is_default = o->is_default[i];
	}
}

static void
free_overlay(struct overlay *o)
{
	for (size_t i = 0; i < o->config->nsessions; i++)
		free(o->sections[i].hits.v);
	free(o->sections);
	free(o->alone);
	free(o->parts);
	free(o->is_alone);
	free(o->is_default);
	free(o->marks);
	claims_free(o->claims);
	match_free(o->match);
}

int
overlay_apply(struct plan *plan, const struct config *config)
{
	struct overlay o = { .plan = plan, .config = config, .match = match_new(plan),
		.claims = claims_new(plan, config) };
	int result = -1;

	o.sections = xcalloc(config->nsessions, sizeof(*o.sections));
	o.alone = xcalloc(plan->n, sizeof(*o.alone));
	o.parts = xcalloc(plan->n, sizeof(*o.parts));
	o.is_alone = xcalloc(plan->n, sizeof(*o.is_alone));
	o.is_default = xcalloc(plan->n, sizeof(*o.is_default));
	o.marks = xcalloc(plan->n, sizeof(*o.marks));
	for (size_t i = 0; i < plan->n; i++)
		o.is_alone[i] = o.is_default[i] = CONFIG_UNSET;
	plan->source_build = config->source_build;
	plan->learns = config->hazards && !strcmp(config->hazards, CONFIG_LEARN);
	plan->log_limit = config->log_limit;
	for (size_t i = 0; i < config->mask.n; i++)
		strings_add(&plan->mask, config->mask.v[i]);
	for (size_t i = 0; i < config->unmask.n; i++)
		strings_add(&plan->unmask, config->unmask.v[i]);
	plan->locks = config->locks;
	plan->ci_commands = config->ci_commands;
	if (find_sections(&o) == 0 && apply_sections(&o) == 0 && check_parts(&o) == 0 &&
	    order_sections(&o) == 0 && tie_sections(&o) == 0 && check_cycles(&o) == 0 &&
	    group_all(plan, config, o.match) == 0) {
		claim_alone(&o);
		claim_environments(o.claims);
		set_defaults(&o);
		result = 0;
	}
	free_overlay(&o);
	return result;
}
