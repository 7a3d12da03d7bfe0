#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "state/word.h"

static json_t *
plain_json(const char *text, size_t len)
{
	json_t *value = json_stringn(text, len);
	struct buffer hex = { 0 };

	if (value)
		return value;
	for (size_t i = 0; i < len; i++)
		buffer_printf(&hex, "%02x", (unsigned char)text[i]);
	value = json_pack("{s:s}", "hex", hex.data);
	buffer_free(&hex);
	return value;
}

static json_t *
variable_json(const char *entry)
{
	json_t *value = json_object();

	json_object_set_new(value, "variable", json_stringn(entry, strcspn(entry, "=")));
	return value;
}

json_t *
word_json(const char *word, const struct secrets *secrets)
{
	json_t *pieces = json_array(), *value;
	const char *entry, *plain = word;

	while (secrets && *word) {
		size_t len = secrets_at(secrets, word, &entry);

		if (len > 0) {
			json_array_append_new(pieces, plain_json(plain, (size_t)(word - plain)));
			json_array_append_new(pieces, variable_json(entry));
			plain = word + len;
		}
		word += len > 0 ? len : 1;
	}
	value = plain_json(plain, strlen(plain));
	if (json_array_size(pieces) > 0) {
		json_array_append_new(pieces, value);
		return json_pack("{s:o}", "pieces", pieces);
	}
	json_decref(pieces);
	return value;
}

static void
add_text(const json_t *value, struct buffer *text)
{
	const char *hex = json_text(value, "hex"), *variable = json_text(value, "variable");
	unsigned byte;

	if (json_is_string(value))
		buffer_addstr(text, json_string_value(value));
	else if (*variable)
		buffer_addstr(text, getenv(variable) ? getenv(variable) : "");
	for (; sscanf(hex, "%2x", &byte) == 1 && byte && hex[1]; hex += 2)
		buffer_add(text, &(unsigned char){ (unsigned char)byte }, 1);
}

char *
word_text(const json_t *value)
{
	const json_t *pieces = json_object_get(value, "pieces"), *piece;
	struct buffer text = { 0 };
	size_t i;

	buffer_addstr(&text, "");
	add_text(value, &text);
	json_array_foreach(pieces, i, piece)
		add_text(piece, &text);
	return text.data;
}
