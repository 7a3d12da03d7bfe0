#include <stdlib.h>

#include "base/json.h"
#include "order/workload.h"
#include "plan/options.h"

/* Shorter times are not measured, or not true. */
#define SHORTEST 0.001

size_t
workload_find(const struct workload *work, const char *target)
{
	json_t *at = target ? json_object_get(work->positions, target) : NULL;

	return at ? (size_t)json_integer_value(at) : NO_JOB;
}

/* names: of targets; those that are not in the workload do not count. */
static void
add_before(const struct workload *work, struct schedule_job *job, const json_t *names, size_t self)
{
	json_t *item;
	size_t i;

	json_array_foreach(names, i, item) {
		size_t other = workload_find(work, json_string_value(item));

		if (other != NO_JOB && other != self && !indices_has(&job->before, other))
			indices_add(&job->before, other);
	}
}

/* The position of the resource, which is added with that capacity when it is new. */
static size_t
find_resource(struct workload *work, const char *name, long long capacity)
{
	struct schedule *s = &work->schedule;
	json_t *at = json_object_get(work->resources, name);

	if (at)
		return (size_t)json_integer_value(at);
	s->capacities = xreallocarray(s->capacities, s->nresources + 1, sizeof(*s->capacities));
	s->capacities[s->nresources] = capacity > 0 ? capacity : 1;
	json_object_set_new(work->resources, name, json_integer((json_int_t)s->nresources));
	return s->nresources++;
}

static void
add_claims(struct workload *work, struct schedule_job *job, const json_t *claims)
{
	json_t *claim;
	size_t i;

	job->claims = xcalloc(json_array_size(claims), sizeof(*job->claims));
	json_array_foreach(claims, i, claim) {
		long long capacity = json_integer_value(json_object_get(claim, "capacity"));
		long long amount = json_integer_value(json_object_get(claim, "amount"));
		size_t resource = find_resource(work, json_text(claim, "resource"), capacity);
		/* What is found was added. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		long long all = work->schedule.capacities[resource];

		if (amount < 0 || amount > all)
			amount = all;
		job->claims[job->nclaims++] = (struct schedule_claim){
			.resource = resource, .use = use_of(claim), .amount = amount };
	}
}

/* Without its fraction. What is rounded here is far from any limit, and needs no libm. */
static double
whole(double number)
{
	return (double)(long long)number;
}

/* Rounds up to two digits, but no finer than to milliseconds. */
static double
round_seconds(double seconds)
{
	double unit = 0.001, units;

	while (seconds > unit * 100)
		unit *= 10;
	units = whole(seconds / unit);
	return units * unit < seconds ? (units + 1) * unit : units * unit;
}

/* The demand to halves. */
static void
round_job(struct schedule_job *job)
{
	job->seconds = round_seconds(job->seconds);
	job->demand = whole(job->demand * 2 + 0.5) / 2;
}

/*
 * A session that was seen to use several processors has them, when it runs. It was wide for a part
 * of its time only: what counts is how many it used on average.
 */
static void
widen(struct schedule_job *job, const struct history *history, const char *target)
{
	struct learned learned = history_learned(history, target);

	if (learned.width > 1) {
		if (learned.alone >= SHORTEST)
			job->seconds = learned.alone;
		job->demand = learned.cpu / job->seconds;
		if (job->demand > learned.width)
			job->demand = learned.width;
	}
	learned_clear(&learned);
}

/* A part of which nothing is known yet takes its share of what the whole has taken. */
static const char *
known_name(const struct history *history, const json_t *session, struct expectation *it,
    double *share)
{
	const char *target = json_text(session, "target"), *whole = json_text(session, "whole");
	json_int_t parts = json_integer_value(json_array_get(json_object_get(session, "part"), 1));
	struct expectation of_whole;

	*share = 1;
	*it = history_expect(history, target);
	if (it->known || !*whole || parts < 1)
		return target;
	of_whole = history_expect(history, whole);
	if (!of_whole.known)
		return target;
	*it = of_whole;
	*share = 1.0 / (double)parts;
	return whole;
}

struct workload *
workload_new(const json_t *active, const struct history *history, bool coarse)
{
	struct workload *work = xcalloc(1, sizeof(*work));
	const char *target;
	json_t *session;
	size_t i;

	*work = (struct workload){ .sessions = json_array(), .positions = json_object(),
		.resources = json_object() };
	json_object_foreach((json_t *)active, target, session)
		json_array_append(work->sessions, session);
	work->schedule.n = json_array_size(work->sessions);
	work->schedule.jobs = xcalloc(work->schedule.n, sizeof(*work->schedule.jobs));
	json_array_foreach(work->sessions, i, session)
		json_object_set_new(work->positions, json_text(session, "target"),
		    json_integer((json_int_t)i));
	json_array_foreach(work->sessions, i, session) {
		struct schedule_job *job = &work->schedule.jobs[i];
		struct options options = options_of(session);
		struct expectation it;
		double share;
		const char *name = known_name(history, session, &it, &share);
		double skip = history_skipped(history, json_text(session, "target"));

		/* What was skipped last will be again: it takes no more than that. */
		if (skip >= 0) {
			it = (struct expectation){ .known = true,
				.seconds = skip > SHORTEST ? skip : SHORTEST };
			share = 1;
		}
		job->seconds = it.seconds;
		job->known = it.known;
		job->client = it.client;
		job->slots = options.jobs.least;
		if (!job->client && job->slots == 0 && skip < 0)
			widen(job, history, name);
		job->seconds *= share;
		if (coarse)
			round_job(job);
		options_clear(&options);
		add_before(work, job, json_object_get(session, "requires"), i);
		add_before(work, job, json_object_get(session, "after"), i);
		add_claims(work, job, json_object_get(session, "claims"));
	}
	return work;
}

void
workload_free(struct workload *work)
{
	schedule_clear(&work->schedule);
	json_decref(work->sessions);
	json_decref(work->positions);
	json_decref(work->resources);
	free(work);
}

const char *
workload_target(const struct workload *work, size_t job)
{
	return json_text(json_array_get(work->sessions, job), "target");
}
