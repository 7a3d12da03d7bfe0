#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schedule.h"
#include "simulate.h"

/*
 * How much search an order is worth: tries that change it at random (the square of the jobs will do
 * when they are few), and simulated jobs in all, since a simulation takes time with their square.
 */
enum { TRIES = 1500, WORK = 8000000 };

struct search {
	const struct schedule *schedule;
	unsigned slots;
	struct indices *after; /* of each job: those that wait for it */
	size_t *topological;   /* the jobs, each after those it waits for */
	size_t *order, *active; /* the order in the making; those of it that count */
	size_t *best_active;    /* those of the best */
	double *best;   /* priorities that make as good an order as any yet, from which we go on */
	double *result; /* the first ones that made it: what changes nothing is not for the user */
	double bound, best_end;
	bool all_wanted;
	uint64_t random;
};

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
static double
random_unit(struct search *search)
{
	uint64_t x = search->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	search->random = x;
	return (double)((x * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

static bool
is_wanted(const struct search *search, size_t job)
{
	return search->all_wanted || search->schedule->jobs[job].wanted;
}

/* Kahn's algorithm; jobs of a cycle, which nobody should give us, come last. */
static void
sort_topologically(struct search *search)
{
	const struct schedule *s = search->schedule;
	size_t *blockers = xcalloc(s->n, sizeof(*blockers)), n = 0;

	for (size_t i = 0; i < s->n; i++) {
		blockers[i] = s->jobs[i].before.n;
		for (size_t k = 0; k < s->jobs[i].before.n; k++)
			indices_add(&search->after[s->jobs[i].before.v[k]], i);
		if (blockers[i] == 0)
			search->topological[n++] = i;
	}
	for (size_t i = 0; i < n; i++) {
		const struct indices *after = &search->after[search->topological[i]];

		for (size_t k = 0; k < after->n; k++)
			if (--blockers[after->v[k]] == 0)
				search->topological[n++] = after->v[k];
	}
	for (size_t i = 0; i < s->n && n < s->n; i++)
		if (blockers[i] > 0)
			search->topological[n++] = i;
	free(blockers);
}

/* Heap of ready jobs, the most urgent on top; of equals the one that is earlier in the noxfile. */
struct heap {
	const double *priorities;
	size_t *jobs, n;
};

static bool
is_more_urgent(const struct heap *heap, size_t a, size_t b)
{
	if (heap->priorities[a] != heap->priorities[b])
		return heap->priorities[a] > heap->priorities[b];
	return a < b;
}

static void
heap_push(struct heap *heap, size_t job)
{
	size_t at = heap->n++;

	for (; at > 0 && is_more_urgent(heap, job, heap->jobs[(at - 1) / 2]); at = (at - 1) / 2)
		heap->jobs[at] = heap->jobs[(at - 1) / 2];
	heap->jobs[at] = job;
}

static size_t
heap_pop(struct heap *heap)
{
	size_t top = heap->jobs[0], last = heap->jobs[--heap->n], at = 0, child;

	while ((child = 2 * at + 1) < heap->n) {
		if (child + 1 < heap->n &&
		    is_more_urgent(heap, heap->jobs[child + 1], heap->jobs[child]))
			child++;
		if (!is_more_urgent(heap, heap->jobs[child], last))
			break;
		heap->jobs[at] = heap->jobs[child];
		at = child;
	}
	heap->jobs[at] = last;
	return top;
}

/* All jobs by priority, none before what it waits for. */
static void
make_order(struct search *search, const double *priorities)
{
	const struct schedule *s = search->schedule;
	size_t *blockers = xcalloc(s->n, sizeof(*blockers)), n = 0;
	struct heap heap = { .priorities = priorities };

	heap.jobs = xcalloc(s->n, sizeof(*heap.jobs));
	for (size_t i = 0; i < s->n; i++) {
		blockers[i] = s->jobs[i].before.n;
		if (blockers[i] == 0)
			heap_push(&heap, i);
	}
	while (heap.n > 0) {
		size_t job = heap_pop(&heap);

		search->order[n++] = job;
		for (size_t k = 0; k < search->after[job].n; k++)
			if (--blockers[search->after[job].v[k]] == 0)
				heap_push(&heap, search->after[job].v[k]);
	}
	for (size_t i = 0; i < s->n && n < s->n; i++)
		if (blockers[i] > 0)
			search->order[n++] = i;
	free(blockers);
	free(heap.jobs);
}

/* Taken, if better than what we have, or no worse and new. Only those wanted are looked at. */
static bool
try_priorities(struct search *search, const double *priorities, bool no_worse)
{
	const struct schedule *s = search->schedule;
	size_t n = 0;
	double end;

	make_order(search, priorities);
	for (size_t i = 0; i < s->n; i++)
		if (is_wanted(search, search->order[i]))
			search->active[n++] = search->order[i];
	/* Many a change of priorities is none of the order. */
	if (search->best_end >= 0 &&
	    !memcmp(search->active, search->best_active, n * sizeof(*search->active)))
		return false;
	end = simulate(s, search->active, n, search->slots, NULL);
	if (search->best_end >= 0 && end >= search->best_end &&
	    !(no_worse && end == search->best_end))
		return false;
	if (search->best_end < 0 || end < search->best_end)
		memcpy(search->result, priorities, s->n * sizeof(*priorities));
	search->best_end = end;
	memcpy(search->best, priorities, s->n * sizeof(*priorities));
	memcpy(search->best_active, search->active, n * sizeof(*search->active));
	return true;
}

/* The longest path from each job's start to the end. extra: what else has to follow, or NULL. */
static void
measure_paths(struct search *search, const double *extra, double *paths)
{
	const struct schedule *s = search->schedule;

	for (size_t i = s->n; i-- > 0;) {
		size_t job = search->topological[i];
		double longest = extra ? extra[job] : 0;

		for (size_t k = 0; k < search->after[job].n; k++) {
			size_t next = search->after[job].v[k];

			if (paths[next] > longest &&
			    is_wanted(search, next) >= is_wanted(search, job))
				longest = paths[next];
		}
		paths[job] = s->jobs[job].seconds + longest;
	}
}

struct user {
	double path, work; /* work: how long it keeps the resource from the others */
	size_t job;
};

static int
compare_users(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	if (x->path != y->path)
		return x->path < y->path ? 1 : -1;
	return x->job > y->job ? 1 : -1;
}

static double
claimed_work(const struct schedule *s, const struct schedule_job *job,
    const struct schedule_claim *claim)
{
	if (claim->use == AMOUNT)
		return job->seconds * (double)claim->amount /
		       (double)s->capacities[claim->resource];
	return claim->use == EXCLUSIVE ? job->seconds : 0;
}

/*
 * What has to follow each job on its resources, if there the ones with the longest paths come
 * first. share: how much of the whole resource's work counts instead. The return value is for how
 * long the busiest is in use at least: its readers may run at once, but not beside the others.
 */
static double
measure_resources(struct search *search, const double *paths, double share, double *extra)
{
	const struct schedule *s = search->schedule;
	struct user **users = xcalloc(s->nresources, sizeof(*users));
	size_t *n = xcalloc(s->nresources, sizeof(*n));
	double longest = 0;

	memset(extra, 0, s->n * sizeof(*extra));
	for (size_t i = 0; i < s->n; i++) {
		const struct schedule_job *job = &s->jobs[i];

		for (size_t k = 0; is_wanted(search, i) && k < job->nclaims; k++) {
			size_t r = job->claims[k].resource;

			users[r] = xreallocarray(users[r], n[r] + 1, sizeof(**users));
			users[r][n[r]++] = (struct user){ paths[i],
				claimed_work(s, job, &job->claims[k]), i };
		}
	}
	for (size_t r = 0; r < s->nresources; r++) {
		double rest = 0, whole = 0, reader = 0;

		if (n[r] > 0)
			qsort(users[r], n[r], sizeof(**users), compare_users);
		for (size_t i = 0; i < n[r]; i++)
			whole += users[r][i].work;
		for (size_t i = 0; i < n[r]; i++)
			if (users[r][i].work == 0 && s->jobs[users[r][i].job].seconds > reader)
				reader = s->jobs[users[r][i].job].seconds;
		for (size_t i = n[r]; i-- > 0; rest += users[r][i].work) {
			double follows = rest + share * (whole - rest);

			if (follows > extra[users[r][i].job])
				extra[users[r][i].job] = follows;
		}
		longest = whole + reader > longest ? whole + reader : longest;
		free(users[r]);
	}
	free(users);
	free(n);
	return longest;
}

/*
 * The readers of a resource side by side: all get the priority of the most urgent, and a little
 * more than a writer has, else writers might part them for nothing.
 */
static void
gather_readers(const struct schedule *s, double *priorities)
{
	double *most = xcalloc(s->nresources, sizeof(*most));

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < s->n; i++) {
			const struct schedule_job *job = &s->jobs[i];

			for (size_t k = 0; k < job->nclaims; k++) {
				double *m = &most[job->claims[k].resource];

				if (job->claims[k].use != SHARED)
					continue;
				if (round == 0 && priorities[i] > *m)
					*m = priorities[i] * (1 + 1e-6);
				else if (priorities[i] < *m)
					priorities[i] = *m;
			}
		}
	}
	free(most);
}

/* No order ends earlier: the longest path, the busiest resource, all slots busy all the time. */
static double
lower_bound(struct search *search, const double *paths, double busiest)
{
	const struct schedule *s = search->schedule;
	double sum = 0, bound = busiest;

	for (size_t i = 0; i < s->n; i++) {
		if (!is_wanted(search, i))
			continue;
		sum += s->jobs[i].seconds;
		bound = paths[i] > bound ? paths[i] : bound;
	}
	return sum / search->slots > bound ? sum / search->slots : bound;
}

/* Rules of thumb, each the best for some schedules. */
static void
try_rules(struct search *search, double *priorities, double *extra)
{
	const struct schedule *s = search->schedule;
	static const double shares[] = { 0, 0.5, 1 };
	double busiest;
	size_t rule;

	measure_paths(search, NULL, priorities);
	busiest = measure_resources(search, priorities, 0, extra);
	search->bound = lower_bound(search, priorities, busiest);
	for (rule = 0; rule < 2 * countof(shares); rule++) {
		measure_paths(search, NULL, priorities);
		for (int round = 0; round < 2; round++) {
			measure_resources(search, priorities, shares[rule / 2], extra);
			measure_paths(search, extra, priorities);
		}
		if (rule % 2 == 0)
			gather_readers(s, priorities);
		try_priorities(search, priorities, false);
	}
	for (size_t i = 0; i < s->n; i++)
		priorities[i] = s->jobs[i].seconds;
	try_priorities(search, priorities, false);
	/* So that ours is no worse than the noxfile's. */
	for (size_t i = 0; i < s->n; i++)
		priorities[i] = (double)(s->n - i);
	try_priorities(search, priorities, false);
}

/* From now on a job's priority is its place in the best order, counted from the end. */
static void
rank_best(struct search *search)
{
	const struct schedule *s = search->schedule;

	make_order(search, search->best);
	for (size_t i = 0; i < s->n; i++)
		search->best[search->order[i]] = (double)(s->n - i);
}

/* From the best so far, a few jobs moved: most not far, some to anywhere. */
static void
try_changes(struct search *search, double *priorities)
{
	const struct schedule *s = search->schedule;
	size_t tries = s->n ? WORK / s->n / s->n : 0;

	if (tries > TRIES)
		tries = TRIES;
	if (tries > s->n * s->n)
		tries = s->n * s->n;
	rank_best(search);
	for (size_t t = 0; t < tries && search->best_end > search->bound * 1.001; t++) {
		size_t moves = 1 + (size_t)(random_unit(search) * 3);

		memcpy(priorities, search->best, s->n * sizeof(*priorities));
		for (size_t i = 0; i < moves; i++) {
			size_t job = (size_t)(random_unit(search) * (double)s->n);
			double far = random_unit(search) * random_unit(search) * (double)s->n;

			priorities[job] += random_unit(search) < 0.5 ? far : -far;
		}
		/* What is no worse may be the way to something better. */
		if (try_priorities(search, priorities, true))
			rank_best(search);
	}
}

void
schedule_order(const struct schedule *s, unsigned slots, size_t *order)
{
	struct search search = { .schedule = s, .slots = slots, .order = order, .best_end = -1,
		.all_wanted = true, .random = 88172645463325252ULL };
	double *priorities = xcalloc(s->n, sizeof(*priorities));
	double *extra = xcalloc(s->n, sizeof(*extra));

	for (size_t i = 0; i < s->n; i++)
		if (s->jobs[i].wanted)
			search.all_wanted = false;
	search.after = xcalloc(s->n, sizeof(*search.after));
	search.topological = xcalloc(s->n, sizeof(*search.topological));
	search.active = xcalloc(s->n, sizeof(*search.active));
	search.best_active = xcalloc(s->n, sizeof(*search.best_active));
	search.best = xcalloc(s->n, sizeof(*search.best));
	search.result = xcalloc(s->n, sizeof(*search.result));
	sort_topologically(&search);
	try_rules(&search, priorities, extra);
	try_changes(&search, priorities);
	make_order(&search, search.result);
	for (size_t i = 0; i < s->n; i++)
		free(search.after[i].v);
	free(search.after);
	free(search.topological);
	free(search.active);
	free(search.best_active);
	free(search.best);
	free(search.result);
	free(priorities);
	free(extra);
}
