#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "nox/steps.h"
#include "output/utf8.h"
#include "state/bounds.h"

/* So many columns are kept of a command. */
enum { COMMAND_MOST = 200 };

static const char *const kinds[] = { "environment", "install", "run" };

/* Anything may stand in a report: what is no number of seconds is none. */
static double
seconds_of(const json_t *step, const char *key)
{
	double seconds = json_number(step, key);

	return seconds > 0 ? seconds : 0;
}

/* NULL: this is none. */
static json_t *
read_step(const json_t *step, double now)
{
	const char *kind = json_text(step, "kind");
	json_t *code = json_object_get(step, "exit"), *result;
	double started = seconds_of(step, "started"), waited = seconds_of(step, "waited");
	bool cut = !json_object_get(step, "seconds");
	double seconds = cut ? now - started - waited : seconds_of(step, "seconds");

	for (size_t i = 0; i < countof(kinds); i++) {
		if (strcmp(kind, kinds[i]) != 0)
			continue;
		result = json_pack("{s:s,s:s,s:O,s:f,s:f,s:f}", "kind", kinds[i], "command",
		    json_text(step, "command"), "exit", json_is_integer(code) ? code :
		    json_null(), "started", started, "seconds", seconds > 0 ? seconds : 0,
		    "waited", waited);
		if (cut)
			json_object_set_new(result, "cut", json_true());
		return result;
	}
	return NULL;
}

json_t *
steps_read(const json_t *entry, double now)
{
	json_t *steps = NULL, *item, *step;
	size_t i;

	json_array_foreach(json_object_get(entry, "steps"), i, item) {
		if (i == BOUNDS_STEPS)
			break;
		step = read_step(item, now);
		if (step && !steps)
			steps = json_array();
		json_array_append_new(steps, step);
	}
	return steps;
}

const json_t *
steps_cut(const json_t *steps)
{
	const json_t *found = NULL;
	json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
		if (json_is_true(json_object_get(step, "cut")))
			found = step;
	return found;
}

void
steps_hide(json_t *steps, struct mask *mask)
{
	json_t *step;
	size_t i;

	mask_json(mask, steps);
	json_array_foreach(steps, i, step) {
		char *cut = utf8_cut(json_text(step, "command"), COMMAND_MOST);

		json_object_set_new(step, "command", json_text_or_null(cut));
		free(cut);
	}
}
