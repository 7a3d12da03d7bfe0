#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "state/history.h"
#include "state/learned.h"

/* Of the commands so many are kept, of so many bytes at most: there is no end to what may run. */
enum { COMMANDS = 8, COMMAND_LONGEST = 100 };

/* Seconds. A session of less may end before anybody looks. */
#define SHORT 1.0

/* For so much of its duration others may have been in a session's way. */
#define LITTLE 0.2

static unsigned
count_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 && value <= UINT_MAX ? (unsigned)value : 0;
}

/* Those of the list that may stay, as a new list, or NULL when there are none. */
static json_t *
commands_of(const json_t *list)
{
	json_t *commands = NULL, *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_is_string(item) && json_string_length(item) <= COMMAND_LONGEST &&
		    json_array_size(commands) < COMMANDS) {
			commands = commands ? commands : json_array();
			json_array_append(commands, item);
		}
	return commands;
}

struct learned
learned_read(const json_t *object)
{
	json_int_t memory = json_integer_value(json_object_get(object, "memory"));
	const json_t *alone = json_object_get(object, "alone");
	double cpu = json_number(object, "cpu");
	struct learned it = { .told = count_of(object, "told"),
		.width = count_of(object, "width"),
		.memory = memory > 0 ? (unsigned long long)memory : 0,
		.cpu = history_is_time(cpu) ? cpu : 0,
		.wide = commands_of(json_object_get(object, "wide")), .alone = -1 };

	it.known = it.width > 0;
	if (json_is_number(alone) && history_is_time(json_number_value(alone)))
		it.alone = json_number_value(alone);
	return it;
}

void
learned_clear(struct learned *learned)
{
	json_decref(learned->wide);
	*learned = (struct learned){ .alone = -1 };
}

static bool
heeds(unsigned told, unsigned width)
{
	return told < 2 || width / 2 < told;
}

bool
learned_heeds(const struct learned *learned)
{
	return heeds(learned->told, learned->width);
}

bool
learned_was_too_short(const struct record *r)
{
	return r->width == 0 && r->duration < SHORT;
}

double
learned_alone(const struct record *r, unsigned processors)
{
	bool told_fewer = r->told > 0 && r->told < processors;

	/* Who was told of few, and did not use all of them, would not have used more. */
	if (told_fewer && (r->width > 0 ? r->width >= r->told : !learned_was_too_short(r)))
		return -1;
	if (r->crowded < 0 || r->crowded > r->duration * LITTLE)
		return -1;
	return r->duration - r->crowded;
}

/* A new reference, or NULL when nothing is known. Takes what the struct holds. */
static json_t *
object_of(struct learned *it)
{
	json_t *object = it->width > 0 || it->alone >= 0 ? json_object() : NULL;

	if (it->width > 0)
		json_object_update_new(object, json_pack("{s:I,s:I,s:I,s:f,s:O*}",
		    "told", (json_int_t)it->told, "width", (json_int_t)it->width,
		    "memory", (json_int_t)it->memory, "cpu", it->cpu, "wide", it->wide));
	if (it->alone >= 0)
		json_object_set_new(object, "alone", json_real(it->alone));
	learned_clear(it);
	return object;
}

json_t *
learned_tidy(const json_t *object)
{
	struct learned it = learned_read(object);

	return object_of(&it);
}

/*
 * The session was told of a part this time. What it uses of more is known already, but it may do
 * more or less now than then: with all it takes no longer than with a part, and no less than if
 * more workers had shared all that it computed.
 */
static void
add_part(struct learned *it, const struct record *r, unsigned processors)
{
	double seconds = r->duration - (r->crowded > 0 ? r->crowded : 0), least;

	if (!history_is_time(r->cpu) || r->told == 0)
		return;
	least = seconds - r->cpu * (1.0 / r->told - 1.0 / processors);
	it->cpu = r->cpu;
	if (it->alone >= 0 && it->alone < least)
		it->alone = least;
	if (it->alone > r->duration)
		it->alone = r->duration;
}

json_t *
learned_add(const json_t *before, const struct record *r, unsigned processors)
{
	struct learned it = learned_read(before);
	double alone = learned_alone(r, processors);
	/* Of more than there are here nobody is told any more. */
	bool shared = it.known && r->told < it.told && r->told < processors &&
		      r->width <= it.width && heeds(r->told, r->width);
	/* With a number of its own it uses no more of more. */
	bool shown = !learned_heeds(&it) && r->width <= it.width && r->told > it.told;

	if ((r->width > 0 && !shared) || (!it.known && learned_was_too_short(r))) {
		json_decref(it.wide);
		if (!shown)
			it.told = r->told;
		it.width = r->width > 0 ? r->width : 1;
		it.memory = r->memory;
		it.cpu = history_is_time(r->cpu) ? r->cpu : 0;
		it.wide = commands_of(r->wide);
	}
	if (history_is_time(alone))
		it.alone = alone;
	else if (shared && r->width > 0)
		add_part(&it, r, processors);
	return object_of(&it);
}

/* Where behind that place an object that has this key begins, or NULL. key: in quotes. */
static const char *
find_object(const char *at, const char *end, const char *key)
{
	static const char blanks[] = " \t\r\n";
	size_t length = strlen(key);

	while (at && (at = memmem(at, (size_t)(end - at), key, length))) {
		at += length;
		at += strspn(at, blanks);
		if (*at != ':')
			continue;
		at += 1 + strspn(at + 1, blanks);
		if (*at == '{')
			return at;
	}
	return NULL;
}

/* No string of JSON has a quote that is not escaped, so what is in quotes is whole. */
static json_t *
look_up(int dirfd, const char *name, const char *target)
{
	struct buffer text = { 0 };
	json_t *object = NULL;
	char *key = xasprintf("\"%s\"", target);

	if ((dirfd == AT_FDCWD ? file_read : file_load)(dirfd, name, &text) == 0) {
		const char *end = text.data + text.len;
		const char *at = find_object(text.data, end, "\"learned\"");

		at = at ? find_object(at, end, key) : NULL;
		if (at)
			object = json_loadb(at, (size_t)(end - at), JSON_DISABLE_EOF_CHECK, NULL);
	}
	free(key);
	buffer_free(&text);
	return object;
}

struct learned
learned_of(int state, const char *target)
{
	const char *seed = getenv("NOXMK_HISTORY");
	json_t *object = look_up(state, HISTORY_NAME, target);
	struct learned it;

	if (!object && seed && *seed)
		object = look_up(AT_FDCWD, seed, target);
	it = learned_read(object);
	json_decref(object);
	return it;
}
