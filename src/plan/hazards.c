#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/file.h"
#include "base/json.h"
#include "plan/hazards.h"
#include "plan/parts.h"

/* What a file may have: names of a thousand sessions, each with each, are as many. */
#define BYTES_MOST ((size_t)16 << 20)

/* What parts of a session claim that are in each other's way; that and the session's name. */
#define PARTS_OF "parts:"

static bool
is_target(const json_t *name)
{
	const char *text = json_string_value(name);

	return text && *text && charset_covers(LETTERS DIGITS "._-", text);
}

/* A NUL would end it, and control characters, also those of Unicode, are for terminals. */
static bool
is_shown(const json_t *what)
{
	const char *text = json_string_value(what);

	if (!text || strlen(text) != json_string_length(what))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f' ||
		    (*text == '\xc2' && (unsigned char)text[1] < 0xa0))
			return false;
	return true;
}

/* What is wrong with the pair, or NULL. */
static const char *
fault_of(const json_t *pair)
{
	size_t n = json_array_size(pair);
	const json_t *how = json_array_get(pair, 3);

	if (n < 3 || n > 4)
		return "is not of two targets and what they share";
	if (!is_target(json_array_get(pair, 0)) || !is_target(json_array_get(pair, 1)))
		return "has a name that no target can have";
	if (!json_is_null(json_array_get(pair, 2)) && !is_shown(json_array_get(pair, 2)))
		return "says of what in no line of text";
	if (how && (!json_is_string(how) || strcmp(json_string_value(how), HAZARDS_FAILED) != 0))
		return "ends in a word that is not \"" HAZARDS_FAILED "\"";
	return NULL;
}

/* What is wrong, with its place, or NULL. The caller frees. */
static char *
why_not(const json_t *all, const json_error_t *error)
{
	const json_t *schema = json_object_get(all, "schema"), *pair;
	size_t i;

	if (!all)
		return xasprintf("line %d, column %d: not JSON", error->line, error->column);
	if (json_integer_value(schema) != 1)
		return xstrdup("schema: is not 1, which this noxmk reads");
	if (!json_is_array(json_object_get(all, "pairs")))
		return xstrdup("pairs: is no list");
	json_array_foreach(json_object_get(all, "pairs"), i, pair)
		if (fault_of(pair))
			return xasprintf("pairs[%zu]: %s", i, fault_of(pair));
	return NULL;
}

json_t *
hazards_read(int dirfd, const char *name, bool ours, const char *shown)
{
	struct buffer text = { 0 };
	json_error_t error = { 0 };
	json_t *all = NULL, *pairs = NULL;
	char *why = NULL;

	if ((ours ? file_load(dirfd, name, &text) : file_read(dirfd, name, &text)) < 0) {
		if (!ours || errno != ENOENT)
			why = xstrdup(file_why(errno));
	} else if (text.len > BYTES_MOST) {
		why = xasprintf("has more than %zu MiB", BYTES_MOST >> 20);
	} else {
		all = json_loadb(text.data ? text.data : "", text.len, 0, &error);
		why = why_not(all, &error);
		pairs = why ? NULL : json_incref(json_object_get(all, "pairs"));
	}
	if (why)
		warnx("%s: not what `noxmk audit` leaves in " HAZARDS_NAME ": %s; nothing is "
		      "learned from it: an audit writes it anew", shown, why);
	free(why);
	json_decref(all);
	buffer_free(&text);
	return pairs;
}

/* The positions of the session with that target, or of all parts of the one that is cut. */
static struct indices
find(const struct plan *plan, const char *name)
{
	struct indices found = { 0 };

	for (size_t i = 0; i < plan->n; i++)
		if (!strcmp(plan->sessions[i].target, name) ||
		    (plan->sessions[i].whole && !strcmp(plan->sessions[i].whole, name)))
			indices_add(&found, i);
	return found;
}

/* What declares the edge of that pair. The caller frees. */
static char *
reason_of(const json_t *pair)
{
	const char *what = json_string_value(json_array_get(pair, 2));
	bool failed = json_array_size(pair) > 3;

	if (failed && !what)
		return xstrdup(HAZARDS_BY "one fails otherwise");
	return xasprintf(HAZARDS_BY "%sboth use %s", failed ? "one fails otherwise, " : "",
	    what ? what : "something");
}

static size_t
resource_of(struct plan *plan, const char *whole)
{
	char *name = xasprintf(PARTS_OF "%s", whole);
	size_t i = 0;

	while (i < plan->nresources && strcmp(plan->resources[i].name, name) != 0)
		i++;
	if (i < plan->nresources) {
		free(name);
		return i;
	}
	plan->resources = xreallocarray(plan->resources, i + 1, sizeof(*plan->resources));
	plan->resources[plan->nresources++] = (struct plan_resource){ name, 1 };
	return i;
}

static void
claim(struct plan *plan, size_t session, const char *by)
{
	struct plan_session *s = &plan->sessions[session];
	size_t resource = resource_of(plan, s->whole);

	for (size_t i = 0; i < s->nclaims; i++)
		if (s->claims[i].resource == resource)
			return;
	s->claims = xreallocarray(s->claims, s->nclaims + 1, sizeof(*s->claims));
	s->claims[s->nclaims++] = (struct plan_claim){ .resource = resource, .use = EXCLUSIVE,
		.by = xstrdup(by) };
}

/* Who waits for whom, by way of others, too: waits[a * n + b]: a for b. */
struct order {
	struct plan *plan;
	bool *waits;
};

static void
note_edge(struct order *o, size_t first, size_t second)
{
	size_t n = o->plan->n;

	if (o->waits[second * n + first])
		return;
	for (size_t i = 0; i < n; i++)
		if (i == second || o->waits[i * n + second])
			for (size_t k = 0; k < n; k++)
				o->waits[i * n + k] |= k == first || o->waits[first * n + k];
}

/* With what the plan says before anything is learned. */
static void
fill(struct order *o)
{
	size_t n = o->plan->n;

	o->waits = xcalloc(n * n, sizeof(*o->waits));
	for (size_t i = 0; i < n; i++) {
		const struct plan_session *s = &o->plan->sessions[i];

		for (size_t k = 0; k < s->requires.n; k++)
			note_edge(o, s->requires.v[k], i);
		for (size_t k = 0; k < s->after.n; k++)
			note_edge(o, s->after.v[k], i);
	}
}

/*
 * Does the second one come after the first in every make that runs both? An edge by way of a third
 * one holds only where that runs, too, as it does if it is required.
 */
static bool
is_ordered(const struct plan *plan, size_t first, size_t second)
{
	struct indices required = { 0 };
	bool is = false;

	plan_closure(plan, second, &required);
	for (size_t i = 0; i < required.n && !is; i++)
		is = required.v[i] == first ||
		     indices_has(&plan->sessions[required.v[i]].after, first);
	free(required.v);
	return is;
}

static void
apply(struct order *o, size_t first, size_t second, const char *by)
{
	struct plan *plan = o->plan;
	struct plan_session *s = &plan->sessions[second];
	const char *whole = plan->sessions[first].whole;

	if (whole && s->whole && !strcmp(whole, s->whole)) {
		claim(plan, first, by);
		claim(plan, second, by);
	} else if (!o->waits[first * plan->n + second] && !is_ordered(plan, first, second)) {
		indices_add(&s->after, first);
		note_edge(o, first, second);
		s->by = s->by ? s->by : json_object();
		json_object_set_new(s->by, plan->sessions[first].target, json_text_or_null(by));
	}
}

void
hazards_apply(struct plan *plan, const json_t *pairs)
{
	struct order order = { .plan = plan };
	const json_t *pair;
	size_t i;

	if (json_array_size(pairs) == 0)
		return;
	fill(&order);
	json_array_foreach(pairs, i, pair) {
		struct indices firsts = find(plan, json_string_value(json_array_get(pair, 0)));
		struct indices seconds = find(plan, json_string_value(json_array_get(pair, 1)));
		char *by = reason_of(pair);

		for (size_t k = 0; k < firsts.n; k++)
			for (size_t m = 0; m < seconds.n; m++)
				apply(&order, firsts.v[k], seconds.v[m], by);
		free(by);
		free(firsts.v);
		free(seconds.v);
	}
	free(order.waits);
}

static bool
is_learned(const char *by)
{
	return strncmp(by, HAZARDS_BY, strlen(HAZARDS_BY)) == 0;
}

bool
hazards_made(const json_t *session, const char *other)
{
	return is_learned(json_text(json_object_get(session, "by"), other));
}

bool
hazards_claimed(const json_t *claim)
{
	return is_learned(json_text(claim, "by"));
}
