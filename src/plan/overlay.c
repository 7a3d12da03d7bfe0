#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "plan/claim.h"
#include "plan/group.h"
#include "plan/match.h"
#include "plan/overlay.h"

#define SECTION "session"

/* One section's sessions. */
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
	int *is_alone, *is_default;
	size_t *marks, stamp; /* sessions seen since the stamp was last changed */
};

static int
find_sections(struct overlay *d)
{
	for (size_t i = 0; i < d->config->nsessions; i++) {
		struct section *section = &d->sections[i];

		section->config = &d->config->sessions[i];
		section->hits = match_find(d->match, section->config->name);
		if (section->hits.n == 0) {
			char *place = setting_place(SECTION, section->config->name, NULL);

			match_warn(d->match, place, section->config->name);
			free(place);
			return -1;
		}
	}
	return 0;
}

static void
set_options(struct overlay *d, const struct config_session *config, size_t session)
{
	struct plan_session *s = &d->plan->sessions[session];

	options_add(&s->options, config->table);
	if (config->is_default != CONFIG_UNSET)
		d->is_default[session] = config->is_default;
	if (config->alone != CONFIG_UNSET) {
		d->is_alone[session] = config->alone;
		d->alone[session] = config->name;
	}
}

static int
claim_resources(struct overlay *d, const struct config_session *config, size_t session)
{
	char *uses = setting_place(SECTION, config->name, "uses");
	char *reads = setting_place(SECTION, config->name, "reads");
	int result = 0;

	for (size_t i = 0; i < config->uses.n && result == 0; i++)
		result = claim_use(d->claims, session, &config->uses.v[i], uses);
	for (size_t i = 0; i < config->reads.n && result == 0; i++)
		result = claim_read(d->claims, session, config->reads.v[i], reads);
	free(uses);
	free(reads);
	return result;
}

/* The least exact sections first: what comes later overrides it. */
static int
apply_sections(struct overlay *d)
{
	for (enum match_kind kind = MATCH_PATTERN; kind <= MATCH_FULL; kind++) {
		for (size_t i = 0; i < d->config->nsessions; i++) {
			const struct section *section = &d->sections[i];

			for (size_t k = 0; k < section->hits.n; k++) {
				if (section->hits.v[k].kind != kind)
					continue;
				set_options(d, section->config, section->hits.v[k].session);
				if (claim_resources(d, section->config,
					section->hits.v[k].session) < 0)
					return -1;
			}
		}
	}
	return 0;
}

static void
claim_alone(struct overlay *d)
{
	for (size_t i = 0; i < d->plan->n; i++) {
		char *by;

		if (d->is_alone[i] == CONFIG_UNSET)
			d->is_alone[i] = d->plan->sessions[i].facts->parallel == 0;
		if (!d->is_alone[i])
			continue;
		by = d->alone[i] ? setting_place(SECTION, d->alone[i], "alone") :
				   xstrdup("allow_parallel=False");
		claim_everything(d->claims, i, by);
		free(by);
	}
	claim_the_rest(d->claims);
}

static void
mark_all(struct overlay *d, const struct indices *list)
{
	for (size_t k = 0; k < list->n; k++)
		d->marks[list->v[k]] = d->stamp;
}

/*
 * The session waits for the hits that it does not wait for yet; not for itself, where a pattern or
 * a name of several covers it.
 */
static void
add_edges(struct overlay *d, size_t session, bool needs, const struct match_hits *hits,
    const char *by)
{
	struct plan_session *s = &d->plan->sessions[session];
	struct indices *list = needs ? &s->requires : &s->after;

	d->stamp++;
	d->marks[session] = d->stamp;
	mark_all(d, &s->requires);
	mark_all(d, list);
	if (!s->by)
		s->by = json_object();
	for (size_t k = 0; k < hits->n; k++) {
		size_t other = hits->v[k].session;

		if (d->marks[other] == d->stamp)
			continue;
		indices_add(list, other);
		json_object_set_new(s->by, d->plan->sessions[other].target, json_string(by));
	}
}

/* The very name of one session. */
static bool
is_one(const struct match_hits *hits)
{
	return hits->n == 1 && hits->v[0].kind != MATCH_PATTERN;
}

static int
order_section(struct overlay *d, const struct section *section, bool needs)
{
	const struct strings *names = needs ? &section->config->needs : &section->config->after;
	char *place = setting_place(SECTION, section->config->name, needs ? "needs" : "after");
	int result = 0;

	for (size_t i = 0; i < names->n && result == 0; i++) {
		struct match_hits hits = match_find(d->match, names->v[i]);

		if (hits.n == 0) {
			match_warn(d->match, place, names->v[i]);
			result = -1;
		} else if (is_one(&hits) && is_one(&section->hits) &&
			   hits.v[0].session == section->hits.v[0].session) {
			warnx(CONFIG_FILE ": %s: \"%s\" is the session itself", place, names->v[i]);
			result = -1;
		}
		for (size_t k = 0; k < section->hits.n && result == 0; k++)
			add_edges(d, section->hits.v[k].session, needs, &hits, place);
		free(hits.v);
	}
	free(place);
	return result;
}

/* All needs come first, so that after leaves out what is needed anyway. */
static int
order_sections(struct overlay *d)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < d->config->nsessions; i++)
			if (order_section(d, &d->sections[i], pass == 0) < 0)
				return -1;
	return 0;
}

static bool
names_session(const struct overlay *d, const struct strings *names, size_t session)
{
	bool found = false;

	for (size_t i = 0; i < names->n && !found; i++) {
		struct match_hits hits = match_find(d->match, names->v[i]);

		for (size_t k = 0; k < hits.n; k++)
			found = found || hits.v[k].session == session;
		free(hits.v);
	}
	return found;
}

/* Which section made `session` wait for the other, and by which key; NULL: nox's requires= did. */
static const char *
find_declaration(const struct overlay *d, size_t session, size_t other, const char **key)
{
	for (size_t i = 0; i < d->config->nsessions; i++) {
		const struct config_session *config = d->sections[i].config;
		bool covers = false;

		for (size_t k = 0; k < d->sections[i].hits.n; k++)
			covers = covers || d->sections[i].hits.v[k].session == session;
		*key = "needs";
		if (covers && names_session(d, &config->needs, other))
			return config->name;
		*key = "after";
		if (covers && names_session(d, &config->after, other))
			return config->name;
	}
	*key = "requires=";
	return NULL;
}

/* path: sessions each of which waits for the next, and the last for the first. */
static void
warn_cycle(const struct overlay *d, const size_t *path, size_t n)
{
	struct buffer steps = { 0 };
	char *place = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t next = path[(i + 1) % n];
		const char *key, *section = find_declaration(d, path[i], next, &key);

		buffer_printf(&steps, "%s%s %s %s", i ? ", " : "",
		    d->plan->sessions[path[i]].target, key, d->plan->sessions[next].target);
		if (section && !place)
			place = setting_place(SECTION, section, key);
	}
	warnx(CONFIG_FILE ": %s: a cycle: %s", place ? place : "tool.noxmk", steps.data);
	free(place);
	buffer_free(&steps);
}

enum colour { WHITE, GREY, BLACK };

/* Depth first: an edge to a session on the way here closes a cycle. */
static int
find_cycle(const struct overlay *d, size_t i, enum colour *colour, struct indices *path)
{
	const struct plan_session *s = &d->plan->sessions[i];
	const struct indices *lists[] = { &s->requires, &s->after };

	colour[i] = GREY;
	indices_add(path, i);
	for (size_t l = 0; l < countof(lists); l++) {
		for (size_t k = 0; k < lists[l]->n; k++) {
			size_t other = lists[l]->v[k], start = path->n;

			if (colour[other] == GREY) {
				while (path->v[--start] != other)
					;
				warn_cycle(d, path->v + start, path->n - start);
				return -1;
			}
			if (colour[other] == WHITE && find_cycle(d, other, colour, path) < 0)
				return -1;
		}
	}
	colour[i] = BLACK;
	path->n--;
	return 0;
}

/* nox's own cycles are cut by now. */
static int
check_cycles(const struct overlay *d)
{
	enum colour *colour = xcalloc(d->plan->n, sizeof(*colour));
	struct indices path = { 0 };
	int result = 0;

	for (size_t i = 0; i < d->plan->n && result == 0; i++)
		if (colour[i] == WHITE)
			result = find_cycle(d, i, colour, &path);
	free(colour);
	free(path.v);
	return result;
}

/* ci: nox's selection without those that the configuration takes out, then those it brings in. */
static void
set_defaults(struct overlay *d)
{
	struct indices *members = &d->plan->groups[0].members;
	size_t kept = 0;

	for (size_t i = 0; i < members->n; i++)
		if (d->is_default[members->v[i]] != 0)
			members->v[kept++] = members->v[i];
	members->n = kept;
	for (size_t i = 0; i < d->plan->n; i++) {
		struct plan_session *s = &d->plan->sessions[i];

		if (d->is_default[i] == 1 && !s->is_default)
			indices_add(members, i);
		if (d->is_default[i] != CONFIG_UNSET)
			s->is_default = d->is_default[i];
	}
}

static void
free_overlay(struct overlay *d)
{
	for (size_t i = 0; i < d->config->nsessions; i++)
		free(d->sections[i].hits.v);
	free(d->sections);
	free(d->alone);
	free(d->is_alone);
	free(d->is_default);
	free(d->marks);
	claims_free(d->claims);
	match_free(d->match);
}

int
overlay_apply(struct plan *plan, const struct config *config)
{
	struct overlay d = { .plan = plan, .config = config, .match = match_new(plan),
		.claims = claims_new(plan, config) };
	int result = -1;

	d.sections = xcalloc(config->nsessions, sizeof(*d.sections));
	d.alone = xcalloc(plan->n, sizeof(*d.alone));
	d.is_alone = xcalloc(plan->n, sizeof(*d.is_alone));
	d.is_default = xcalloc(plan->n, sizeof(*d.is_default));
	d.marks = xcalloc(plan->n, sizeof(*d.marks));
	for (size_t i = 0; i < plan->n; i++)
		d.is_alone[i] = d.is_default[i] = CONFIG_UNSET;
	plan->source_build = config->source_build;
	plan->log_limit = config->log_limit;
	for (size_t i = 0; i < config->mask.n; i++)
		strings_add(&plan->mask, config->mask.v[i]);
	if (find_sections(&d) == 0 && apply_sections(&d) == 0 && order_sections(&d) == 0 &&
	    check_cycles(&d) == 0 && group_all(plan, config, d.match) == 0) {
		claim_alone(&d);
		claim_environments(d.claims);
		set_defaults(&d);
		result = 0;
	}
	free_overlay(&d);
	return result;
}
