#include <stdlib.h>

#include "base/json.h"
#include "plan/options.h"
#include "plan/setting.h"
#include "shard/remedy.h"

/* So many sessions of a bundle are named. */
enum { NAMES_MOST = 8 };

/* How many sessions it has, and the first of them. */
static size_t
sessions_of(const struct bundles *bundles, const struct workload *work, size_t bundle,
    struct strings *first)
{
	size_t n = 0;

	for (size_t i = 0; i < work->schedule.n; i++)
		if (bundles->of[i] == bundle && n++ < NAMES_MOST)
			strings_add(first, workload_target(work, i));
	return n;
}

char *
remedy_subject(const struct bundles *bundles, const struct workload *work, size_t bundle)
{
	struct strings first = { 0 };
	size_t n = sessions_of(bundles, work, bundle, &first);
	char *names = strings_join(&first, " ");
	char *words = n == 1 ? xasprintf("%s alone takes", names) :
	    xasprintf("these stay together, %s%s, and take", names, n > first.n ? " …" : "");

	free(names);
	free(first.v);
	return words;
}

/* How a session is cut in parts, or in more of them. */
static char *
cut_words(const struct workload *work, const char *target, unsigned times)
{
	const json_t *line = json_array_get(work->sessions, workload_find(work, target));
	json_int_t parts = json_integer_value(json_array_get(json_object_get(line, "part"), 1));
	char *place = setting_place("session", parts > 0 ? json_text(line, "whole") : target,
	    NULL), *words;

	parts = (parts > 0 ? parts : 1) * (json_int_t)times;
	words = xasprintf("cut it: parts = %lld in [%s], see nox.mk(5)",
	    (long long)(parts < PARTS_MAX ? parts : PARTS_MAX), place);
	free(place);
	return words;
}

char *
remedy_words(const struct bundles *bundles, const struct workload *work, size_t bundle,
    unsigned times)
{
	struct strings first = { 0 };
	char *words = sessions_of(bundles, work, bundle, &first) == 1 ?
	    cut_words(work, first.v[0], times) :
	    xstrdup("see what ties them: requires=, needs, after, together");

	free(first.v);
	return words;
}
