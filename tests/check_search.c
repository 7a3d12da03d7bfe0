/*
 * Orders of random schedules, and what make and the locks would do by them. NOXMK_SCHEDULES says
 * how many [10000].
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/median.h"
#include "jobs.h"
#include "order/cue.h"
#include "order/dispatch.h"
#include "order/search.h"
#include "order/simulate.h"
#include "support.h"

enum { PARTS = 10, INSTANCES = 300, SLOTS = 4 };

/* Sums of seconds, added in another order, differ. */
#define TOLERANCE 1e-6

/* Small ones are as hard on the rules as big ones, and much less work. */
static const struct variety mixed = { .least = 1, .most = 40, .resources = 4, .amount = 4,
	.claims = 30, .edges = 100, .skewed = true, .backward = true, .slots = 9 };
/* The manifest order is one that keeps `before`. */
static const struct variety forward = { .least = 1, .most = 40, .resources = 4, .amount = 4,
	.claims = 30, .edges = 100, .skewed = true };
/* Those by which the order is measured. */
static const struct variety typical = { .least = 5, .most = 60, .resources = 4, .amount = 3,
	.claims = 20, .edges = 50 };

/* Who starts when, by the order that is to be tested. */
struct orders {
	size_t *urgency, *sequence, *cues;
	double *starts, end;
};

static struct orders
orders_of(const struct schedule *s, unsigned slots)
{
	struct orders o = { .urgency = xcalloc(s->n, sizeof(*o.urgency)),
		.sequence = xcalloc(s->n, sizeof(*o.sequence)),
		.cues = xcalloc(s->n, sizeof(*o.cues)),
		.starts = xcalloc(s->n, sizeof(*o.starts)) };

	memset(o.urgency, 0xff, s->n * sizeof(*o.urgency));
	memset(o.sequence, 0xff, s->n * sizeof(*o.sequence));
	search_urgency(s, slots, o.urgency);
	o.end = dispatch(s, o.urgency, slots, o.sequence, o.starts);
	cue_choose(s, slots, o.sequence, o.starts, o.cues);
	return o;
}

static void
orders_free(struct orders *o)
{
	free(o->urgency);
	free(o->sequence);
	free(o->cues);
	free(o->starts);
}

/* All jobs are there; if kept, none before what it waits for. */
static void
assert_keeps_before(const struct schedule *s, const size_t *order, bool kept)
{
	bool *seen = xcalloc(s->n, sizeof(*seen));

	for (size_t i = 0; i < s->n; i++) {
		ck_assert_uint_lt(order[i], s->n);
		ck_assert(!seen[order[i]]);
		for (size_t k = 0; kept && k < s->jobs[order[i]].before.n; k++)
			ck_assert(seen[s->jobs[order[i]].before.v[k]]);
		seen[order[i]] = true;
	}
	free(seen);
}

static const struct schedule_claim *
claim_on(const struct schedule_job *job, size_t resource)
{
	for (size_t k = 0; k < job->nclaims; k++)
		if (job->claims[k].resource == resource)
			return &job->claims[k];
	return NULL;
}

/* Who waits for whom in a run of those jobs. */
struct edges {
	struct indices *waits_for; /* of each job */
	size_t n;
};

static void
wait_for_all(struct edges *edges, size_t job, const struct indices *others)
{
	for (size_t k = 0; k < others->n; k++)
		indices_add(&edges->waits_for[job], others->v[k]);
	edges->n += others->n;
}

/* As mk/nox.mk, _noxmk.edges; simulate.c does the same in its own way. */
static void
add_chain(struct edges *edges, const struct schedule *s, size_t resource,
    const struct indices *active)
{
	struct indices readers = { 0 }, writer = { 0 };
	size_t users = 0, before = edges->n;

	for (size_t i = 0; i < active->n; i++) {
		size_t job = active->v[i];
		const struct schedule_claim *claim = claim_on(&s->jobs[job], resource);

		if (!claim || claim->use == AMOUNT)
			continue;
		users++;
		if (claim->use == SHARED) {
			wait_for_all(edges, job, &writer);
			indices_add(&readers, job);
			continue;
		}
		wait_for_all(edges, job, readers.n > 0 ? &readers : &writer);
		readers.n = writer.n = 0;
		indices_add(&writer, job);
	}
	ck_assert_uint_le(edges->n - before, 2 * users);
	free(readers.v);
	free(writer.v);
}

/* None of them waits for one that comes later in the run, so none for itself. */
static void
assert_no_cycle(const struct edges *edges, const struct schedule *s, const struct indices *active)
{
	bool *seen = xcalloc(s->n, sizeof(*seen));

	for (size_t i = 0; i < active->n; i++) {
		const struct indices *others = &edges->waits_for[active->v[i]];

		for (size_t k = 0; k < others->n; k++)
			ck_assert(seen[others->v[k]]);
		seen[active->v[i]] = true;
	}
	free(seen);
}

/* At the moment at which that one starts. Who ends just then is not there any more. */
static void
assert_fits(const struct schedule *s, const struct indices *active, const double *starts,
    size_t job, unsigned slots)
{
	long long taken[8] = { 0 };
	unsigned running = 0;

	for (size_t i = 0; i < active->n; i++) {
		size_t other = active->v[i];

		if (starts[other] > starts[job] + TOLERANCE ||
		    starts[other] + s->jobs[other].seconds < starts[job] + TOLERANCE)
			continue;
		running += schedule_slots(&s->jobs[other], slots);
		for (size_t r = 0; r < s->nresources; r++) {
			const struct schedule_claim *a = claim_on(&s->jobs[job], r);
			const struct schedule_claim *b = claim_on(&s->jobs[other], r);

			if (a && b && other != job)
				ck_assert(a->use != EXCLUSIVE && b->use != EXCLUSIVE);
			taken[r] += b && b->use == AMOUNT ? b->amount : 0;
			ck_assert_int_le(taken[r], s->capacities[r]);
		}
	}
	ck_assert_uint_ge(running, 1);
	ck_assert_uint_le(running, slots);
}

static void
assert_starts(const struct schedule *s, const struct indices *active, unsigned slots,
    const struct edges *edges, const size_t *cues)
{
	double *starts = xcalloc(s->n, sizeof(*starts)), last = 0;
	double end = simulate(s, active->v, active->n, slots, cues, starts, NULL);

	for (size_t i = 0; i < active->n; i++) {
		size_t job = active->v[i];
		const struct indices *others = &edges->waits_for[job];

		for (size_t k = 0; k < others->n; k++)
			ck_assert_double_ge(starts[job] + TOLERANCE,
			    starts[others->v[k]] + s->jobs[others->v[k]].seconds);
		ck_assert_double_ge(starts[job], -TOLERANCE);
		last = fmax(last, starts[job] + s->jobs[job].seconds);
		assert_fits(s, active, starts, job, slots);
	}
	ck_assert_double_eq_tol(end, last, TOLERANCE);
	free(starts);
}

/* A run of some of the jobs. cues: NULL, or of each job. */
static void
assert_run(const struct schedule *s, const struct indices *active, unsigned slots,
    const size_t *cues)
{
	struct edges edges = { .waits_for = xcalloc(s->n, sizeof(*edges.waits_for)) };
	struct indices there = { 0 };

	for (size_t r = 0; r < s->nresources; r++)
		add_chain(&edges, s, r, active);
	for (size_t i = 0; i < active->n; i++) {
		const struct indices *before = &s->jobs[active->v[i]].before;

		there.n = 0;
		for (size_t k = 0; k < before->n; k++)
			if (indices_has(active, before->v[k]))
				indices_add(&there, before->v[k]);
		if (cues && cues[active->v[i]] != NO_JOB)
			indices_add(&there, cues[active->v[i]]);
		wait_for_all(&edges, active->v[i], &there);
	}
	assert_no_cycle(&edges, s, active);
	assert_starts(s, active, slots, &edges, cues);
	for (size_t i = 0; i < s->n; i++)
		free(edges.waits_for[i].v);
	free(edges.waits_for);
	free(there.v);
}

/* How many in each of the parts. */
static unsigned
count_schedules(void)
{
	const char *text = getenv("NOXMK_SCHEDULES");

	return (text ? (unsigned)strtoul(text, NULL, 10) : 10000) / PARTS;
}

/* The order of the noxfile is no better. */
static void
assert_no_worse(const struct schedule *s, const struct orders *o, unsigned slots)
{
	size_t *manifest = xcalloc(s->n, sizeof(*manifest)), *sequence;
	double *starts = xcalloc(s->n, sizeof(*starts));

	sequence = xcalloc(s->n, sizeof(*sequence));
	for (size_t i = 0; i < s->n; i++)
		manifest[i] = i;
	ck_assert_double_le(o->end,
	    dispatch(s, manifest, slots, sequence, starts) + TOLERANCE);
	free(manifest);
	free(sequence);
	free(starts);
}

static void
assert_orders(const struct schedule *s, const struct orders *o, unsigned slots)
{
	struct indices all = { o->sequence, s->n };
	double last = 0;

	assert_keeps_before(s, o->urgency, false);
	assert_keeps_before(s, o->sequence, true);
	for (size_t i = 0; i < s->n; i++) {
		const struct indices *before = &s->jobs[i].before;

		assert_fits(s, &all, o->starts, i, slots);
		last = fmax(last, o->starts[i] + s->jobs[i].seconds);
		for (size_t k = 0; k < before->n; k++)
			ck_assert_double_ge(o->starts[i] + TOLERANCE,
			    o->starts[before->v[k]] + s->jobs[before->v[k]].seconds);
	}
	ck_assert_double_eq_tol(o->end, last, TOLERANCE);
	assert_no_worse(s, o, slots);
	assert_run(s, &all, slots, o->cues);
}

START_TEST(orders_of_random_schedules_hold)
{
	unsigned seed = 1 + (unsigned)_i;

	for (unsigned t = count_schedules(); t > 0; t--) {
		struct schedule *s = schedule_random(t % 2 ? &mixed : &forward, &seed);
		unsigned slots = 1 + (unsigned)rand_r(&seed) % 8;
		struct orders o = orders_of(s, slots), again;
		struct indices active = { 0 };
		int percent = rand_r(&seed) % 101;

		assert_orders(s, &o, slots);
		for (size_t i = 0; i < s->n; i++)
			if (rand_r(&seed) % 100 < percent)
				indices_add(&active, o.sequence[i]);
		assert_run(s, &active, slots, NULL);
		if (t % 16 == 0) {
			again = orders_of(s, slots);
			ck_assert_mem_eq(o.sequence, again.sequence, s->n * sizeof(*o.sequence));
			ck_assert_mem_eq(o.cues, again.cues, s->n * sizeof(*o.cues));
			orders_free(&again);
		}
		free(active.v);
		orders_free(&o);
		schedule_drop(s);
	}
}
END_TEST

/* As search.c, but for readers: they cannot run beside the writers. */
static double
lower_bound(const struct schedule *s, unsigned slots)
{
	double *paths = xcalloc(s->n, sizeof(*paths)), sum = 0, bound = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct indices *before = &s->jobs[i].before;

		for (size_t k = 0; k < before->n; k++)
			paths[i] = fmax(paths[i], paths[before->v[k]]);
		paths[i] += s->jobs[i].seconds;
		bound = fmax(bound, paths[i]);
		sum += s->jobs[i].seconds;
	}
	bound = fmax(bound, sum / slots);
	for (size_t r = 0; r < s->nresources; r++) {
		double load = 0, longest = 0;

		for (size_t i = 0; i < s->n; i++) {
			const struct schedule_claim *claim = claim_on(&s->jobs[i], r);
			double seconds = s->jobs[i].seconds;

			if (claim && claim->use == SHARED)
				longest = fmax(longest, seconds);
			else if (claim)
				load += claim->use == EXCLUSIVE ? seconds :
				    seconds * (double)claim->amount / (double)s->capacities[r];
		}
		bound = fmax(bound, load + longest);
	}
	free(paths);
	return bound;
}

/* As long as make takes by the order and its cues, with times as expected or a little off. */
static void
measure_quality(double spread, double *middle, double *most)
{
	double ratios[INSTANCES];
	unsigned seed = 1;

	for (size_t t = 0; t < INSTANCES; t++) {
		struct schedule *s = schedule_random(&typical, &seed);
		struct orders o = orders_of(s, SLOTS);

		for (size_t i = 0; i < s->n; i++)
			s->jobs[i].seconds *= 1 + spread * (2 * unit_random(&seed) - 1);
		ratios[t] = simulate(s, o.sequence, s->n, SLOTS, o.cues, NULL, NULL) /
		    lower_bound(s, SLOTS);
		ck_assert_double_ge(ratios[t], 1 - TOLERANCE);
		orders_free(&o);
		schedule_drop(s);
	}
	*middle = median(ratios, INSTANCES);
	*most = ratios[INSTANCES * 9 / 10];
}

START_TEST(orders_end_close_to_the_bound)
{
	double middle, most;

	measure_quality(0, &middle, &most);
	ck_assert_double_le(middle, 1.01);
	ck_assert_double_le(most, 1.1);
	measure_quality(0.1, &middle, &most);
	ck_assert_double_le(middle, 1.03);
	ck_assert_double_le(most, 1.12);
}
END_TEST

static const struct {
	const char *jobs, *sequence;
	unsigned slots;
	const char *cues; /* "3<2": the end of 2 is the cue of 3 */
} small_ones[] = {
	{ "1", "0", 1, "" },
	/* Of equals the noxfile's order. */
	{ "1;1;1;1", "0 1 2 3", 2, "" },
	{ "1;1 x0;1 x0;1 s0;1", "1 0 3 4 2", 2, "" },
	/* The longest first, and what keeps others waiting. */
	{ "1;2;3", "2 1 0", 1, "" },
	{ "3;1;1 <1;1 <2;1 <3", "1 0 2 3 4", 1, "" },
	{ "2;5 x0;2;5 x0", "1 0 2 3", 2, "" },
	/* 2 is more urgent than 3, for which make would stay (check_simulate.c). */
	{ "1;4;5 <0;1;1", "0 1 2 3 4", 2, "3<1 4<3" },
	/* Nobody knows when 1 ends. */
	{ "1;?4;5 <0;1;1", "0 1 2 3 4", 2, "4<3" },
	/* What takes two slots leaves none beside it. */
	{ "3;1;2 #2;1", "0 1 3 2", 2, "" },
	/* A client last, where it has both slots; when it ends nobody knows. */
	{ "4;~4;4", "0 2 1", 2, "" },
	{ "1;~4;5 <0;1;1", "0 1 2 3 4", 2, "4<3" },
	/* Never: a cycle, or more than there is. */
	{ "1 <1;1 <0;2", "2 0 1", 2, "" },
	{ "1 5:2;1 <0;2", "2 0 1", 2, "" },
};

START_TEST(small_schedules_have_known_orders)
{
	struct schedule *s = schedule_of(small_ones[_i].jobs, "1 1 4");
	struct orders o = orders_of(s, small_ones[_i].slots);
	struct buffer sequence = { 0 }, cues = { 0 };

	buffer_addstr(&cues, "");
	for (size_t i = 0; i < s->n; i++)
		buffer_printf(&sequence, "%s%zu", i ? " " : "", o.sequence[i]);
	for (size_t i = 0; i < s->n; i++)
		if (o.cues[i] != NO_JOB)
			buffer_printf(&cues, "%s%zu<%zu", cues.len ? " " : "", i, o.cues[i]);
	ck_assert_str_eq(sequence.data, small_ones[_i].sequence);
	ck_assert_str_eq(cues.data, small_ones[_i].cues);
	buffer_free(&sequence);
	buffer_free(&cues);
	orders_free(&o);
	schedule_drop(s);
}
END_TEST

Suite *
check_search_suite(void)
{
	Suite *suite = suite_create("search");
	TCase *tc = support_case(suite, "search");

	tcase_add_loop_test(tc, small_schedules_have_known_orders, 0, countof(small_ones));
	tcase_add_test(tc, orders_end_close_to_the_bound);
	tc = support_case(suite, "random");
	tcase_add_loop_test(tc, orders_of_random_schedules_hold, 0, PARTS);
	return suite;
}
