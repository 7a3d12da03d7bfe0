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
	"NOXMK_HISTORY", "_noxmk_state",
};

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
