#include <err.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "order/dispatch.h"
#include "output/screen.h"
#include "plan/options.h"
#include "shard/remedy.h"
#include "shard/shards.h"

/* So many of what is too long are told of. */
enum { TOO_LONG_MOST = 8 };

/* The bundles of one label, in the order of `bundles`. */
struct class {
	const char *label;
	struct divide_bundle *v; /* what they hold is borrowed */
	struct indices members;  /* positions of the bundles */
	size_t machines;
	size_t *machine_of;      /* of each of them, or NULL */
};

struct classes {
	struct class *v;
	size_t n, resources;
};

static int
compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct class *)a)->label, ((const struct class *)b)->label);
}

/* classes_free frees. */
static struct classes
classes_of(const struct shards *shards)
{
	const struct bundles *bundles = &shards->bundles;
	struct classes classes = { .v = xcalloc(bundles->n, sizeof(*classes.v)),
		.resources = shards->work->schedule.nresources };

	for (size_t i = 0; i < bundles->n; i++) {
		size_t at = 0;
		struct class *class;

		while (at < classes.n && strcmp(classes.v[at].label, bundles->labels[i]) != 0)
			at++;
		class = &classes.v[at];
		if (at == classes.n) {
			*class = (struct class){ .label = bundles->labels[i] };
			classes.n++;
		}
		class->v = xreallocarray(class->v, class->members.n + 1, sizeof(*class->v));
		class->v[class->members.n] = bundles->v[i];
		indices_add(&class->members, i);
	}
	if (classes.n > 0)
		qsort(classes.v, classes.n, sizeof(*classes.v), compare_labels);
	return classes;
}

static void
classes_free(struct classes *classes)
{
	for (size_t i = 0; i < classes->n; i++) {
		free(classes->v[i].v);
		free(classes->v[i].members.v);
		free(classes->v[i].machine_of);
	}
	free(classes->v);
}

static long long
bound_of(const struct classes *classes, const struct class *class, size_t more)
{
	return divide_bound(class->v, class->members.n, classes->resources,
	    class->machines + more);
}

/* Each label gets one machine; then the longest of those that another one makes shorter. */
static void
apportion(struct classes *classes, size_t machines)
{
	for (size_t i = 0; i < classes->n; i++)
		classes->v[i].machines = 1;
	for (size_t left = machines - classes->n; left > 0; left--) {
		struct class *longest = &classes->v[0];
		long long most = 0;

		for (size_t i = 0; i < classes->n; i++) {
			long long bound = bound_of(classes, &classes->v[i], 0);

			if (bound > most && bound_of(classes, &classes->v[i], 1) < bound) {
				longest = &classes->v[i];
				most = bound;
			}
		}
		longest->machines++;
	}
}

static void
divide_class(const struct classes *classes, struct class *class)
{
	free(class->machine_of);
	class->machine_of = xcalloc(class->members.n, sizeof(*class->machine_of));
	(void)divide(class->v, class->members.n, classes->resources, class->machines,
	    class->machine_of);
}

/* What is in that machine: target -> line. A new reference. */
static json_t *
sessions_on(const struct shards *shards, const struct class *class, size_t machine)
{
	const struct workload *work = shards->work;
	json_t *sessions = json_object();
	bool *is_on = xcalloc(shards->bundles.n, sizeof(*is_on));

	for (size_t i = 0; i < class->members.n; i++)
		is_on[class->members.v[i]] = class->machine_of[i] == machine;
	for (size_t i = 0; i < work->schedule.n; i++)
		if (is_on[shards->bundles.of[i]])
			json_object_set(sessions, workload_target(work, i),
			    json_array_get(work->sessions, i));
	free(is_on);
	return sessions;
}

static long long
time_on(const struct class *class, size_t machine)
{
	long long work = 0, least = 0;

	for (size_t i = 0; i < class->members.n; i++) {
		if (class->machine_of[i] != machine)
			continue;
		work += class->v[i].work;
		if (class->v[i].least > least)
			least = class->v[i].least;
	}
	return work > least ? work : least;
}

/* The longest first; of two alike the one that has the first session of both. */
static int
compare_shards(const void *a, const void *b)
{
	const struct shard *x = a, *y = b;
	void *first, *second;

	if (x->ms != y->ms)
		return x->ms < y->ms ? 1 : -1;
	first = json_object_iter(x->sessions);
	second = json_object_iter(y->sessions);
	if (!first || !second)
		return !first - !second;
	return strcmp(json_object_iter_key(first), json_object_iter_key(second));
}

static void
write_hash(struct shards *shards)
{
	uint64_t hash = HASH64_BEGIN;

	for (size_t i = 0; i < shards->n; i++)
		hash = shards_hash_add(hash, shards->v[i].sessions);
	snprintf(shards->hash, sizeof(shards->hash), SHARDS_HASH, hash);
}

/* The divided classes as shards. */
static void
fill(struct shards *shards, const struct classes *classes)
{
	size_t at = 0;

	for (size_t i = 0; i < classes->n; i++)
		shards->n += classes->v[i].machines;
	shards->v = xcalloc(shards->n, sizeof(*shards->v));
	for (size_t i = 0; i < classes->n; i++) {
		const struct class *class = &classes->v[i];

		for (size_t m = 0; m < class->machines; m++)
			shards->v[at + m] = (struct shard){ .label = class->label,
				.sessions = sessions_on(shards, class, m),
				.ms = time_on(class, m) };
		qsort(shards->v + at, class->machines, sizeof(*shards->v), compare_shards);
		at += class->machines;
	}
	write_hash(shards);
}

/* A session, its place in the plan, and that among the active sessions. */
struct entry {
	const char *target;
	json_t *line;
	json_int_t index, part;
	size_t place;
};

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

/* The same in the order of the plan, whatever the order of the goals is. A new reference. */
static json_t *
sorted(const json_t *active)
{
	struct entry *entries = xcalloc(json_object_size(active), sizeof(*entries));
	json_t *result = json_object(), *line;
	const char *target;
	size_t n = 0;

	json_object_foreach((json_t *)active, target, line) {
		entries[n] = (struct entry){ .target = target, .line = line, .place = n,
			.index = json_integer_value(json_object_get(line, "index")),
			.part = json_integer_value(json_array_get(json_object_get(line, "part"),
			    0)) };
		n++;
	}
	if (n > 0)
		qsort(entries, n, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < n; i++)
		json_object_set(result, entries[i].target, entries[i].line);
	free(entries);
	return result;
}

uint64_t
shards_hash_add(uint64_t hash, const json_t *sessions)
{
	json_t *lines = sorted(sessions), *line;
	const char *target;

	json_object_foreach(lines, target, line) {
		for (const char *c = target; *c; c++)
			hash = hash64_add(hash, *c);
		hash = hash64_add(hash, ' ');
	}
	json_decref(lines);
	return hash64_add(hash, '\n');
}

/* Of a machine, by the history alone: others know the same. */
static unsigned
processors_of(const struct history *history)
{
	struct machine machine = history_machine(history);

	return machine.processors > 0 ? machine.processors : BUNDLE_PROCESSORS;
}

/* With its bundles, and without a shard. NULL after a warning. */
static struct shards *
begin(const json_t *active, const struct history *history)
{
	struct shards *shards = xcalloc(1, sizeof(*shards));
	json_t *in_order = sorted(active);

	shards->work = workload_new(in_order, history, false);
	json_decref(in_order);
	if (bundles_make(&shards->bundles, shards->work, processors_of(history)) == 0)
		return shards;
	shards_free(shards);
	return NULL;
}

struct shards *
shards_new(const json_t *active, const struct history *history, size_t n)
{
	struct shards *shards = begin(active, history);
	struct classes classes;

	if (!shards)
		return NULL;
	classes = classes_of(shards);
	if (classes.n > n) {
		warnx("sessions run on %zu kinds of machines, by their runs-on, and so need as "
		      "many shards; %zu %s too few", classes.n, n, n == 1 ? "is" : "are");
		shards_free(shards);
		shards = NULL;
	} else if (classes.n == 0) {
		shards->n = n;
		shards->v = xcalloc(n, sizeof(*shards->v));
		for (size_t i = 0; i < n; i++)
			shards->v[i] = (struct shard){ .label = "", .sessions = json_object() };
		write_hash(shards);
	} else {
		apportion(&classes, n);
		for (size_t i = 0; i < classes.n; i++)
			divide_class(&classes, &classes.v[i]);
		fill(shards, &classes);
	}
	classes_free(&classes);
	return shards;
}

/* Seconds of the longest shard of a class with so many machines, which it has from now on. */
static double
longest_with(const struct shards *shards, const struct classes *classes, struct class *class,
    size_t machines, const struct history *history)
{
	double longest = 0;

	class->machines = machines;
	divide_class(classes, class);
	for (size_t m = 0; m < machines; m++) {
		json_t *sessions = sessions_on(shards, class, m);
		double seconds = shards_expect(history, sessions);

		if (seconds > longest)
			longest = seconds;
		json_decref(sessions);
	}
	return longest;
}

/*
 * The fewest machines of the class with which none takes longer. With one for each bundle none
 * does, as each fits alone, but more than so many machines there are not: -1 after a warning.
 */
static int
size_class(const struct shards *shards, const struct classes *classes, struct class *class,
    const struct history *history, double seconds)
{
	size_t low = 1, high = at_most((unsigned)class->members.n, SHARDS_MOST);

	if (longest_with(shards, classes, class, high, history) > seconds) {
		warnx("%zu machines are too few to be done in that time, and more than %d there "
		      "cannot be", high, SHARDS_MOST);
		return -1;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (longest_with(shards, classes, class, middle, history) <= seconds)
			high = middle;
		else
			low = middle + 1;
	}
	(void)longest_with(shards, classes, class, high, history);
	return 0;
}

/* The sessions of each bundle: target -> line. A new list. */
static json_t *
sessions_by_bundle(const struct shards *shards)
{
	const struct workload *work = shards->work;
	json_t *lists = json_array();

	for (size_t i = 0; i < shards->bundles.n; i++)
		json_array_append_new(lists, json_object());
	for (size_t i = 0; i < work->schedule.n; i++)
		json_object_set(json_array_get(lists, shards->bundles.of[i]),
		    workload_target(work, i), json_array_get(work->sessions, i));
	return lists;
}

static void
warn_too_long(const struct shards *shards, size_t bundle, double taken, double seconds,
    double cost)
{
	char *subject = remedy_subject(&shards->bundles, shards->work, bundle);
	double times = taken / seconds;
	unsigned cuts = (unsigned)(times < PARTS_MAX ? times : PARTS_MAX);
	char *words;

	cuts += cuts < times;
	words = remedy_words(&shards->bundles, shards->work, bundle, cuts);
	warnx("no machine can be done in %s: %s %s%s%s%s: to be faster, %s",
	    screen_duration(seconds + cost).s, subject, screen_duration(taken).s,
	    cost > 0 ? ", and each machine " : "", cost > 0 ? screen_duration(cost).s : "",
	    cost > 0 ? " besides" : "", words);
	free(words);
	free(subject);
}

/* False after a warning for each of the first bundles that take longer. */
static bool
each_fits(const struct shards *shards, const struct history *history, double seconds, double cost)
{
	json_t *lists = sessions_by_bundle(shards);
	const json_t *sessions;
	size_t bundle, n = 0;

	json_array_foreach(lists, bundle, sessions) {
		double taken = shards_expect(history, sessions);

		if (taken > seconds && n++ < TOO_LONG_MOST)
			warn_too_long(shards, bundle, taken, seconds, cost);
	}
	if (n > TOO_LONG_MOST)
		warnx("so do %zu more", n - TOO_LONG_MOST);
	json_decref(lists);
	return n == 0;
}

/* False after a warning: there is no time to divide by. */
static bool
can_be_within(const struct shards *shards, double seconds, double cost)
{
	if (shards->work->schedule.n > 0 && shards_known(shards, NULL) == 0) {
		warnx("nobody knows how long sessions take, as none has passed yet: say how many "
		      "machines, or where the history is (NOXMK_HISTORY)");
		return false;
	}
	if (cost >= seconds)
		warnx("no machine can be done in %s: each takes %s before its sessions begin",
		    screen_duration(seconds).s, screen_duration(cost).s);
	return cost < seconds;
}

struct shards *
shards_within(const json_t *active, const struct history *history, double seconds, double cost)
{
	struct shards *shards = begin(active, history);
	struct classes classes;
	int result = 0;

	if (!shards)
		return NULL;
	if (!can_be_within(shards, seconds, cost) ||
	    !each_fits(shards, history, seconds - cost, cost)) {
		shards_free(shards);
		return NULL;
	}
	classes = classes_of(shards);
	for (size_t i = 0; i < classes.n && result == 0; i++)
		result = size_class(shards, &classes, &classes.v[i], history, seconds - cost);
	if (result == 0) {
		fill(shards, &classes);
	} else {
		shards_free(shards);
		shards = NULL;
	}
	classes_free(&classes);
	return shards;
}

size_t
shards_known(const struct shards *shards, const json_t *sessions)
{
	const struct workload *work = shards->work;
	size_t known = 0;

	for (size_t i = 0; i < work->schedule.n; i++)
		known += work->schedule.jobs[i].known &&
		    (!sessions || json_object_get(sessions, workload_target(work, i)));
	return known;
}

void
shards_free(struct shards *shards)
{
	if (!shards)
		return;
	for (size_t i = 0; i < shards->n; i++)
		json_decref(shards->v[i].sessions);
	free(shards->v);
	bundles_clear(&shards->bundles);
	workload_free(shards->work);
	free(shards);
}

static int
compare_jobs(const void *a, const void *b, void *data)
{
	const struct schedule *schedule = data;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	double left = schedule->jobs[x].seconds, right = schedule->jobs[y].seconds;

	if (left != right)
		return left < right ? 1 : -1;
	return x < y ? -1 : 1;
}

double
shards_expect(const struct history *history, const json_t *sessions)
{
	struct workload *work = workload_new(sessions, history, false);
	size_t n = work->schedule.n, *urgency = xcalloc(n, sizeof(*urgency));
	size_t *sequence = xcalloc(n, sizeof(*sequence));
	double *starts = xcalloc(n, sizeof(*starts)), end;
	unsigned processors = processors_of(history);

	work->schedule.processors = processors;
	for (size_t i = 0; i < n; i++)
		urgency[i] = i;
	if (n > 0)
		qsort_r(urgency, n, sizeof(*urgency), compare_jobs, &work->schedule);
	end = n > 0 ? dispatch(&work->schedule, urgency, processors, sequence, starts) : 0;
	free(starts);
	free(sequence);
	free(urgency);
	workload_free(work);
	return end;
}

char *
shards_name(const struct shards *shards, size_t shard)
{
	return xasprintf("%zu/%zu@%s", shard + 1, shards->n, shards->hash);
}
