#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/makeflags.h"
#include "base/util.h"
#include "nox/env.h"

/* What make and nox.mk set for themselves. */
static const char *const of_make[] = {
	"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMOUT", "MAKE_TERMERR",
	"MAKE_RESTARTS", "NOXMK_RUN", "NOXMK_PROJECT", "NOXMK_NOXFILE", "NOXMK_RESERVED",
	"NOXMK_HISTORY", "NOXMK_HAZARDS", "NOXMK_INVOKED_FROM", "NOXMK_TOLD_NOX",
	"NOXMK_TOLD_NOXFILE", "NOXMK_TOLD_RESERVED", "NOXMK_TRACE", "NOXMK_AUDIT", "NOXMK_ORDER",
	"NOXMK_SHARD", "_noxmk_state",
};

/*
 * What shells set for themselves, and nox for the nox that it starts in a script's environment;
 * that, shim.py sets.
 */
static const char *const of_others[] = { "PWD", "OLDPWD", "SHLVL", "_", "NOX_SCRIPT_MODE" };

/* What chooses sessions, as the options of nox do. */
static const char *const of_selection[] = { "NOXSESSION", "NOXPYTHON", "NOX_PARALLEL" };

static bool
is_named(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(entry, name, len) && entry[len] == '=';
}

static bool
is_one_of(const char *entry, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_named(entry, names[i]))
			return true;
	return false;
}

/* make exports the variables of its command line, and ARGS is ours, not the session's. */
static bool
is_our_args(const char *entry)
{
	return is_named(entry, "ARGS") && makeflags_sets(getenv("MAKEFLAGS"), "ARGS");
}

static bool
is_replaced(const char *entry, const char *const *extra)
{
	for (; *extra; extra++)
		if (!strncmp(entry, *extra, strcspn(*extra, "=") + 1))
			return true;
	return false;
}

static char **
build(const char *const *extra, bool with_selection)
{
	struct strings list = { 0 };

	for (char **entry = environ; *entry; entry++) {
		if (is_one_of(*entry, of_make, countof(of_make)) || is_our_args(*entry) ||
		    is_replaced(*entry, extra))
			continue;
		if (!with_selection && is_one_of(*entry, of_selection, countof(of_selection)))
			continue;
		strings_add(&list, *entry);
	}
	for (; *extra; extra++)
		strings_add(&list, *extra);
	strings_add(&list, NULL);
	/* exec takes char *const[], though it changes none of the strings. */
	return (char **)list.v;
}

char **
env_for_plan(const char *const *extra)
{
	return build(extra, true);
}

char **
env_for_session(const char *const *extra)
{
	return build(extra, false);
}

const char *
env_value_for_plan(const char *name)
{
	char *entry = xasprintf("%s=", name);
	bool hidden = is_one_of(entry, of_make, countof(of_make)) || is_our_args(entry);

	free(entry);
	return hidden ? NULL : getenv(name);
}

static bool
is_others(const char *entry)
{
	return is_one_of(entry, of_make, countof(of_make)) ||
	       is_one_of(entry, of_others, countof(of_others));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
env_names_for_plan(void)
{
	static const char *const no_extra[] = { NULL };
	char **entries = env_for_plan(no_extra), *names;
	struct strings list = { 0 };

	for (size_t i = 0; entries[i]; i++)
		if (!is_others(entries[i]))
			strings_add(&list,
			    xasprintf("%.*s", (int)strcspn(entries[i], "="), entries[i]));
	if (list.n > 0)
		qsort(list.v, list.n, sizeof(*list.v), by_text);
	names = strings_join(&list, " ");
	for (size_t i = 0; i < list.n; i++)
		free((char *)list.v[i]);
	free(list.v);
	free(entries);
	return names;
}

json_t *
env_difference(char *const *given, const json_t *is)
{
	json_t *set = json_copy((json_t *)is), *unset = json_array(), *value;
	const char *name;
	void *next;

	for (; *given; given++) {
		char *key = xasprintf("%.*s", (int)strcspn(*given, "="), *given);
		const char *now = json_string_value(json_object_get(is, key));

		json_t *text = json_string(*given);

		/* The probe does not tell of what is not UTF-8: nobody has changed that. */
		if (!now && text && !is_others(*given))
			json_array_append_new(unset, json_string(key));
		if (now && !strcmp(now, *given + strlen(key) + 1))
			json_object_del(set, key);
		json_decref(text);
		free(key);
	}
	json_object_foreach_safe(set, next, name, value) {
		char *entry = xasprintf("%s=", name);

		if (is_others(entry))
			json_object_del(set, name);
		free(entry);
	}
	return json_pack("{s:o,s:o}", "set", set, "unset", unset);
}

void
env_adopt(const json_t *difference)
{
	json_t *set = json_object_get(difference, "set"), *value;
	const json_t *unset = json_object_get(difference, "unset"), *item;
	const char *name;
	size_t i;

	json_object_foreach(set, name, value)
		if (json_is_string(value))
			setenv(name, json_string_value(value), 1);
	json_array_foreach(unset, i, item)
		if (json_is_string(item))
			unsetenv(json_string_value(item));
}
