#include <string.h>

#include "base/util.h"
#include "plan/use.h"
#include "slots/rivals.h"

static const char *
text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "?";
}

static void
add_rival(struct rivals *rivals, struct rival rival)
{
	rivals->v = xreallocarray(rivals->v, rivals->n + 1, sizeof(*rivals->v));
	json_incref(rival.text);
	rivals->v[rivals->n++] = rival;
}

void
rivals_clear(struct rivals *rivals)
{
	for (size_t i = 0; i < rivals->n; i++)
		json_decref(rivals->v[i].text);
	free(rivals->v);
	*rivals = (struct rivals){ 0 };
}

void
rivals_compare(struct rivals *rivals, const json_t *ours, struct rival other, long long *taken)
{
	json_t *theirs = json_object_get(other.text, "claims"), *mine, *its;
	size_t i, k;

	/* One that we cannot read may claim anything, so it is waited for: it will end. */
	if (!json_is_array(theirs)) {
		other.whole = true;
		add_rival(rivals, other);
	}
	json_array_foreach(ours, i, mine) json_array_foreach(theirs, k, its) {
		enum meeting meeting = use_meet(mine, its, &taken[i]);

		if (meeting == APART)
			continue;
		other.claim = i;
		other.whole = meeting == IN_WAY;
		add_rival(rivals, other);
	}
}

void
rivals_drop_fitting(struct rivals *rivals, const json_t *ours, const long long *taken,
    struct around *around)
{
	size_t n = 0;

	for (size_t i = 0; i < rivals->n; i++) {
		size_t claim = rivals->v[i].claim;

		if ((rivals->v[i].whole || !use_fits(json_array_get(ours, claim), taken[claim])) &&
		    (rivals->v[i].holds || !around_holds(around, rivals->v[i].text)))
			rivals->v[n++] = rivals->v[i];
		else
			json_decref(rivals->v[i].text);
	}
	rivals->n = n;
}

/* The rival that was there first, and rather one that holds than one that waits as well. */
json_t *
rivals_blocker(const struct rivals *rivals, const json_t *ours)
{
	const struct rival *best = NULL;

	for (size_t i = 0; i < rivals->n; i++) {
		const struct rival *it = &rivals->v[i];

		if (!best || it->holds > best->holds ||
		    (it->holds == best->holds && it->ticket < best->ticket))
			best = it;
	}
	return !best ? NULL :
	    json_pack("{s:s,s:I,s:s}", "target", text_of(best->text, "target"), "pid",
	    json_integer_value(json_object_get(best->text, "pid")), "resource",
	    text_of(json_array_get(ours, best->claim), "resource"));
}
