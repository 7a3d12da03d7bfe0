#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const char *
json_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

char *
json_text_copy(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? xstrdup(s) : NULL;
}

double
json_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

json_t *
json_text_or_null(const char *s)
{
	json_t *value = s ? json_string(s) : NULL;

	return value ? value : json_null();
}

bool
json_list_has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), text))
			return true;
	return false;
}

char *
json_list_join(const json_t *list, const char *between)
{
	struct strings words = { 0 };
	const json_t *item;
	size_t i;
	char *joined;

	json_array_foreach(list, i, item)
		if (json_is_string(item))
			strings_add(&words, json_string_value(item));
	joined = strings_join(&words, between);
	free(words.v);
	return joined;
}

bool
json_is_texts(const json_t *list)
{
	const json_t *item;
	bool is = json_is_array(list);
	size_t i;

	json_array_foreach(list, i, item)
		is = is && json_string_length(item) > 0;
	return is;
}

json_t *
json_texts(const json_t *list)
{
	json_t *texts = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_is_string(item))
			json_array_append(texts, item);
	return texts;
}

json_t *
json_words(const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	json_t *words = json_array();

	while ((word = strsep(&rest, " ")))
		if (*word)
			json_array_append_new(words, json_string(word));
	free(copy);
	return words;
}

void
json_add_line(struct buffer *out, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (!text)
		errx(EXIT_HELPER, "memory");
	buffer_addstr(out, text);
	buffer_addstr(out, "\n");
	free(text);
	json_decref(value);
}
