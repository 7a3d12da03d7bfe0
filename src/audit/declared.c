#include <stdlib.h>

#include "audit/declared.h"
#include "base/json.h"
#include "plan/hazards.h"
#include "plan/use.h"

bool
declared_has(const struct declared *declared, size_t a, size_t b)
{
	return declared->apart[a * declared->n + b];
}

static void
set(struct declared *declared, size_t a, size_t b)
{
	declared->apart[a * declared->n + b] = declared->apart[b * declared->n + a] = true;
}

/*
 * Does the one claim something that the other cannot have meanwhile? What was learned is there for
 * as long as it is seen: it does not hide itself.
 */
static bool
claims_meet(const json_t *ours, const json_t *theirs)
{
	const json_t *a, *b;
	size_t i, k;

	json_array_foreach(json_object_get(ours, "claims"), i, a)
		json_array_foreach(json_object_get(theirs, "claims"), k, b) {
			long long taken = 0;
			enum meeting meeting = use_meet(a, b, &taken);

			if (hazards_claimed(a))
				continue;
			if (meeting == IN_WAY || (meeting == AMOUNTS && !use_fits(a, taken)))
				return true;
		}
	return false;
}

/* Nor does an edge that was learned. */
static bool
has_edge(const json_t *session, const char *key, const json_t *other)
{
	const char *target = json_text(other, "target");

	return session && other && !hazards_made(session, target) &&
	       json_list_has(json_object_get(session, key), target);
}

/* edges[a * n + b]: a has that edge to b. */
static bool *
edges_of(const json_t *const *sessions, size_t n, const char *key)
{
	bool *edges = xcalloc(n * n, sizeof(bool));

	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++)
			edges[a * n + b] = a != b && has_edge(sessions[a], key, sessions[b]);
	return edges;
}

/* Of edges, and of ways along several of them. */
static void
close_edges(bool *edges, size_t n)
{
	for (size_t by = 0; by < n; by++)
		for (size_t a = 0; a < n; a++)
			for (size_t b = 0; edges[a * n + by] && b < n; b++)
				edges[a * n + b] = edges[a * n + b] || edges[by * n + b];
}

/*
 * a waits for b in every make that runs both: b is required, or what is required comes after it. By
 * way of what is not required it does so only in a make that runs this, too.
 */
static bool *
waits_always(const json_t *const *sessions, size_t n)
{
	bool *waits = edges_of(sessions, n, "after");
	bool *required = edges_of(sessions, n, "requires");

	close_edges(required, n);
	for (size_t a = 0; a < n; a++)
		for (size_t by = 0; by < n; by++) {
			waits[a * n + by] = waits[a * n + by] || required[a * n + by];
			for (size_t b = 0; required[a * n + by] && b < n; b++)
				waits[a * n + b] = waits[a * n + b] || waits[by * n + b];
		}
	free(required);
	return waits;
}

/* The same in a make that runs all of them. */
static bool *
waits_together(const json_t *const *sessions, size_t n)
{
	bool *waits = edges_of(sessions, n, "requires"), *after = edges_of(sessions, n, "after");

	for (size_t i = 0; i < n * n; i++)
		waits[i] = waits[i] || after[i];
	close_edges(waits, n);
	free(after);
	return waits;
}

/* Does it wait for none that is still to come? */
static bool
is_ready(const bool *waits, size_t n, size_t a, const bool *placed)
{
	for (size_t b = 0; b < n; b++)
		if (waits[a * n + b] && !placed[b] && b != a)
			return false;
	return true;
}

size_t *
declared_order(const json_t *const *sessions, size_t n)
{
	bool *waits = waits_together(sessions, n), *placed = xcalloc(n, sizeof(bool));
	size_t *order = xcalloc(n, sizeof(*order));

	for (size_t k = 0; k < n; k++) {
		size_t next = n;

		/* A cycle in a damaged file is cut anywhere. */
		for (size_t a = n; a-- > 0;)
			if (!placed[a] && (next == n || is_ready(waits, n, a, placed)))
				next = a;
		order[k] = next;
		placed[next] = true;
	}
	free(placed);
	free(waits);
	return order;
}

struct declared
declared_of(const json_t *const *sessions, size_t n)
{
	struct declared declared = { .n = n, .apart = xcalloc(n * n, sizeof(bool)) };
	bool *waits = waits_always(sessions, n);

	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++)
			if (a != b && (waits[a * n + b] || claims_meet(sessions[a], sessions[b])))
				set(&declared, a, b);
	free(waits);
	return declared;
}

void
declared_clear(struct declared *declared)
{
	free(declared->apart);
	*declared = (struct declared){ 0 };
}
