#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "audit/baseline.h"
#include "base/file.h"
#include "base/json.h"
#include "state/word.h"

json_t *
baseline_read(const char *path)
{
	struct buffer text = { 0 };
	json_t *object = NULL, *known = NULL;

	if (file_read(AT_FDCWD, path, &text) < 0) {
		if (errno == ENOENT)
			known = json_array();
		else
			warnx("%s: %s", path, file_why(errno));
	} else {
		object = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
		known = json_object_get(object, "known");
		if (json_integer_value(json_object_get(object, "noxmk-audit")) != 1 ||
		    !json_is_array(known)) {
			warnx("%s: not what `noxmk audit --write-baseline` writes", path);
			known = NULL;
		}
		json_incref(known);
	}
	json_decref(object);
	buffer_free(&text);
	return known;
}

static bool
has_all(const json_t *sessions, const struct hazard *hazard, const struct actor *actors)
{
	for (size_t i = 0; i < hazard->nmembers; i++)
		if (!json_list_has(sessions, access_session(&actors[hazard->members[i].actor])))
			return false;
	return true;
}

bool
baseline_has(const json_t *known, const struct hazard *hazard, const struct actor *actors)
{
	const json_t *item;
	size_t i;

	json_array_foreach(known, i, item) {
		char *place = word_text(json_object_get(item, "place"));
		bool has = !strcmp(place, hazard->place) &&
		    has_all(json_object_get(item, "sessions"), hazard, actors);

		free(place);
		if (has)
			return true;
	}
	return false;
}

int
baseline_write(const char *path, const struct analysis *a)
{
	struct buffer text = { 0 };
	const char *between = "";
	int result;

	buffer_addstr(&text, "{\"noxmk-audit\": 1, \"known\": [");
	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];
		json_t *item, *sessions;
		char *line;

		if (hazard->level == LEVEL_HARMLESS)
			continue;
		sessions = json_array();
		for (size_t k = 0; k < hazard->nmembers; k++) {
			const char *name = access_session(&a->actors[hazard->members[k].actor]);

			if (!json_list_has(sessions, name))
				json_array_append_new(sessions, json_string(name));
		}
		item = json_pack("{s:o,s:o}", "place", word_json(hazard->place, NULL), "sessions",
		    sessions);
		line = json_dumps(item, 0);
		buffer_printf(&text, "%s\n %s", between, line ? line : "");
		between = ",";
		free(line);
		json_decref(item);
	}
	buffer_addstr(&text, "\n]}\n");
	result = file_replace(AT_FDCWD, path, text.data, text.len);
	if (result < 0)
		warn("%s", path);
	buffer_free(&text);
	return result;
}
