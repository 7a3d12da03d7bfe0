#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "order/cue.h"
#include "order/simulate.h"

/*
 * Cues are judged by the mean end of so many VARIANTS of the schedule. The first is the schedule
 * itself; in the others durations differ by up to SPREAD. With MANY jobs that would take too long,
 * and the schedule itself must do. A simulation takes time with the square of the jobs: the sum of
 * these squares stays below WORK, and cues that are not tried by then are kept.
 */
enum { VARIANTS = 8, MANY = 300, WORK = 8000000 };
#define SPREAD 0.15

/* A run may take longer by this factor if it does without any cue in exchange. */
#define TOLERANCE 1.005

struct chooser {
	const struct schedule *schedule;
	unsigned slots;
	const size_t *sequence;
	size_t *cues;
	struct schedule variants[VARIANTS];
	size_t nvariants;
};

/* Jobs with equal durations have equal durations in each variant, too. */
static double
vary(double seconds, uint64_t variant)
{
	uint64_t x;

	/* splitmix64: Steele et al., "Fast splittable pseudorandom number generators", 2014. */
	memcpy(&x, &seconds, sizeof(x));
	x += variant * 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	return seconds * (1 + SPREAD * ((double)(x >> 11) / 4503599627370496.0 - 1));
}

static void
make_variants(struct chooser *chooser)
{
	const struct schedule *s = chooser->schedule;

	for (uint64_t v = 0; v < chooser->nvariants; v++) {
		struct schedule *variant = &chooser->variants[v];

		*variant = *s;
		variant->jobs = xcalloc(s->n, sizeof(*s->jobs));
		for (size_t i = 0; i < s->n; i++) {
			variant->jobs[i] = s->jobs[i];
			if (v > 0)
				variant->jobs[i].seconds = vary(s->jobs[i].seconds, v);
		}
	}
}

static double
mean_end(const struct chooser *chooser, const size_t *cues)
{
	double sum = 0;

	for (size_t v = 0; v < chooser->nvariants; v++)
		sum += simulate(&chooser->variants[v], chooser->sequence, chooser->schedule->n,
		    chooser->slots, cues, NULL, NULL);
	return sum / (double)chooser->nvariants;
}

/* Has `then` an edge from `first` without a cue? Amounts are locks, which make no edges. */
static bool
has_edge(const struct schedule *s, size_t first, size_t then)
{
	const struct schedule_job *a = &s->jobs[first], *b = &s->jobs[then];

	if (indices_has(&b->before, first))
		return true;
	for (size_t i = 0; i < a->nclaims; i++)
		for (size_t k = 0; k < b->nclaims; k++)
			if (a->claims[i].resource == b->claims[k].resource &&
			    (a->claims[i].use == EXCLUSIVE || b->claims[k].use == EXCLUSIVE))
				return true;
	return false;
}

/*
 * Is there a resource of which both take an amount? The helper that comes first gets it, and which
 * one comes first is not known of two that make starts at once.
 */
static bool
share_amount(const struct schedule *s, size_t first, size_t then)
{
	const struct schedule_job *a = &s->jobs[first], *b = &s->jobs[then];

	for (size_t i = 0; i < a->nclaims; i++)
		for (size_t k = 0; k < b->nclaims; k++)
			if (a->claims[i].resource == b->claims[k].resource &&
			    a->claims[i].use == AMOUNT)
				return true;
	return false;
}

/*
 * A job starts at 0 or when another one ends. The job that ends is the cue, unless an edge makes
 * this one wait for it anyway. Where several end at that moment, a job that gives back an amount
 * which this one takes is the best cue; next comes a job that is not yet the cue of another one,
 * since each of them frees a slot. A job that has never run is no cue: its end is not known.
 */
static void
choose_all(struct chooser *chooser, const double *starts)
{
	const struct schedule *s = chooser->schedule;
	bool *used = xcalloc(s->n, sizeof(*used));

	for (size_t i = 0; i < s->n; i++) {
		size_t job = chooser->sequence[i], cue = NO_JOB;
		bool due = starts[job] > SAME_MOMENT;

		for (size_t k = 0; k < i && due; k++) {
			size_t other = chooser->sequence[k];
			double gap = starts[other] + s->jobs[other].seconds - starts[job];

			/* The end of a client depends on what runs beside it. */
			if (s->jobs[other].client || gap < -SAME_MOMENT || gap > SAME_MOMENT)
				continue;
			if (has_edge(s, other, job))
				due = false;
			else if (s->jobs[other].known && (cue == NO_JOB ||
			    (share_amount(s, other, job) && !share_amount(s, cue, job)) ||
			    (used[cue] && !used[other] && !share_amount(s, cue, job))))
				cue = other;
		}
		chooser->cues[job] = due ? cue : NO_JOB;
		if (due && cue != NO_JOB)
			used[cue] = true;
	}
	free(used);
}

/*
 * May the job do without its cue? Not if the cue says that it is the first to get an amount: make
 * alone does not see to that.
 */
static bool
may_drop(const struct chooser *chooser, size_t job)
{
	size_t cue = chooser->cues[job];

	return cue != NO_JOB && !share_amount(chooser->schedule, cue, job);
}

/* Drops all cues if make hardly does worse then, else each without which it does no worse. */
static void
drop_some(struct chooser *chooser)
{
	const struct schedule *s = chooser->schedule;
	size_t work = chooser->nvariants * s->n * s->n, done = 2;
	size_t *fewest = xcalloc(s->n, sizeof(*fewest));
	double end = mean_end(chooser, chooser->cues), without;

	for (size_t i = 0; i < s->n; i++)
		fewest[i] = may_drop(chooser, i) ? NO_JOB : chooser->cues[i];
	if (mean_end(chooser, fewest) <= end * TOLERANCE) {
		memcpy(chooser->cues, fewest, s->n * sizeof(*fewest));
		free(fewest);
		return;
	}
	free(fewest);
	for (size_t i = 0; i < s->n && done * work < WORK; i++) {
		size_t *cue = &chooser->cues[chooser->sequence[i]], kept = *cue;

		if (!may_drop(chooser, chooser->sequence[i]))
			continue;
		*cue = NO_JOB;
		without = mean_end(chooser, chooser->cues);
		done++;
		if (without > end + SAME_MOMENT)
			*cue = kept;
		else
			end = without;
	}
}

void
cue_choose(const struct schedule *s, unsigned slots, const size_t *sequence, const double *starts,
    size_t *cues)
{
	struct chooser chooser = { .schedule = s, .slots = slots, .sequence = sequence,
		.cues = cues, .nvariants = s->n < MANY ? VARIANTS : 1 };

	choose_all(&chooser, starts);
	make_variants(&chooser);
	drop_some(&chooser);
	for (size_t v = 0; v < chooser.nvariants; v++)
		free(chooser.variants[v].jobs);
}
