#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "audit/lesson.h"
#include "base/file.h"
#include "base/json.h"
#include "plan/hazards.h"
#include "state/state.h"

/* The pairs, and by their words where each of them is: there may be a pair of any two sessions. */
struct lesson {
	json_t *pairs;
	json_t *places;
};

/* A word of a list, or "": the file may hold anything. */
static const char *
word_of(const json_t *list, size_t at)
{
	const char *word = json_string_value(json_array_get(list, at));

	return word ? word : "";
}

/* The caller frees. */
static char *
key_of(const char *first, const char *second)
{
	return xasprintf("%s %s", first, second);
}

static struct lesson
lesson_open(void)
{
	return (struct lesson){ json_array(), json_object() };
}

static void
lesson_close(struct lesson *lesson)
{
	json_decref(lesson->pairs);
	json_decref(lesson->places);
}

/* What was learned before. What is none of ours has no pairs. */
static struct lesson
lesson_before(int state)
{
	struct lesson lesson = lesson_open();
	struct buffer text = { 0 };
	json_t *all = NULL, *pair;
	size_t i;

	if (file_load(state, HAZARDS_NAME, &text) == 0 && text.data)
		all = json_loadb(text.data, text.len, 0, NULL);
	json_array_foreach(json_object_get(all, "pairs"), i, pair) {
		char *key = key_of(word_of(pair, 0), word_of(pair, 1));

		json_object_set_new(lesson.places, key,
		    json_integer((json_int_t)json_array_size(lesson.pairs)));
		json_array_append(lesson.pairs, pair);
		free(key);
	}
	json_decref(all);
	buffer_free(&text);
	return lesson;
}

/* The plan rests on the file: one that says the same stays. */
static void
lesson_write(const struct lesson *lesson, int state)
{
	json_t *all = json_pack("{s:i,s:O}", "schema", 1, "pairs", lesson->pairs);
	char *text = json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);
	struct buffer old = { 0 };

	if ((file_load(state, HAZARDS_NAME, &old) < 0 || !old.data ||
		strcmp(old.data, text) != 0) &&
	    file_replace(state, HAZARDS_NAME, text, strlen(text)) < 0)
		warn("%s/" HAZARDS_NAME, state_path());
	buffer_free(&old);
	free(text);
	json_decref(all);
}

/* what: NULL: nobody knows. What a failure has taught takes the place of what was seen. */
static void
add_pair(struct lesson *lesson, const char *first, const char *second, const char *what,
    bool failed)
{
	char *key = key_of(first, second);
	const json_t *known = json_object_get(lesson->places, key);
	json_t *pair;

	if (!known || failed) {
		pair = json_pack("[s,s,o]", first, second,
		    what ? json_text_or_null(what) : json_null());
		if (failed)
			json_array_append_new(pair, json_string(HAZARDS_FAILED));
		if (known) {
			json_array_set_new(lesson->pairs, (size_t)json_integer_value(known), pair);
		} else {
			json_object_set_new(lesson->places, key,
			    json_integer((json_int_t)json_array_size(lesson->pairs)));
			json_array_append_new(lesson->pairs, pair);
		}
	}
	free(key);
}

/* The position of the session among those that were traced; their number: it was not. */
static size_t
actor_of(const struct analysis *a, const char *target)
{
	size_t i = 0;

	while (i < a->n && strcmp(a->actors[i].target, target) != 0)
		i++;
	return i;
}

/* What the two meet at, the worst first, or NULL: nothing that is not harmless. */
static const char *
meet_at(const struct analysis *a, size_t one, size_t other)
{
	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];

		for (size_t k = 0; hazard->level != LEVEL_HARMLESS && k < hazard->clashes.n; k++) {
			const struct clash *clash = &a->clashes.v[hazard->clashes.v[k]];

			if ((clash->first == one && clash->second == other) ||
			    (clash->first == other && clash->second == one))
				return hazard->what;
		}
	}
	return NULL;
}

/* Adds the pairs of one hazard of which that is so. told: those that are in the lesson. */
static void
add_pairs(const struct analysis *a, const struct hazard *hazard, bool only_found, bool *told,
    struct lesson *lesson)
{
	for (size_t i = 0; i < hazard->clashes.n; i++) {
		const struct clash *clash = &a->clashes.v[hazard->clashes.v[i]];
		bool *pair = &told[clash->first * a->n + clash->second];

		if (*pair || (only_found && !clash->is_found))
			continue;
		add_pair(lesson, a->actors[clash->first].target, a->actors[clash->second].target,
		    hazard->what, false);
		*pair = true;
	}
}

/* Adds those of conflicts; found: and of what the first has made, and the second asks for. */
static void
add_seen(const struct analysis *a, bool found, struct lesson *lesson)
{
	bool *told = xcalloc(a->n * a->n, sizeof(*told));

	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];

		if (hazard->level == LEVEL_CONFLICT || (found && hazard->level == LEVEL_LIKELY))
			add_pairs(a, hazard, hazard->level != LEVEL_CONFLICT, told, lesson);
	}
	free(told);
}

/* Was it learned from a failure, and does this audit not speak against it? */
static bool
still_holds(const struct analysis *a, const json_t *pair)
{
	size_t first = actor_of(a, word_of(pair, 0)), second = actor_of(a, word_of(pair, 1));

	return !strcmp(word_of(pair, 3), HAZARDS_FAILED) &&
	       (first == a->n || second == a->n || json_is_null(json_array_get(pair, 2)) ||
		   meet_at(a, first, second));
}

void
lesson_of_audit(const struct analysis *a, int state)
{
	struct lesson before = lesson_before(state), lesson = lesson_open();
	json_t *pair;
	size_t i;

	add_seen(a, true, &lesson);
	json_array_foreach(before.pairs, i, pair)
		if (still_holds(a, pair))
			add_pair(&lesson, word_of(pair, 0), word_of(pair, 1),
			    json_string_value(json_array_get(pair, 2)), true);
	lesson_write(&lesson, state);
	lesson_close(&before);
	lesson_close(&lesson);
}

void
lesson_of_watch(const struct analysis *a, int state)
{
	struct lesson lesson = lesson_before(state);
	size_t before = json_array_size(lesson.pairs);

	add_seen(a, false, &lesson);
	if (json_array_size(lesson.pairs) > before)
		lesson_write(&lesson, state);
	lesson_close(&lesson);
}

void
lesson_of_failure(const struct analysis *a, int state, const char *target,
    const json_t *others, bool proven)
{
	bool is_it = proven && json_array_size(others) == 1, learned = false;
	struct lesson lesson = lesson_before(state);
	size_t ours = actor_of(a, target);

	for (size_t i = 0; i < json_array_size(others); i++) {
		size_t theirs = actor_of(a, word_of(others, i));
		bool are_there = ours < a->n && theirs < a->n;
		const char *what = are_there ? meet_at(a, ours, theirs) : NULL;

		if (!what && !(are_there && is_it))
			continue;
		add_pair(&lesson, a->actors[ours < theirs ? ours : theirs].target,
		    a->actors[ours < theirs ? theirs : ours].target, what, true);
		learned = true;
	}
	if (learned)
		lesson_write(&lesson, state);
	lesson_close(&lesson);
}

void
lesson_forget(int state)
{
	if (file_remove(state, HAZARDS_NAME) < 0)
		warn("%s/" HAZARDS_NAME, state_path());
}
