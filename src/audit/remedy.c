#include <stdlib.h>
#include <string.h>

#include "audit/remedy.h"
#include "base/json.h"
#include "base/slug.h"
#include "plan/setting.h"

/*
 * What tools can be told to put elsewhere, by a variable. place: how the hazard's place ends. The
 * value is `before`, and the target; of a session that is cut each part has its own.
 */
static const struct {
	const char *place, *variable, *before;
} tools[] = {
	{ ".coverage", "COVERAGE_FILE", ".coverage." },
	{ ".mypy_cache", "MYPY_CACHE_DIR", ".mypy_cache/" },
	{ ".ruff_cache", "RUFF_CACHE_DIR", ".ruff_cache/" },
	{ ".pytest_cache", "PYTEST_ADDOPTS", "-o cache_dir=.pytest_cache/" },
	{ ".testmondata", "TESTMON_DATAFILE", ".testmondata." },
	{ ".cache/black", "BLACK_CACHE_DIR", ".nox/.black/" },
	{ ".cache/pylint", "PYLINTHOME", ".nox/.pylint/" },
	{ ".cache/pre-commit", "PRE_COMMIT_HOME", ".nox/.pre-commit/" },
	{ ".hypothesis", "HYPOTHESIS_STORAGE_DIRECTORY", ".hypothesis/" },
};

/* The section's value of that key, which is made if need be. Borrowed. */
static json_t *
value_of(json_t *remedy, const char *target, const char *key)
{
	bool is_table = !strcmp(key, "env");
	json_t *section = json_object_get(remedy, target);

	if (!section) {
		section = json_object();
		json_object_set_new(remedy, target, section);
	}
	if (!json_object_get(section, key))
		json_object_set_new(section, key, is_table ? json_object() : json_array());
	return json_object_get(section, key);
}

static void
add_name(json_t *remedy, const char *target, const char *key, const char *name)
{
	json_t *list = value_of(remedy, target, key);

	if (!json_list_has(list, name))
		json_array_append_new(list, json_string(name));
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && !strcmp(text + len - tail, end) &&
	       (len == tail || text[len - tail - 1] == '/');
}

/*
 * Does the one have to come before the other: does it read what that leaves, or would leave? Two
 * that only write need not.
 */
static bool
is_ordered(const struct clash *clash)
{
	switch (clash->kind) {
	case CLASH_WRITES:
		return clash->hands_on;
	case CLASH_PORT:
	case CLASH_SERVES:
		return false;
	case CLASH_TREE:
		return clash->roles[0] != clash->roles[1];
	default:
		return true;
	}
}

static bool
any_is_ordered(const struct hazard *hazard, const struct clashes *clashes)
{
	for (size_t i = 0; i < hazard->clashes.n; i++)
		if (is_ordered(&clashes->v[hazard->clashes.v[i]]))
			return true;
	return false;
}

/* A place of its own for each, if the tool has a variable for that. */
static bool
set_variables(const struct hazard *hazard, const struct clashes *clashes,
    const struct actor *actors, json_t *remedy)
{
	bool hands_on = any_is_ordered(hazard, clashes);

	for (size_t i = 0; i < countof(tools); i++) {
		bool is_cache = strcmp(tools[i].variable, "COVERAGE_FILE") != 0;

		/* Caches hold nothing that another session needs. */
		if (!ends_with(hazard->place, tools[i].place) || (hands_on && !is_cache))
			continue;
		for (size_t k = 0; k < hazard->nmembers; k++) {
			const struct actor *actor = &actors[hazard->members[k].actor];
			const char *session = access_session(actor);
			char *value = xasprintf("%s%s%s", tools[i].before, session,
			    actor->whole ? ".{part}" : "");

			json_object_set_new(value_of(remedy, session, "env"), tools[i].variable,
			    json_string(value));
			free(value);
		}
		return true;
	}
	return false;
}

/*
 * Are these two ordered by another clash of the hazard? Two that write what a third one reads are,
 * too: it is to find what the later one leaves.
 */
static bool
pair_is_ordered(const struct hazard *hazard, const struct clashes *clashes,
    const struct clash *pair)
{
	for (size_t i = 0; i < hazard->clashes.n; i++) {
		const struct clash *clash = &clashes->v[hazard->clashes.v[i]];

		bool same = clash->first == pair->first && clash->second == pair->second;

		if (is_ordered(clash) && (same || (pair->kind == CLASH_WRITES &&
		    !strcmp(clash->path, pair->path))))
			return true;
	}
	return false;
}

/* The name of what they share, as the configuration allows it. */
static char *
resource_of(const struct hazard *hazard)
{
	static const char *const heads[] = { ".nox/", "~/" };
	const char *place = hazard->place;

	for (size_t i = 0; i < countof(heads); i++)
		if (strncmp(place, heads[i], strlen(heads[i])) == 0)
			place += strlen(heads[i]);
	return slug_make(place);
}

/*
 * Do builds only make the same of it, which are kept apart? To keep whole sessions apart for the
 * moment in which a third one may read it costs more than it saves.
 */
static bool
is_cheap(const struct clash *clash)
{
	return clash->kind == CLASH_WRITES && clash->level == LEVEL_LIKELY;
}

json_t *
remedy_of(const struct hazard *hazard, const struct clashes *clashes, const struct actor *actors)
{
	json_t *remedy = json_object();
	char *resource;

	/* A secret was there (output/mask.h): the rest of it names nothing. */
	if (strstr(hazard->place, "***"))
		return remedy;
	if (set_variables(hazard, clashes, actors, remedy))
		return remedy;
	resource = resource_of(hazard);
	for (size_t i = 0; i < hazard->clashes.n; i++) {
		const struct clash *clash = &clashes->v[hazard->clashes.v[i]];
		const char *first = access_session(&actors[clash->first]);
		const char *second = access_session(&actors[clash->second]);

		if (is_cheap(clash))
			continue;
		/* Parts of a session have one section, which cannot come after itself. */
		if (strcmp(first, second) != 0 && pair_is_ordered(hazard, clashes, clash)) {
			add_name(remedy, second, "after", first);
		} else {
			add_name(remedy, first, "uses", resource);
			add_name(remedy, second, "uses", resource);
		}
	}
	free(resource);
	return remedy;
}

void
remedy_merge(json_t *into, const json_t *other)
{
	const char *target, *key, *name;
	json_t *section, *value, *item;
	size_t i;

	json_object_foreach((json_t *)other, target, section)
		json_object_foreach(section, key, value) {
			json_object_foreach(value, name, item)
				json_object_set(value_of(into, target, key), name, item);
			json_array_foreach(value, i, item)
				add_name(into, target, key, json_string_value(item));
		}
}

static void
add_quoted(struct buffer *out, const char *text)
{
	/* A basic string of TOML is one of JSON, if that escapes what is not ASCII. */
	json_t *value = json_string(text);
	char *quoted = json_dumps(value, JSON_ENCODE_ANY);

	buffer_addstr(out, quoted ? quoted : "\"\"");
	free(quoted);
	json_decref(value);
}

void
remedy_each_line(const json_t *section, void (*print)(void *, const char *), void *data)
{
	const char *key, *name;
	json_t *value, *item;
	size_t i;

	json_object_foreach((json_t *)section, key, value) {
		struct buffer line = { 0 };
		const char *between = "";

		buffer_printf(&line, "%s = %s", key, json_is_object(value) ? "{" : "[");
		json_object_foreach(value, name, item) {
			buffer_printf(&line, "%s%s = ", between, name);
			add_quoted(&line, json_string_value(item));
			between = ", ";
		}
		json_array_foreach(value, i, item) {
			buffer_addstr(&line, between);
			add_quoted(&line, json_string_value(item));
			between = ", ";
		}
		buffer_addstr(&line, json_is_object(value) ? "}" : "]");
		print(data, line.data);
		buffer_free(&line);
	}
}

char *
remedy_head(const char *target)
{
	char *place = setting_place("session", target, NULL);
	char *head = xasprintf("[%s]", place);

	free(place);
	return head;
}
