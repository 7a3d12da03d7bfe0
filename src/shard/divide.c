#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shard/divide.h"

/* How often a bundle is tried in another place; how many kicks there are, and moves in each. */
enum { TRIES = 20000000, KICKS = 300, KICK_MOVES = 3 };

/* Where the random numbers start: anywhere but at 0. */
#define RANDOM 88172645463325252

/* The steps in which MULTIFIT halves what is left between its bounds. */
enum { HALVINGS = 20 };

struct work {
	const struct divide_bundle *bundles;
	size_t n, machines, dimensions; /* the first dimension is the processors' */
	long long *sizes; /* of each bundle, in each dimension */
	long long *loads; /* of each machine */
	size_t *machine_of, *order; /* order: the bundles, the largest first */
	long long bound;  /* no division is shorter */
	uint64_t random;
	long tries;
};

static long long
most(long long a, long long b)
{
	return a > b ? a : b;
}

/* n over k, rounded up. */
static long long
over(long long n, size_t k)
{
	return (n + (long long)k - 1) / (long long)k;
}

/* The sum of each resource's uses. The caller frees. */
static long long *
sums_of(const struct divide_bundle *bundles, size_t n, size_t resources)
{
	long long *sums = xcalloc(resources, sizeof(*sums));

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < bundles[i].nuses; k++)
			sums[bundles[i].uses[k].resource] += bundles[i].uses[k].ms;
	return sums;
}

/* What the processors' dimension alone allows. */
static long long
plain_bound(const struct divide_bundle *bundles, size_t n, size_t machines)
{
	long long all = 0, bound = 0;

	for (size_t i = 0; i < n; i++) {
		all += bundles[i].work;
		bound = most(bound, most(bundles[i].work, bundles[i].least));
	}
	return most(bound, over(all, machines));
}

long long
divide_bound(const struct divide_bundle *bundles, size_t n, size_t resources, size_t machines)
{
	long long *sums = sums_of(bundles, n, resources);
	long long bound = plain_bound(bundles, n, machines);

	for (size_t r = 0; r < resources; r++)
		bound = most(bound, over(sums[r], machines));
	free(sums);
	return bound;
}

static const long long *
size_of(const struct work *w, size_t bundle)
{
	return w->sizes + bundle * w->dimensions;
}

static long long *
load_of(const struct work *w, size_t machine)
{
	return w->loads + machine * w->dimensions;
}

/* The largest number of the dimensions. */
static long long
height(const struct work *w, const long long *values)
{
	long long highest = values[0];

	for (size_t d = 1; d < w->dimensions; d++)
		highest = most(highest, values[d]);
	return highest;
}

/* The same of a machine's load with one bundle's size added and another one's taken; NULL: none. */
static long long
height_with(const struct work *w, size_t machine, const long long *more, const long long *less)
{
	const long long *load = load_of(w, machine);
	long long highest = 0;

	for (size_t d = 0; d < w->dimensions; d++)
		highest = most(highest, load[d] + (more ? more[d] : 0) - (less ? less[d] : 0));
	return highest;
}

static void
add(struct work *w, size_t bundle, size_t machine, int sign)
{
	const long long *size = size_of(w, bundle);
	long long *load = load_of(w, machine);

	for (size_t d = 0; d < w->dimensions; d++)
		load[d] += sign * size[d];
	if (sign > 0)
		w->machine_of[bundle] = machine;
}

static void
move(struct work *w, size_t bundle, size_t machine)
{
	add(w, bundle, w->machine_of[bundle], -1);
	add(w, bundle, machine, 1);
}

static size_t
longest_of(const struct work *w)
{
	size_t longest = 0;

	for (size_t m = 1; m < w->machines; m++)
		if (height(w, load_of(w, m)) > height(w, load_of(w, longest)))
			longest = m;
	return longest;
}

static long long
length_of(const struct work *w)
{
	return most(height(w, load_of(w, longest_of(w))), 0);
}

static void
empty(struct work *w)
{
	memset(w->loads, 0, w->machines * w->dimensions * sizeof(*w->loads));
}

/* The loads as machine_of has it. */
static void
put_back(struct work *w, const size_t *machine_of)
{
	empty(w);
	for (size_t i = 0; i < w->n; i++)
		add(w, i, machine_of[i], 1);
}

/* Of machines on which it ends at the same time the one whose processors have less to do. */
static void
longest_first(struct work *w)
{
	empty(w);
	for (size_t i = 0; i < w->n; i++) {
		const long long *size = size_of(w, w->order[i]);
		size_t best = 0;
		long long lowest = height_with(w, 0, size, NULL);

		for (size_t m = 1; m < w->machines; m++) {
			long long now = height_with(w, m, size, NULL);
			bool idler = load_of(w, m)[0] < load_of(w, best)[0];

			if (now < lowest || (now == lowest && idler)) {
				best = m;
				lowest = now;
			}
		}
		add(w, w->order[i], best, 1);
	}
}

/* First-fit decreasing. False: there is no room for all. */
static bool
fits(struct work *w, long long capacity)
{
	empty(w);
	for (size_t i = 0; i < w->n; i++) {
		const long long *size = size_of(w, w->order[i]);
		size_t m = 0;

		while (height_with(w, m, size, NULL) > capacity)
			if (++m == w->machines)
				return false;
		add(w, w->order[i], m, 1);
	}
	return true;
}

/* best: the division so far, which a shorter one replaces. */
static void
multifit(struct work *w, size_t *best, long long *length)
{
	long long low = w->bound, high = *length - 1;

	for (int i = 0; i < HALVINGS && low <= high; i++) {
		long long middle = low + (high - low) / 2;

		if (fits(w, middle)) {
			*length = length_of(w);
			memcpy(best, w->machine_of, w->n * sizeof(*best));
			high = most(*length, low) - 1;
		} else {
			low = middle + 1;
		}
	}
}

/* A step of the descent: a bundle goes to another machine, for one of that or for none (n). */
struct step {
	size_t bundle, other, machine;
	long long height; /* of the higher one of the two machines then */
};

static void
try_step(struct work *w, const struct step *step, size_t from, struct step *best)
{
	const long long *size = size_of(w, step->bundle);
	const long long *back = step->other < w->n ? size_of(w, step->other) : NULL;
	long long now = height_with(w, step->machine, size, back);

	w->tries++;
	if (now >= best->height)
		return;
	now = most(now, height_with(w, from, back, size));
	if (now < best->height) {
		*best = *step;
		best->height = now;
	}
}

/* Takes the best step that makes the longest machine shorter. False: there is none. */
static bool
descend(struct work *w)
{
	size_t from = longest_of(w);
	struct step best = { .bundle = w->n, .height = height(w, load_of(w, from)) };

	if (best.height <= w->bound)
		return false;
	for (size_t i = 0; i < w->n && w->tries < TRIES; i++) {
		if (w->machine_of[i] != from)
			continue;
		for (size_t m = 0; m < w->machines; m++)
			if (m != from)
				try_step(w, &(struct step){ i, w->n, m, 0 }, from, &best);
		for (size_t k = 0; k < w->n; k++)
			if (w->machine_of[k] != from)
				try_step(w, &(struct step){ i, k, w->machine_of[k], 0 }, from,
				    &best);
	}
	if (best.bundle == w->n)
		return false;
	if (best.other < w->n)
		move(w, best.other, from);
	move(w, best.bundle, best.machine);
	return true;
}

/* xorshift64: the same numbers everywhere. */
static size_t
any(struct work *w, size_t n)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (size_t)(w->random % n);
}

/* best: as for multifit. */
static void
search(struct work *w, size_t *best, long long *length)
{
	for (int kick = 0; kick < KICKS && *length > w->bound && w->tries < TRIES; kick++) {
		put_back(w, best);
		for (int i = 0; kick > 0 && i < KICK_MOVES; i++)
			move(w, any(w, w->n), any(w, w->machines));
		while (descend(w))
			;
		if (length_of(w) < *length) {
			*length = length_of(w);
			memcpy(best, w->machine_of, w->n * sizeof(*best));
		}
	}
}

/* qsort_r's: the larger one first, and of two alike the first. */
static int
compare(const void *a, const void *b, void *data)
{
	const struct work *w = data;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	long long left = height(w, size_of(w, x)), right = height(w, size_of(w, y));

	if (left != right)
		return left < right ? 1 : -1;
	return x < y ? -1 : 1;
}

/* A resource that cannot make a machine longer than it is anyway needs no dimension. */
static void
measure(struct work *w, size_t resources)
{
	long long *sums = sums_of(w->bundles, w->n, resources);
	long long plain = plain_bound(w->bundles, w->n, w->machines);
	size_t *dimension = xcalloc(resources, sizeof(*dimension));

	w->dimensions = 1;
	for (size_t r = 0; r < resources; r++)
		if (sums[r] > plain)
			dimension[r] = w->dimensions++;
	w->sizes = xcalloc(w->n * w->dimensions, sizeof(*w->sizes));
	w->loads = xcalloc(w->machines * w->dimensions, sizeof(*w->loads));
	for (size_t i = 0; i < w->n; i++) {
		long long *size = w->sizes + i * w->dimensions;

		size[0] = w->bundles[i].work;
		for (size_t k = 0; k < w->bundles[i].nuses; k++) {
			const struct divide_use *use = &w->bundles[i].uses[k];

			if (dimension[use->resource] > 0)
				size[dimension[use->resource]] += use->ms;
		}
		w->order[i] = i;
	}
	if (w->n > 0)
		qsort_r(w->order, w->n, sizeof(*w->order), compare, w);
	free(dimension);
	free(sums);
}

long long
divide(const struct divide_bundle *bundles, size_t n, size_t resources, size_t machines,
    size_t *machine_of)
{
	struct work w = { .bundles = bundles, .n = n, .machines = machines,
		.machine_of = xcalloc(n, sizeof(*w.machine_of)),
		.order = xcalloc(n, sizeof(*w.order)),
		.bound = divide_bound(bundles, n, resources, machines), .random = RANDOM };
	long long length;

	measure(&w, resources);
	longest_first(&w);
	length = length_of(&w);
	memcpy(machine_of, w.machine_of, n * sizeof(*machine_of));
	multifit(&w, machine_of, &length);
	search(&w, machine_of, &length);
	free(w.machine_of);
	free(w.order);
	free(w.sizes);
	free(w.loads);
	return most(length, w.bound);
}
