#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/nearest.h"
#include "plan/setting.h"

static void
add_key(struct buffer *out, const char *key)
{
	json_t *string;
	char *quoted;

	if (!key)
		return;
	buffer_addstr(out, ".");
	if (charset_covers(LETTERS DIGITS "_-", key)) {
		buffer_addstr(out, key);
		return;
	}
	string = json_string(key);
	quoted = json_dumps(string, JSON_ENCODE_ANY);
	buffer_addstr(out, quoted ? quoted : "?");
	free(quoted);
	json_decref(string);
}

char *
setting_place(const char *table, const char *name, const char *key)
{
	struct buffer place = { 0 };

	buffer_addstr(&place, "tool.noxmk");
	add_key(&place, table);
	add_key(&place, name);
	add_key(&place, key);
	return place.data;
}

void
setting_fault(struct setting_reader *r, const char *key, const char *fmt, ...)
{
	bool silent = r->failed || r->checked;
	char *place, *text;
	va_list ap;

	r->failed = true;
	if (silent)
		return;
	place = setting_place(r->table, r->name, key);
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		errx(EXIT_HELPER, "memory");
	va_end(ap);
	warnx(CONFIG_FILE ": %s: %s", place, text);
	free(place);
	free(text);
}

void
setting_reject(struct setting_reader *r, const char *key, const json_t *value, const char *takes)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	if (json_is_object(value))
		setting_fault(r, key, "is a table; it takes %s (a name with dots in it needs "
		    "quotes)", takes);
	else if (json_is_array(value))
		setting_fault(r, key, "is a list; it takes %s", takes);
	else
		setting_fault(r, key, "is %.*s%s; it takes %s", 60, text ? text : "?",
		    text && strlen(text) > 60 ? "…" : "", takes);
	free(text);
}

void
setting_unknown(struct setting_reader *r, const char *key, const json_t *value,
    const struct strings *known)
{
	const char *meant = nearest(key, known);

	if (meant) {
		setting_fault(r, key, "unknown key; did you mean \"%s\"?", meant);
	} else if (r->name && json_is_object(value)) {
		/* [tool.noxmk.session.tests-3.12] is a table in a table to TOML. */
		char *whole = xasprintf("%s.%s", r->name, key);
		char *place = setting_place(r->table, whole, NULL);

		setting_fault(r, key, "unknown key; a name with dots in it needs quotes: %s",
		    place);
		free(place);
		free(whole);
	} else {
		char *list = strings_join(known, ", ");

		setting_fault(r, key, "unknown key; there are %s", list);
		free(list);
	}
}

void
setting_read_switch(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	if (json_is_boolean(value))
		*(bool *)field = json_is_true(value);
	else
		setting_reject(r, key, value, "true or false");
}

void
setting_read_strings(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		setting_fault(r, key, "is a string; write [\"%s\"]", json_string_value(value));
	else if (!json_is_array(value))
		setting_reject(r, key, value, "a list of names");
	json_array_foreach(value, i, item) {
		if (!json_is_string(item) || !json_string_length(item))
			setting_reject(r, key, item, "a list of names");
		else
			strings_add(field, json_string_value(item));
	}
}
