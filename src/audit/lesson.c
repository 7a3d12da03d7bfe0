#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/gap.h"
#include "audit/lesson.h"
#include "base/file.h"
#include "base/json.h"
#include "output/screen.h"
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
	char *path = state_file(HAZARDS_NAME);
	json_t *pairs = hazards_read(state, HAZARDS_NAME, true, path), *pair;
	struct lesson lesson = lesson_open();
	size_t i;

	json_array_foreach(pairs, i, pair) {
		char *key = key_of(word_of(pair, 0), word_of(pair, 1));

		json_object_set_new(lesson.places, key,
		    json_integer((json_int_t)json_array_size(lesson.pairs)));
		json_array_append(lesson.pairs, pair);
		free(key);
	}
	json_decref(pairs);
	free(path);
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

/*
 * what: NULL: nobody knows; it may have any bytes. What a failure has taught takes the place of
 * what was seen.
 */
static void
add_pair(struct lesson *lesson, const char *first, const char *second, const char *what,
    bool failed)
{
	char *key = key_of(first, second), *shown = what ? screen_safe(what) : NULL;
	const json_t *known = json_object_get(lesson->places, key);
	json_t *pair;

	if (!known || failed) {
		pair = json_pack("[s,s,o]", first, second,
		    shown ? json_text_or_null(shown) : json_null());
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
	free(shown);
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

/* Is it that session, or a part of it? */
static bool
is_of(const struct actor *actor, const char *name)
{
	return !strcmp(actor->target, name) || !strcmp(access_session(actor), name);
}

/* Is what these meet at enough to be learned without a failure? found: if it is only found, too. */
static bool
teaches(const struct hazard *hazard, const struct clash *clash, bool found)
{
	return hazard->level == LEVEL_CONFLICT ||
	       (found && hazard->level == LEVEL_LIKELY && clash->is_found);
}

/*
 * What the two meet at, the worst first, or NULL: nothing that is not harmless, or, if nothing has
 * failed, that teaches.
 */
static const char *
meet_at(const struct analysis *a, const char *one, const char *other, bool failed)
{
	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];

		for (size_t k = 0; hazard->level != LEVEL_HARMLESS && k < hazard->clashes.n; k++) {
			const struct clash *clash = &a->clashes.v[hazard->clashes.v[k]];
			const struct actor *first = &a->actors[clash->first];
			const struct actor *second = &a->actors[clash->second];

			if ((failed || teaches(hazard, clash, true)) &&
			    ((is_of(first, one) && is_of(second, other)) ||
				(is_of(first, other) && is_of(second, one))))
				return hazard->what;
		}
	}
	return NULL;
}

/* Adds what has been seen; found: and of what the first has made, and the second asks for. */
static void
add_seen(const struct analysis *a, bool found, struct lesson *lesson)
{
	bool *told = xcalloc(a->n * a->n, sizeof(*told));

	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];

		for (size_t k = 0; k < hazard->clashes.n; k++) {
			const struct clash *clash = &a->clashes.v[hazard->clashes.v[k]];
			bool *pair = &told[clash->first * a->n + clash->second];

			if (!*pair && teaches(hazard, clash, found))
				add_pair(lesson, access_session(&a->actors[clash->first]),
				    access_session(&a->actors[clash->second]), hazard->what,
				    false);
			*pair |= teaches(hazard, clash, found);
		}
	}
	free(told);
}

/* What pairs may name: the sessions of the plan, and those that are cut. A new set. */
static json_t *
names_of(struct planfile *plan)
{
	json_t *names = json_object(), *line;

	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		json_object_set_new(names, json_text(line, "target"), json_true());
		json_object_set_new(names, json_text(line, "whole"), json_true());
		json_decref(line);
	}
	return names;
}

/* Has all been seen that the session does, with all of its parts? */
static bool
is_seen(const struct analysis *a, const char *name)
{
	size_t n = 0, parts = 1;

	for (size_t i = 0; i < a->n; i++) {
		const json_t *part = json_object_get(a->sessions[i].line, "part");

		if (!is_of(&a->actors[i], name))
			continue;
		if (a->sessions[i].failed || !gap_is_whole(&a->sessions[i].trace))
			return false;
		n++;
		if (strcmp(a->actors[i].target, name) != 0)
			parts = (size_t)json_integer_value(json_array_get(part, 1));
	}
	return n >= parts;
}

/* Is the pair still there, and does nothing that was seen speak against it? */
static bool
still_holds(const struct analysis *a, const json_t *names, const json_t *pair)
{
	const char *first = word_of(pair, 0), *second = word_of(pair, 1);
	bool failed = json_array_size(pair) > 3;

	if (!json_object_get(names, first) || !json_object_get(names, second))
		return false;
	return (failed && json_is_null(json_array_get(pair, 2))) || !is_seen(a, first) ||
	       !is_seen(a, second) || meet_at(a, first, second, failed);
}

/* Writes those of before that still hold behind those of the lesson. */
static void
write_with_before(struct lesson *lesson, const struct analysis *a, struct planfile *plan,
    int state)
{
	struct lesson before = lesson_before(state);
	json_t *names = names_of(plan), *pair;
	size_t i;

	json_array_foreach(before.pairs, i, pair)
		if (still_holds(a, names, pair))
			add_pair(lesson, word_of(pair, 0), word_of(pair, 1),
			    json_string_value(json_array_get(pair, 2)),
			    json_array_size(pair) > 3);
	lesson_write(lesson, state);
	json_decref(names);
	lesson_close(&before);
}

void
lesson_of_audit(const struct analysis *a, struct planfile *plan, int state)
{
	struct lesson lesson = lesson_open();

	add_seen(a, true, &lesson);
	write_with_before(&lesson, a, plan, state);
	lesson_close(&lesson);
}

void
lesson_review(const struct analysis *a, struct planfile *plan, int state)
{
	struct lesson lesson = lesson_open();

	write_with_before(&lesson, a, plan, state);
	lesson_close(&lesson);
}

bool
lesson_is_there(int state)
{
	return faccessat(state, HAZARDS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
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
		const char *what = are_there ?
			meet_at(a, target, a->actors[theirs].target, true) : NULL;

		if (!what && !(are_there && is_it))
			continue;
		add_pair(&lesson, access_session(&a->actors[ours < theirs ? ours : theirs]),
		    access_session(&a->actors[ours < theirs ? theirs : ours]), what, true);
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
