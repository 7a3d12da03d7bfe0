#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "order/dispatch.h"
#include "order/search.h"

/*
 * How much time an order is worth. TRIES: how often it is changed at random at most; when jobs are
 * few, the square of their number is enough. Dispatching takes time with that square, too: the sum
 * of the squares stays below WORK. MOVES: how many jobs one change moves at most.
 */
enum { TRIES = 1500, WORK = 8000000, MOVES = 3 };

struct search {
	const struct schedule *schedule;
	unsigned slots;
	struct indices *followers; /* of each job */
	size_t *topological;   /* the jobs, each after those it waits for */
	size_t *current;       /* the order to be tried; no worse than result between tries */
	size_t *result;        /* the first of the best: changes that gain nothing stay out */
	size_t *sequence;
	double *starts;
	double bound;          /* no order ends before */
	double end;            /* of result; below 0 before the first try */
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

/* Kahn's algorithm; the jobs of a cycle, which nobody should give us, come last. */
static void
sort_topologically(struct search *search)
{
	const struct schedule *s = search->schedule;
	size_t *blockers = xcalloc(s->n, sizeof(*blockers)), n = 0;

	for (size_t i = 0; i < s->n; i++) {
		blockers[i] = s->jobs[i].before.n;
		if (blockers[i] == 0)
			search->topological[n++] = i;
	}
	for (size_t i = 0; i < n; i++) {
		const struct indices *followers = &search->followers[search->topological[i]];

		for (size_t k = 0; k < followers->n; k++)
			if (--blockers[followers->v[k]] == 0)
				search->topological[n++] = followers->v[k];
	}
	for (size_t i = 0; i < s->n && n < s->n; i++)
		if (blockers[i] > 0)
			search->topological[n++] = i;
	free(blockers);
}

/* A job to be sorted by its priority. */
struct ranked {
	double priority;
	size_t job;
};

/* The highest priority comes first; of equals the job that is earlier in the noxfile. */
static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? 1 : -1;
	return x->job < y->job ? -1 : 1;
}

/* When the last job ends in that order. */
static double
measure(struct search *search, const size_t *urgency)
{
	return dispatch(search->schedule, urgency, search->slots, search->sequence,
	    search->starts);
}

/* Sorts the jobs by those priorities, the highest first, and keeps that order if it is the best. */
static void
try_priorities(struct search *search, const double *priorities)
{
	size_t n = search->schedule->n;
	struct ranked *ranked = xcalloc(n, sizeof(*ranked));
	double end;

	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){ priorities[i], i };
	if (n > 0)
		qsort(ranked, n, sizeof(*ranked), compare_ranked);
	for (size_t i = 0; i < n; i++)
		search->current[i] = ranked[i].job;
	end = measure(search, search->current);
	if (search->end < 0 || end < search->end) {
		search->end = end;
		memcpy(search->result, search->current, n * sizeof(*search->result));
	}
	free(ranked);
}

/* How long the job takes at its fastest. */
static double
least_seconds(const struct schedule_job *job, unsigned slots)
{
	return job->client ? job->seconds / slots : job->seconds;
}

/*
 * The longest path from each job's start to the end, in seconds. extra: for each job how long other
 * jobs take that have to follow it besides, or NULL.
 */
static void
measure_paths(struct search *search, const double *extra, double *paths)
{
	const struct schedule *s = search->schedule;

	for (size_t i = s->n; i-- > 0;) {
		size_t job = search->topological[i];
		double longest = extra ? extra[job] : 0;

		for (size_t k = 0; k < search->followers[job].n; k++) {
			size_t next = search->followers[job].v[k];

			if (paths[next] > longest)
				longest = paths[next];
		}
		paths[job] = least_seconds(&s->jobs[job], search->slots) + longest;
	}
}

/* A job that uses a resource. */
struct user {
	double path; /* the longest from its start to the end */
	double work; /* how long it keeps the resource from others */
	size_t job;
};

/* The user with the longest path comes first; of equals the one earlier in the noxfile. */
static int
compare_users(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	if (x->path != y->path)
		return x->path < y->path ? 1 : -1;
	return x->job > y->job ? 1 : -1;
}

/* How long the job keeps the resource from others; an amount counts as a part of that. */
static double
claimed_work(const struct search *search, const struct schedule_job *job,
    const struct schedule_claim *claim)
{
	double seconds = least_seconds(job, search->slots);

	if (claim->use == AMOUNT)
		return seconds * (double)claim->amount /
		       (double)search->schedule->capacities[claim->resource];
	return claim->use == EXCLUSIVE ? seconds : 0;
}

/*
 * extra: for each job how long the jobs take that have to follow it on its resources, if the jobs
 * with the longest paths come first there. share: which part of all other work on the resource
 * counts as if it had to follow, from 0 to 1. Returns how long the busiest resource is in use at
 * least: its readers may run at the same time, but not beside the others.
 */
static double
measure_resources(struct search *search, const double *paths, double share, double *extra)
{
	const struct schedule *s = search->schedule;
	/* Pointers are what it holds. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	struct user **users = xcalloc(s->nresources, sizeof(*users));
	size_t *n = xcalloc(s->nresources, sizeof(*n));
	double longest = 0;

	memset(extra, 0, s->n * sizeof(*extra));
	for (size_t i = 0; i < s->n; i++) {
		const struct schedule_job *job = &s->jobs[i];

		for (size_t k = 0; k < job->nclaims; k++) {
			size_t r = job->claims[k].resource;

			users[r] = xreallocarray(users[r], n[r] + 1, sizeof(**users));
			users[r][n[r]++] = (struct user){ paths[i],
				claimed_work(search, job, &job->claims[k]), i };
		}
	}
	for (size_t r = 0; r < s->nresources; r++) {
		double rest = 0, whole = 0, reader = 0;

		if (n[r] > 0)
			qsort(users[r], n[r], sizeof(**users), compare_users);
		for (size_t i = 0; i < n[r]; i++)
			whole += users[r][i].work;
		for (size_t i = 0; i < n[r]; i++)
			if (users[r][i].work == 0 &&
			    least_seconds(&s->jobs[users[r][i].job], search->slots) > reader)
				reader = least_seconds(&s->jobs[users[r][i].job], search->slots);
		for (size_t i = n[r]; i-- > 0;) {
			double follows = rest + share * (whole - rest);

			rest += users[r][i].work;
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
 * Lets the readers of a resource run side by side: all get the priority of the most urgent reader,
 * and a little more, so that a writer of the same priority does not come between them.
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

/*
 * No order ends before this: the longest path, the work on the busiest resource, and all work with
 * all processors busy all the time are bounds, of which the largest counts.
 */
static double
lower_bound(struct search *search, const double *paths, double busiest)
{
	const struct schedule *s = search->schedule;
	double sum = 0, bound = busiest;

	for (size_t i = 0; i < s->n; i++) {
		sum += s->jobs[i].seconds * schedule_demand(&s->jobs[i], search->slots);
		bound = paths[i] > bound ? paths[i] : bound;
	}
	return sum / search->slots > bound ? sum / search->slots : bound;
}

/* Tries rules of thumb, each of which is the best for some schedules. */
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
		try_priorities(search, priorities);
	}
	for (size_t i = 0; i < s->n; i++)
		priorities[i] = least_seconds(&s->jobs[i], search->slots);
	try_priorities(search, priorities);
	/* The noxfile's own order, so that ours is no worse. */
	for (size_t i = 0; i < s->n; i++)
		priorities[i] = (double)(s->n - i);
	try_priorities(search, priorities);
}

static void
move_job(size_t *list, size_t from, size_t to)
{
	size_t job = list[from];

	if (from < to)
		memmove(list + from, list + from + 1, (to - from) * sizeof(*list));
	else
		memmove(list + to + 1, list + to, (from - to) * sizeof(*list));
	list[to] = job;
}

static size_t
random_place(struct search *search)
{
	return (size_t)(random_unit(search) * (double)search->schedule->n);
}

/* Moves a few jobs of the best order so far to anywhere, many times. */
static void
try_changes(struct search *search)
{
	size_t n = search->schedule->n, tries = n ? WORK / n / n : 0, from[MOVES], to[MOVES];

	if (tries > TRIES)
		tries = TRIES;
	if (tries > n * n)
		tries = n * n;
	memcpy(search->current, search->result, n * sizeof(*search->current));
	for (size_t t = 0; t < tries && search->end > search->bound * 1.001; t++) {
		size_t moves = 1 + (size_t)(random_unit(search) * MOVES);
		double end;

		for (size_t i = 0; i < moves; i++) {
			from[i] = random_place(search);
			to[i] = random_place(search);
			move_job(search->current, from[i], to[i]);
		}
		end = measure(search, search->current);
		/* What makes it worse is undone; what gains nothing may lead to a gain. */
		for (size_t i = moves; end > search->end && i-- > 0;)
			move_job(search->current, to[i], from[i]);
		if (end < search->end) {
			search->end = end;
			memcpy(search->result, search->current, n * sizeof(*search->result));
		}
	}
}

void
search_urgency(const struct schedule *s, unsigned slots, size_t *urgency)
{
	struct search search = { .schedule = s, .slots = slots, .result = urgency, .end = -1,
		.random = 88172645463325252ULL };
	double *priorities = xcalloc(s->n, sizeof(*priorities));
	double *extra = xcalloc(s->n, sizeof(*extra));

	search.followers = schedule_followers(s);
	search.topological = xcalloc(s->n, sizeof(*search.topological));
	search.current = xcalloc(s->n, sizeof(*search.current));
	search.sequence = xcalloc(s->n, sizeof(*search.sequence));
	search.starts = xcalloc(s->n, sizeof(*search.starts));
	sort_topologically(&search);
	try_rules(&search, priorities, extra);
	try_changes(&search);
	schedule_free_followers(s, search.followers);
	free(search.topological);
	free(search.current);
	free(search.sequence);
	free(search.starts);
	free(priorities);
	free(extra);
}
