#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "state/bounds.h"

/* There are fewer kinds of waits. What else may stand in a record is no wait of ours. */
enum { KINDS_MOST = 8 };

/* Bytes of a reason: the log has all of it. */
enum { TEXT_MOST = 4096 };

/* More seconds were not measured; and a sum of them is a number. */
#define SECONDS_MOST 1e9

char *
bounds_text(char *text)
{
	size_t n = TEXT_MOST;
	char *cut;

	if (!text || strlen(text) <= TEXT_MOST)
		return text;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--; /* not within a character */
	cut = xasprintf("%.*s…", (int)n, text);
	free(text);
	return cut;
}

json_t *
bounds_first(json_t *list, size_t most)
{
	json_t *first, *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) <= most)
		return json_incref(list);
	first = json_array();
	json_array_foreach(list, i, item)
		if (i < most)
			json_array_append(first, item);
	return first;
}

static double
seconds_of(const json_t *object, const char *key)
{
	double seconds = json_number(object, key);

	return seconds > 0 && seconds < SECONDS_MOST ? seconds : 0;
}

/* How many are left out; 0 for NULL. */
static long long
count_of(const json_t *more)
{
	json_int_t n = json_integer_value(json_object_get(more, "steps"));

	return n > 0 && n < INT_MAX ? n : 0;
}

json_t *
bounds_more_steps(const json_t *steps, const json_t *told)
{
	double install = seconds_of(told, "install"), run = seconds_of(told, "run");
	json_int_t n = count_of(told);

	for (size_t i = BOUNDS_STEPS; i < json_array_size(steps); i++, n++) {
		const json_t *step = json_array_get(steps, i);
		double *sum = !strcmp(json_text(step, "kind"), "install") ? &install : &run;

		*sum += seconds_of(step, "seconds");
	}
	return n == 0 ? NULL : json_pack("{s:I,s:f,s:f}", "steps", n, "install", install, "run",
	    run);
}

static json_int_t
times_of(const json_t *wait)
{
	json_int_t times = json_integer_value(json_object_get(wait, "times"));

	return times > 0 && times < INT_MAX ? times : 1;
}

void
bounds_add_wait(json_t *waits, json_t *wait)
{
	size_t n = json_array_size(waits);
	const char *kind = json_text(wait, "for");

	if (n < BOUNDS_WAITS) {
		json_array_append(waits, wait);
		return;
	}
	for (size_t i = BOUNDS_WAITS; i < n; i++) {
		json_t *sum = json_array_get(waits, i);

		if (strcmp(json_text(sum, "for"), kind) != 0)
			continue;
		json_object_set_new(sum, "seconds", json_real(seconds_of(sum, "seconds") +
		    seconds_of(wait, "seconds")));
		json_object_set_new(sum, "times", json_integer(times_of(sum) + times_of(wait)));
		return;
	}
	if (n < BOUNDS_WAITS + KINDS_MOST)
		json_array_append_new(waits, json_pack("{s:s,s:f,s:I}", "for", kind, "seconds",
		    seconds_of(wait, "seconds"), "times", times_of(wait)));
}

json_t *
bounds_waits(json_t *list)
{
	json_t *waits, *wait;
	size_t i;

	if (json_array_size(list) <= BOUNDS_WAITS)
		return json_incref(list);
	waits = json_array();
	json_array_foreach(list, i, wait)
		bounds_add_wait(waits, wait);
	return waits;
}
