#include <err.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "plan/match.h"
#include "plan/parts.h"

#define PART "{part}"
#define PARTS "{parts}"

bool
parts_are_told(const struct options *options)
{
	const char *name;
	json_t *item;
	size_t i;

	json_array_foreach(options->part_args, i, item)
		if (strstr(json_string_value(item), PART))
			return true;
	json_object_foreach(options->env, name, item)
		if (strstr(json_string_value(item), PART))
			return true;
	return false;
}

static struct strings
copy_strings(const struct strings *from)
{
	struct strings copy = { 0 };

	for (size_t i = 0; i < from->n; i++)
		strings_add(&copy, from->v[i]);
	return copy;
}

/* firsts: of each session the position of its first part; one more is how many there are. */
static struct indices
copy_indices(const struct indices *from, const size_t *firsts)
{
	struct indices copy = { 0 };

	for (size_t i = 0; i < from->n; i++)
		for (size_t k = firsts[from->v[i]]; k < firsts[from->v[i] + 1]; k++)
			indices_add(&copy, k);
	return copy;
}

static struct facts_session
copy_session(const struct facts_session *from, const size_t *firsts)
{
	struct facts_session copy = *from;

	copy.signatures = copy_strings(&from->signatures);
	copy.tags = copy_strings(&from->tags);
	copy.requires = copy_indices(&from->requires, firsts);
	copy.notifies = copy_indices(&from->notifies, firsts);
	copy.ties = xcalloc(from->nties, sizeof(*copy.ties));
	for (size_t i = 0; i < from->nties; i++) {
		copy.ties[i] = from->ties[i];
		copy.ties[i].from = copy_indices(&from->ties[i].from, firsts);
	}
	return copy;
}

static struct facts *
copy_facts(const struct facts *from, const size_t *firsts)
{
	struct facts *copy = xcalloc(1, sizeof(*copy));

	*copy = *from;
	json_incref(copy->root);
	copy->path = copy_strings(&from->path);
	copy->asked = copy_strings(&from->asked);
	copy->args = copy_strings(&from->args);
	copy->pythons = copy_strings(&from->pythons);
	copy->queue = copy_indices(&from->queue, firsts);
	copy->n = firsts[from->n];
	copy->sessions = xcalloc(copy->n, sizeof(*copy->sessions));
	for (size_t i = 0; i < from->n; i++)
		for (size_t k = firsts[i]; k < firsts[i + 1]; k++) {
			copy->sessions[k] = copy_session(&from->sessions[i], firsts);
			if (firsts[i + 1] - firsts[i] == 1)
				continue;
			copy->sessions[k].part = (unsigned)(k - firsts[i]) + 1;
			copy->sessions[k].parts = (unsigned)(firsts[i + 1] - firsts[i]);
		}
	return copy;
}

/* In how many parts the section cuts its sessions; 0: it does not say. */
static size_t
parts_in(const struct config_session *section)
{
	return (size_t)json_integer_value(json_object_get(section->table, "parts"));
}

/* Of each session how many parts there are, by the most exact section that says so. */
static void
count_parts(const struct plan *plan, const struct config *config, size_t *counts)
{
	struct match *match = match_new(plan);

	for (size_t i = 0; i < plan->n; i++)
		counts[i] = 1;
	for (enum match_kind kind = MATCH_PATTERN; kind <= MATCH_PART; kind++)
		for (size_t i = 0; i < config->nsessions; i++) {
			size_t parts = parts_in(&config->sessions[i]);
			struct match_hits hits = { 0 };

			if (parts > 0)
				hits = match_find(match, config->sessions[i].name);
			for (size_t k = 0; k < hits.n; k++)
				if (hits.v[k].kind == kind)
					counts[hits.v[k].session] = parts;
			free(hits.v);
		}
	match_free(match);
}

/* The target of the session that is cut in a part by that name or pattern; NULL: none is. */
static const char *
whole_of(const struct plan *plan, const size_t *counts, const char *name)
{
	for (size_t i = 0; i < plan->n; i++)
		for (size_t part = 1; part <= counts[i] && counts[i] > 1; part++) {
			char *target = xasprintf(PART_TARGET, plan->sessions[i].target,
			    (unsigned)part);
			bool is = fnmatch(name, target, 0) == 0;

			free(target);
			if (is)
				return plan->sessions[i].target;
		}
	return NULL;
}

/* Parts are not cut once more. -1 after a warning of the first section that says so. */
static int
check_sections(const struct plan *plan, const struct config *config, const size_t *counts)
{
	struct match *match = match_new(plan);
	const char *whole = NULL;

	for (size_t i = 0; i < config->nsessions && !whole; i++) {
		const char *name = config->sessions[i].name;
		struct match_hits hits = match_find(match, name);
		char *place = setting_place("session", name, "parts"), *right = NULL;

		if (hits.n == 0 && parts_in(&config->sessions[i]) > 0)
			whole = whole_of(plan, counts, name);
		if (whole) {
			right = setting_place("session", whole, NULL);
			warnx(CONFIG_FILE ": %s: a part is not cut once more: say in [%s] how many "
			      "there are", place, right);
		}
		free(right);
		free(place);
		free(hits.v);
	}
	match_free(match);
	return whole ? -1 : 0;
}

int
parts_cut(const struct plan *plan, const struct config *config, struct facts **facts)
{
	size_t *counts = xcalloc(plan->n, sizeof(*counts));
	size_t *firsts = xcalloc(plan->n + 1, sizeof(*firsts));
	int result;

	count_parts(plan, config, counts);
	result = check_sections(plan, config, counts);
	for (size_t i = 0; i < plan->n; i++)
		firsts[i + 1] = firsts[i] + counts[i];
	if (result == 0 && firsts[plan->n] > plan->n)
		*facts = copy_facts(plan->facts, firsts);
	free(firsts);
	free(counts);
	return result;
}

/* The text with the numbers in it; what is in one piece is part 1 of 1. A new reference. */
static json_t *
fill_in(const char *text, const struct facts_session *s)
{
	struct buffer out = { 0 };
	json_t *filled;

	buffer_addstr(&out, "");
	while (*text) {
		const char *brace = strchr(text, '{');
		size_t plain = brace ? (size_t)(brace - text) : strlen(text);

		buffer_add(&out, text, plain);
		text += plain;
		if (!strncmp(text, PART, strlen(PART))) {
			buffer_printf(&out, "%u", s->parts > 0 ? s->part : 1);
			text += strlen(PART);
		} else if (!strncmp(text, PARTS, strlen(PARTS))) {
			buffer_printf(&out, "%u", s->parts > 0 ? s->parts : 1);
			text += strlen(PARTS);
		} else if (*text) {
			buffer_add(&out, text++, 1);
		}
	}
	filled = json_stringn(out.data, out.len);
	buffer_free(&out);
	return filled;
}

static void
tell_part(struct plan_session *s)
{
	json_t *env = s->options.env ? json_object() : NULL, *item;
	const char *name;
	size_t i;

	json_object_foreach(s->options.env, name, item)
		json_object_set_new(env, name, fill_in(json_string_value(item), s->facts));
	json_decref(s->options.env);
	s->options.env = env;
	json_array_foreach(s->options.part_args, i, item)
		json_array_set_new(s->options.part_args, i,
		    fill_in(json_string_value(item), s->facts));
}

void
parts_tell(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->sessions[i].facts->parts > 0 || plan->sessions[i].options.parts == 1)
			tell_part(&plan->sessions[i]);
	for (size_t i = 0; i < plan->ngroups; i++) {
		const struct plan_group *group = &plan->groups[i];

		for (size_t k = 0; k < group->members.n && !strcmp(group->kind, GROUP_PARTS); k++)
			plan->sessions[group->members.v[k]].whole = group->target;
	}
}
