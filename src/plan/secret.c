#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/secret.h"

void
secrets_add_usual(struct strings *mask)
{
	/* Together the first three are *TOKEN*, but for names with TOKENS at the end: a count. */
	static const char *const usual[] = { "*TOKEN", "*TOKEN[!S]*", "*TOKENS?*", "*PASSWORD*",
		"*SECRET*", "*API_KEY*" };

	for (size_t i = 0; i < countof(usual); i++)
		strings_add(mask, usual[i]);
}

static struct strings
strings_of(const json_t *list)
{
	struct strings strings = { 0 };
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_is_string(item))
			strings_add(&strings, json_string_value(item));
	return strings;
}

struct secrets
secrets_of(const json_t *header)
{
	return (struct secrets){ strings_of(json_object_get(header, "mask")),
		strings_of(json_object_get(header, "unmask")) };
}

void
secrets_clear(struct secrets *secrets)
{
	free(secrets->mask.v);
	free(secrets->unmask.v);
	*secrets = (struct secrets){ 0 };
}

static bool
matches(const struct strings *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->v[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

bool
secrets_cover(const struct secrets *secrets, const char *variable)
{
	return matches(&secrets->mask, variable) && !matches(&secrets->unmask, variable);
}

bool
secrets_are_likely(const char *variable)
{
	static const char *const words[] = { "token", "secret", "pass", "key", "credential",
		"auth" };

	for (size_t i = 0; i < countof(words); i++)
		if (strcasestr(variable, words[i]))
			return true;
	return false;
}

size_t
secrets_at(const struct secrets *secrets, const char *text, const char **entry)
{
	size_t longest = 0;

	for (char **variable = environ; *variable; variable++) {
		const char *value = strchr(*variable, '=');
		size_t len = value ? strlen(value + 1) : 0;
		char *name;

		if (len < SECRET_LEAST || len <= longest || strnlen(text, len) < len ||
		    memcmp(text, value + 1, len) != 0)
			continue;
		name = xasprintf("%.*s", (int)(value - *variable), *variable);
		if (secrets_cover(secrets, name)) {
			longest = len;
			*entry = *variable;
		}
		free(name);
	}
	return longest;
}
