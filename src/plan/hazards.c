#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "plan/hazards.h"

/* The position of the session with that target; plan->n: none has. */
static size_t
find(const struct plan *plan, const json_t *target)
{
	size_t i = 0;

	while (i < plan->n && (!json_is_string(target) ||
	    strcmp(plan->sessions[i].target, json_string_value(target)) != 0))
		i++;
	return i;
}

/* What declares the edge of that pair. The caller frees. */
static char *
reason_of(const json_t *pair)
{
	const char *what = json_string_value(json_array_get(pair, 2));
	const char *how = json_string_value(json_array_get(pair, 3));
	bool failed = how && !strcmp(how, HAZARDS_FAILED);

	if (failed && !what)
		return xstrdup(HAZARDS_BY "one fails otherwise");
	return xasprintf(HAZARDS_BY "%sboth use %s", failed ? "one fails otherwise, " : "",
	    what ? what : "something");
}

void
hazards_apply(struct plan *plan, const json_t *pairs)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(pairs, i, pair) {
		size_t first = find(plan, json_array_get(pair, 0));
		size_t second = find(plan, json_array_get(pair, 1));
		struct plan_session *s = &plan->sessions[second];
		char *by;

		if (first == plan->n || second == plan->n || plan_waits_for(plan, first, second) ||
		    plan_waits_for(plan, second, first))
			continue;
		indices_add(&s->after, first);
		by = reason_of(pair);
		s->by = s->by ? s->by : json_object();
		json_object_set_new(s->by, plan->sessions[first].target, json_text_or_null(by));
		free(by);
	}
}

bool
hazards_made(const json_t *session, const char *other)
{
	return strncmp(json_text(json_object_get(session, "by"), other), HAZARDS_BY,
	    strlen(HAZARDS_BY)) == 0;
}
