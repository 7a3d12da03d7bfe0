#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/company.h"
#include "report/whole.h"

bool
whole_is_made(const struct record *r)
{
	return r->parts > 0 && r->part == 0;
}

bool
whole_has(const char *whole, const struct record *r)
{
	return r->part > 0 && !strcmp(r->whole, whole);
}

static bool
is_like(const char *whole, const struct record *r, const struct record *like)
{
	return whole_has(whole, r) && (!like || r->verdict == like->verdict);
}

/* How many parts of the session there are; like: of those with its verdict. */
static unsigned
count_parts(const struct record *records, size_t n, const char *whole, const struct record *like)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += is_like(whole, &records[i], like);
	return count;
}

/* Adds their numbers, "1, 3". How many. */
static unsigned
add_numbers(struct buffer *out, const struct record *records, size_t n, const char *whole,
    const struct record *like)
{
	unsigned added = 0;

	for (size_t i = 0; i < n; i++)
		if (is_like(whole, &records[i], like))
			buffer_printf(out, "%s%u", added++ > 0 ? ", " : "", records[i].part);
	return added;
}

/*
 * "parts 1, 3 of 4: REASON", with that of the worst one, of those that ended as it did; "only parts
 * 1, 3 of 4" if no other has passed, and none is bad. NULL: all parts are there and well.
 */
static char *
reason_of(const struct record *records, size_t n, const char *whole, const struct record *worst)
{
	char *reason = company_reason(worst), *words = reason;
	struct buffer bad = { 0 }, there = { 0 };
	unsigned nbad = add_numbers(&bad, records, n, whole, worst);
	unsigned nthere = add_numbers(&there, records, n, whole,
	    worst->verdict == PASSED ? worst : NULL);

	if (record_is_bad(worst))
		words = xasprintf("part%s %s of %u: %s", nbad == 1 ? "" : "s", bad.data,
		    worst->parts, reason ? reason : verdict_name(worst->verdict));
	else if (nthere < worst->parts)
		words = xasprintf("only part%s %s of %u%s%s", nthere == 1 ? "" : "s", there.data,
		    worst->parts, reason ? ": " : "", reason ? reason : "");
	if (words != reason)
		free(reason);
	buffer_free(&bad);
	buffer_free(&there);
	return words;
}

/* Adds what one part has taken, has left and has waited for. */
static void
add_part(struct record *whole, const struct record *part)
{
	if (part->started > 0 && (whole->started <= 0 || part->started < whole->started))
		whole->started = part->started;
	if (part->ended > whole->ended)
		whole->ended = part->ended;
	whole->duration += part->duration;
	whole->cpu += part->cpu;
	if (part->memory > whole->memory)
		whole->memory = part->memory;
	if (part->width > whole->width)
		whole->width = part->width;
	if (part->left && !whole->left)
		whole->left = xstrdup(part->left);
	if (json_is_array(part->waits))
		json_array_extend(whole->waits, part->waits);
}

/* "shard 1/3, shard 2/3", of the parts that have run; NULL: there was but one machine. */
static char *
machines_of(const struct record *records, size_t n, const char *whole)
{
	json_t *seen = json_object(), *names = json_array();
	char *words = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *machine = whole_has(whole, &records[i]) ? records[i].machine : NULL;

		if (!machine || json_object_get(seen, machine))
			continue;
		json_object_set_new(seen, machine, json_true());
		json_array_append_new(names, json_string(machine));
	}
	if (json_array_size(names) > 0)
		words = json_list_join(names, ", ");
	json_decref(names);
	json_decref(seen);
	return words;
}

static int
badness_of(const struct record *r)
{
	return verdict_badness(r->verdict, record_is_bad(r));
}

/* Of the first part that failed before it passed, or NULL. */
static json_t *
attempts_of_flaky(const struct record *records, size_t n, const char *whole)
{
	for (size_t i = 0; i < n; i++)
		if (whole_has(whole, &records[i]) && record_is_flaky(&records[i]))
			return records[i].attempts;
	return NULL;
}

/* The record of the session of which that one is the first part. */
static struct record
make_whole(const struct record *records, size_t n, const struct record *first)
{
	const struct record *worst = first;
	struct record whole = { .target = xstrdup(first->whole),
		.session = xstrdup(first->session), .parts = first->parts, .client = -1,
		.crowded = -1, .own = -1, .waits = json_array() };

	for (size_t i = 0; i < n; i++)
		if (whole_has(first->whole, &records[i])) {
			add_part(&whole, &records[i]);
			if (badness_of(&records[i]) > badness_of(worst))
				worst = &records[i];
		}
	whole.attempts = json_incref(record_is_bad(worst) ? worst->attempts :
		attempts_of_flaky(records, n, first->whole));
	whole.verdict = worst->verdict;
	whole.excused = worst->excused;
	whole.exit = worst->exit;
	whole.signal = worst->signal;
	whole.reason = reason_of(records, n, first->whole, worst);
	whole.machine = machines_of(records, n, first->whole);
	return whole;
}

struct wholes
wholes_of(const struct record *records, size_t n)
{
	struct wholes wholes = { .v = xcalloc(n, sizeof(*wholes.v)),
		.at = xcalloc(n, sizeof(*wholes.at)) };
	json_t *seen = json_object();

	for (size_t i = 0; i < n; i++) {
		const struct record *r = &records[i];

		wholes.at[wholes.n] = i;
		if (r->part == 0) {
			wholes.v[wholes.n++] = *r;
		} else if (!json_object_get(seen, r->whole)) {
			json_object_set_new(seen, r->whole, json_true());
			wholes.v[wholes.n++] = make_whole(records, n, r);
		}
	}
	json_decref(seen);
	return wholes;
}

void
wholes_clear(struct wholes *wholes)
{
	for (size_t i = 0; i < wholes->n; i++)
		if (whole_is_made(&wholes->v[i]))
			record_clear(&wholes->v[i]);
	free(wholes->v);
	free(wholes->at);
	*wholes = (struct wholes){ 0 };
}

/*
 * Is there less than all of it? Some parts have no record: they are left to other machines, or were
 * not asked for. Of one that is well, those that were skipped do not count either.
 */
static bool
is_partial(const struct record *whole, const struct record *records, size_t n)
{
	return whole_is_made(whole) && count_parts(records, n, whole->target,
	    record_is_bad(whole) ? NULL : whole) < whole->parts;
}

struct cases
cases_of(const struct wholes *wholes, const struct record *records, size_t n)
{
	/* Pointers are what it holds. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	struct cases cases = { .v = xcalloc(n, sizeof(*cases.v)) };

	for (size_t i = 0; i < wholes->n; i++) {
		const struct record *r = &wholes->v[i];

		if (!is_partial(r, records, n)) {
			cases.v[cases.n++] = r;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			if (whole_has(r->target, &records[k]))
				cases.v[cases.n++] = &records[k];
	}
	return cases;
}
