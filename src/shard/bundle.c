#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "shard/bundle.h"

/* The resource that all sessions share, and that one which runs alone has for itself: plan.h. */
#define EVERYTHING "*"

/* The session that stands for all of those that this one stays with. */
static size_t
root_of(size_t *up, size_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

/* The first one of the two stands for both, so that the order of bonds does not matter. */
static void
tie(size_t *up, size_t a, size_t b)
{
	a = root_of(up, a);
	b = root_of(up, b);
	if (a < b)
		up[b] = a;
	else
		up[a] = b;
}

/* The keys of a line of the plan that tie its session to others. by: where it does not say that. */
static const struct kind {
	const char *key, *what, *by;
} kinds[] = {
	{ "requires", "requires", "requires= in the noxfile" },
	{ "after", "comes after", "session.notify() in the noxfile" },
	{ "together", "stays with", "together" },
};

static void
bind(struct bundles *bundles, const struct workload *work, size_t session, size_t other,
    const struct kind *kind)
{
	const json_t *line = json_array_get(work->sessions, session);
	const char *by;

	if (other == NO_JOB || other == session)
		return;
	by = json_text(json_object_get(line, "by"), workload_target(work, other));
	bundles->bonds = xreallocarray(bundles->bonds, bundles->nbonds + 1,
	    sizeof(*bundles->bonds));
	bundles->bonds[bundles->nbonds++] = (struct bundle_bond){ .session = session,
		.other = other, .what = kind->what, .by = *by ? by : kind->by };
}

static void
bind_all(struct bundles *bundles, const struct workload *work)
{
	const json_t *line, *item;
	size_t i, k;

	json_array_foreach(work->sessions, i, line)
		for (size_t kind = 0; kind < countof(kinds); kind++)
			json_array_foreach(json_object_get(line, kinds[kind].key), k, item)
				bind(bundles, work, i, workload_find(work, json_string_value(item)),
				    &kinds[kind]);
}

static long long
milliseconds(double seconds)
{
	return (long long)(seconds * 1000 + 0.5);
}

/* In halves: what history knows of it is no more exact. */
static long long
half_processors(const struct workload *work, size_t job)
{
	const struct schedule_job *j = &work->schedule.jobs[job];
	long long halves = (long long)(j->demand * 2 + 0.5);

	if (halves < 2LL * j->slots)
		halves = 2LL * j->slots;
	return halves > 2 ? halves : 2;
}

static bool
is_alone(const struct workload *work, const struct schedule_job *job)
{
	size_t everything = NO_JOB;
	const json_t *at = json_object_get(work->resources, EVERYTHING);

	if (at)
		everything = (size_t)json_integer_value(at);
	for (size_t i = 0; i < job->nclaims; i++)
		if (job->claims[i].resource == everything && job->claims[i].use == EXCLUSIVE)
			return true;
	return false;
}

/* Adds the work of one session, and how long it has what it claims. Its milliseconds. */
static long long
add_job(const struct workload *work, size_t at, unsigned processors,
    struct divide_bundle *bundle)
{
	const long long all_halves = 2LL * processors;
	const struct schedule_job *job = &work->schedule.jobs[at];
	long long ms = milliseconds(job->seconds), halves = half_processors(work, at);

	/* One that can use more than there are takes longer. */
	if (halves > all_halves)
		ms = ms * halves / all_halves;
	if (halves > all_halves || is_alone(work, job))
		halves = all_halves;
	bundle->work += (ms * halves + all_halves - 1) / all_halves;
	bundle->uses = xreallocarray(bundle->uses, bundle->nuses + job->nclaims,
	    sizeof(*bundle->uses));
	for (size_t i = 0; i < job->nclaims; i++) {
		const struct schedule_claim *claim = &job->claims[i];
		long long used = claim->use == EXCLUSIVE ? ms : claim->use == AMOUNT ?
		    (long long)((double)ms * (double)claim->amount /
		    (double)work->schedule.capacities[claim->resource]) : 0;

		if (used > 0)
			bundle->uses[bundle->nuses++] =
			    (struct divide_use){ .resource = claim->resource, .ms = used };
	}
	return ms;
}

/* When the job ends if it waits for others only; ends: of each, or -1 while it is not known. */
static long long
end_of(const struct workload *work, size_t job, const long long *ms, long long *ends)
{
	const struct indices *before = &work->schedule.jobs[job].before;
	long long start = 0;

	if (ends[job] >= 0)
		return ends[job];
	ends[job] = ms[job]; /* a cycle in a damaged plan comes to an end */
	for (size_t i = 0; i < before->n; i++) {
		long long end = end_of(work, before->v[i], ms, ends);

		if (end > start)
			start = end;
	}
	return ends[job] = start + ms[job];
}

/* False after a warning: the bundle has another label already. */
static bool
label(struct bundles *bundles, const struct workload *work, size_t job)
{
	const json_t *line = json_array_get(work->sessions, job);
	const char *wants = json_text(json_object_get(line, "options"), "runs-on");
	const char **label = &bundles->labels[bundles->of[job]];
	bool fits = !*wants || !**label || !strcmp(*label, wants);

	if (*wants && fits)
		*label = wants;
	if (!fits)
		warnx("%s runs on \"%s\", and sessions that it belongs together with on \"%s\": "
		      "one machine is to run them all", workload_target(work, job), wants, *label);
	return fits;
}

int
bundles_make(struct bundles *bundles, const struct workload *work, unsigned processors)
{
	size_t n = work->schedule.n, *up = xcalloc(n, sizeof(*up));
	long long *ms = xcalloc(n, sizeof(*ms)), *ends = xcalloc(n, sizeof(*ends));
	int result = 0;

	*bundles = (struct bundles){ .v = xcalloc(n, sizeof(*bundles->v)),
		.labels = xcalloc(n, sizeof(*bundles->labels)),
		.of = xcalloc(n, sizeof(*bundles->of)) };
	for (size_t i = 0; i < n; i++)
		up[i] = i;
	bind_all(bundles, work);
	for (size_t i = 0; i < bundles->nbonds; i++)
		tie(up, bundles->bonds[i].session, bundles->bonds[i].other);
	for (size_t i = 0; i < n; i++) {
		size_t root = root_of(up, i);

		/* It comes first of those that it stands for. */
		bundles->of[i] = root == i ? bundles->n++ : bundles->of[root];
		if (root == i)
			bundles->labels[bundles->of[i]] = "";
		ms[i] = add_job(work, i, processors, &bundles->v[bundles->of[i]]);
		ends[i] = -1;
	}
	for (size_t i = 0; i < n; i++) {
		struct divide_bundle *bundle = &bundles->v[bundles->of[i]];
		long long end = end_of(work, i, ms, ends);

		if (end > bundle->least)
			bundle->least = end;
		if (!label(bundles, work, i))
			result = -1;
	}
	free(ends);
	free(ms);
	free(up);
	return result;
}

void
bundles_clear(struct bundles *bundles)
{
	for (size_t i = 0; i < bundles->n; i++)
		free(bundles->v[i].uses);
	free(bundles->v);
	free(bundles->labels);
	free(bundles->of);
	free(bundles->bonds);
	*bundles = (struct bundles){ 0 };
}
