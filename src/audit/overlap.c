#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "audit/overlap.h"
#include "base/file.h"
#include "base/json.h"
#include "output/screen.h"
#include "state/word.h"

#define NAME ".overlaps.json"

/*
 * A hazard may have many sessions: only these are meant. NULL: all. left: only where the target,
 * alone, may have found what one of the others has left.
 */
struct between {
	const char *target;
	const json_t *others;
	bool left;
};

static bool
is_meant(const struct between *between, const char *target)
{
	return !between || !strcmp(target, between->target) ||
	       json_list_has(between->others, target);
}

/* The sessions of the hazard that are meant: those that write, or those that only read. */
static json_t *
members_of(const struct analysis *a, const struct hazard *hazard, const struct between *between,
    bool writers)
{
	json_t *names = json_array();

	for (size_t i = 0; i < hazard->nmembers; i++) {
		const struct hazard_member *member = &hazard->members[i];
		const char *target = a->actors[member->actor].target;

		if (is_meant(between, target) && !!(member->roles & ROLE_WRITES) == writers)
			json_array_append_new(names, json_string(target));
	}
	return names;
}

static char *
words_of(const struct hazard *hazard, const json_t *writers, const json_t *readers, bool named)
{
	size_t nwriters = json_array_size(writers), nreaders = json_array_size(readers);
	const char *writes = clash_verb(hazard->kind, true, nwriters);
	char *what = screen_safe(hazard->what), *words;
	char *names = json_list_join(writers, ", "), *others = json_list_join(readers, ", ");

	if (nreaders == 0)
		words = xasprintf("%s %s %s", named ? names : nwriters == 2 ? "both" : "all",
		    writes, what);
	else
		words = xasprintf("%s %s %s, %s %s it", names, writes, what, others,
		    clash_verb(hazard->kind, false, nreaders));
	free(names);
	free(others);
	free(what);
	return words;
}

/* A port is free when its session has ended. */
static bool
is_left(const struct hazard *hazard, const json_t *writers, const char *target)
{
	bool others = json_array_size(writers) > (json_list_has(writers, target) ? 1 : 0);

	return hazard->level == LEVEL_CONFLICT && hazard->kind != CLASH_PORT &&
	       hazard->kind != CLASH_SERVES && others;
}

/* NULL if it is not between those that are meant. */
static json_t *
overlap_of(const struct analysis *a, const struct hazard *hazard, const struct between *between)
{
	json_t *writers = members_of(a, hazard, between, true);
	json_t *readers = members_of(a, hazard, between, false), *overlap = NULL;
	bool left = between && between->left;
	char *words;

	if (json_array_size(writers) > 0 &&
	    json_array_size(writers) + json_array_size(readers) > 1 &&
	    (!left || is_left(hazard, writers, between->target))) {
		words = words_of(hazard, writers, readers, left);
		json_array_extend(writers, readers);
		overlap = json_pack("{s:s,s:s,s:o,s:i,s:O,s:o}", "level",
		    level_name(hazard->level), "kind", clash_name(hazard->kind), "what",
		    word_json(hazard->what, NULL), "paths", (int)hazard->npaths, "sessions",
		    writers, "words", json_text_or_null(words));
		free(words);
	}
	json_decref(writers);
	json_decref(readers);
	return overlap;
}

static json_t *
list_of(const struct analysis *a, const struct between *between)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->hazards.n; i++) {
		json_t *overlap = a->hazards.v[i].level == LEVEL_HARMLESS ? NULL :
			overlap_of(a, &a->hazards.v[i], between);

		if (overlap && (!between || overlap_is_of(overlap, between->target)))
			json_array_append(list, overlap);
		json_decref(overlap);
	}
	return list;
}

json_t *
overlap_all(const struct analysis *a)
{
	return list_of(a, NULL);
}

json_t *
overlap_between(const struct analysis *a, const char *target, const json_t *others)
{
	return list_of(a, &(struct between){ target, others, false });
}

json_t *
overlap_left(const struct analysis *a, const char *target, const json_t *others)
{
	return list_of(a, &(struct between){ target, others, true });
}

void
overlap_write(int rundir, const json_t *overlaps)
{
	json_t *all = json_pack("{s:i,s:O}", "schema", 1, "overlaps", overlaps);
	char *text = json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (file_store(rundir, NAME, text, strlen(text)) < 0)
		warn(NAME);
	free(text);
	json_decref(all);
}

static bool
is_sound(const json_t *overlap)
{
	static const char *const texts[] = { "level", "kind", "words" };

	for (size_t i = 0; i < countof(texts); i++)
		if (!json_is_string(json_object_get(overlap, texts[i])))
			return false;
	return json_is_array(json_object_get(overlap, "sessions")) &&
	       json_object_get(overlap, "what") &&
	       json_is_integer(json_object_get(overlap, "paths"));
}

json_t *
overlap_read(int rundir)
{
	struct buffer text = { 0 };
	json_t *all = NULL, *list = NULL, *overlap;
	size_t i;

	if (file_load(rundir, NAME, &text) == 0 && text.data)
		all = json_loadb(text.data, text.len, 0, NULL);
	if (json_is_array(json_object_get(all, "overlaps")))
		list = json_array();
	json_array_foreach(json_object_get(all, "overlaps"), i, overlap)
		if (is_sound(overlap))
			json_array_append(list, overlap);
	json_decref(all);
	buffer_free(&text);
	return list;
}

char *
overlap_told(const json_t *overlap)
{
	char *names = json_list_join(json_object_get(overlap, "sessions"), ", ");
	char *told = xasprintf("%s (%s)", json_text(overlap, "words"), names);

	free(names);
	return told;
}

bool
overlap_is_of(const json_t *overlap, const char *target)
{
	return json_list_has(json_object_get(overlap, "sessions"), target);
}
