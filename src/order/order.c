#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpus.h"
#include "base/file.h"
#include "base/json.h"
#include "base/makeflags.h"
#include "order/cue.h"
#include "order/dispatch.h"
#include "order/order.h"
#include "order/simulate.h"
#include "plan/options.h"
#include "state/history.h"

#define NAME "order.mk"
#define ORDER "_noxmk_order :="
#define CUE "_noxmk_cue/"

/* Sessions of a plan, and what the scheduler sees of them: the same positions in both. */
struct input {
	struct schedule schedule;
	json_t *sessions;  /* lines of the plan */
	json_t *positions; /* target -> position */
	json_t *resources; /* name -> position; its keys are in that order */
};

static void
add_before(struct input *in, struct schedule_job *job, const json_t *names, size_t self)
{
	json_t *item;
	size_t i;

	json_array_foreach(names, i, item) {
		json_t *at = json_is_string(item) ?
		    json_object_get(in->positions, json_string_value(item)) : NULL;
		size_t other = (size_t)json_integer_value(at);

		if (at && other != self && !indices_has(&job->before, other))
			indices_add(&job->before, other);
	}
}

static size_t
find_resource(struct input *in, const char *name, long long capacity)
{
	struct schedule *s = &in->schedule;
	json_t *at = json_object_get(in->resources, name);

	if (at)
		return (size_t)json_integer_value(at);
	s->capacities = xreallocarray(s->capacities, s->nresources + 1, sizeof(*s->capacities));
	s->capacities[s->nresources] = capacity > 0 ? capacity : 1;
	json_object_set_new(in->resources, name, json_integer((json_int_t)s->nresources));
	return s->nresources++;
}

static void
add_claims(struct input *in, struct schedule_job *job, const json_t *claims)
{
	json_t *claim;
	size_t i;

	job->claims = xcalloc(json_array_size(claims), sizeof(*job->claims));
	json_array_foreach(claims, i, claim) {
		long long capacity = json_integer_value(json_object_get(claim, "capacity"));
		long long amount = json_integer_value(json_object_get(claim, "amount"));
		size_t resource = find_resource(in, json_text(claim, "resource"), capacity);
		/* What is found was added. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		long long all = in->schedule.capacities[resource];

		if (amount < 0 || amount > all)
			amount = all;
		job->claims[job->nclaims++] = (struct schedule_claim){
			.resource = resource, .amount = amount,
			.use = use_of(claim) };
	}
}

/* Two digits, rounded up: a few milliseconds are not to change the order every time. */
static double
round_seconds(double seconds)
{
	double unit = 0.001;

	while (seconds > unit * 100)
		unit *= 10;
	return ceil(seconds / unit) * unit;
}

/* active: as planfile_expand gives them. coarse: with rounded times. */
static struct input *
input_new(const json_t *active, const struct history *history, bool coarse)
{
	struct input *in = xcalloc(1, sizeof(*in));
	const char *target;
	json_t *session;
	size_t i;

	*in = (struct input){ .sessions = json_array(), .positions = json_object(),
		.resources = json_object() };
	json_object_foreach((json_t *)active, target, session)
		json_array_append(in->sessions, session);
	in->schedule.n = json_array_size(in->sessions);
	in->schedule.jobs = xcalloc(in->schedule.n, sizeof(*in->schedule.jobs));
	json_array_foreach(in->sessions, i, session)
		json_object_set_new(in->positions, json_text(session, "target"),
		    json_integer((json_int_t)i));
	json_array_foreach(in->sessions, i, session) {
		struct schedule_job *job = &in->schedule.jobs[i];
		struct expectation it = history_expect(history, json_text(session, "target"));
		struct options options = options_of(session);

		job->seconds = coarse ? round_seconds(it.seconds) : it.seconds;
		job->known = it.known;
		job->elastic = it.client;
		job->slots = options.jobs.least;
		options_clear(&options);
		add_before(in, job, json_object_get(session, "requires"), i);
		add_before(in, job, json_object_get(session, "after"), i);
		add_claims(in, job, json_object_get(session, "claims"));
	}
	return in;
}

static void
input_free(struct input *in)
{
	for (size_t i = 0; i < in->schedule.n; i++) {
		free(in->schedule.jobs[i].before.v);
		free(in->schedule.jobs[i].claims);
	}
	free(in->schedule.jobs);
	free(in->schedule.capacities);
	json_decref(in->sessions);
	json_decref(in->positions);
	json_decref(in->resources);
	free(in);
}

static const char *
target_of(const struct input *in, size_t job)
{
	return json_text(json_array_get(in->sessions, job), "target");
}

struct users {
	struct buffer names;
	size_t n, writers;
};

/* For each resource those that use it, in order. Amounts are for locks. */
static struct users *
find_users(const struct input *in, const size_t *order)
{
	struct users *users = xcalloc(in->schedule.nresources, sizeof(*users));

	for (size_t i = 0; i < in->schedule.n; i++) {
		const struct schedule_job *job = &in->schedule.jobs[order[i]];
		const char *target = target_of(in, order[i]);

		for (size_t k = 0; k < job->nclaims; k++) {
			struct users *u = &users[job->claims[k].resource];

			if (job->claims[k].use == AMOUNT)
				continue;
			u->n++;
			u->writers += job->claims[k].use == EXCLUSIVE;
			buffer_printf(&u->names, " %s%s", target,
			    job->claims[k].use == EXCLUSIVE ? "+" : "");
		}
	}
	return users;
}

/* The name of an environment's folder may be anything. */
static void
add_comment(struct buffer *out, const char *name)
{
	buffer_addstr(out, "# ");
	for (; *name; name++)
		buffer_add(out,
		    isalnum((unsigned char)*name) || strchr("._:*-", *name) ? name : "?", 1);
	buffer_addstr(out, "\n");
}

static void
add_resources(struct buffer *out, const struct input *in, const size_t *order)
{
	struct users *users = find_users(in, order);
	const char *name;
	json_t *at;
	size_t n = 0;

	buffer_addstr(out, "\n_noxmk_resources :=");
	for (size_t r = 0; r < in->schedule.nresources; r++)
		if (users[r].n > 1 && users[r].writers > 0)
			buffer_printf(out, " %zu", n++);
	buffer_addstr(out, "\n");
	n = 0;
	json_object_foreach(in->resources, name, at) {
		struct users *u = &users[json_integer_value(at)];

		if (u->n > 1 && u->writers > 0) {
			add_comment(out, name);
			buffer_printf(out, "_noxmk_resource/%zu :=%s\n", n++, u->names.data);
		}
		buffer_free(&u->names);
	}
	free(users);
}

/* make's last -j option, or one for as many as there are processors. The caller frees. */
static char *
jobs_option(const struct makeflags *makeflags)
{
	if (makeflags->unlimited)
		return xstrdup("-j");
	/* One after the other takes as long in any order: what counts is the next run with -j. */
	return xasprintf("-j%u", makeflags->slots > 1 ? makeflags->slots : cpus_available());
}

/*
 * make knows a new file by its time, which the kernel counts in steps of some milliseconds. Within
 * one of them a plan may have been made, and now an order for other goals.
 */
static void
make_newer(int state, const struct stat *old)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, old->st_mtim };
	struct stat st;

	if (fstatat(state, NAME, &st, 0) < 0 || st.st_mtim.tv_sec != old->st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != old->st_mtim.tv_nsec)
		return;
	times[1].tv_nsec = (times[1].tv_nsec + 1) % 1000000000;
	utimensat(state, NAME, times, 0);
}

static int
replace(int state, const struct buffer *new)
{
	struct stat st = { 0 };
	struct buffer old = { 0 };
	int result = 0;

	fstatat(state, NAME, &st, 0);
	if (file_read(state, NAME, &old) < 0 || old.len != new->len ||
	    memcmp(old.data, new->data, new->len) != 0) {
		result = file_replace(state, NAME, new->data, new->len);
		if (result < 0)
			warn(".noxmk/" NAME);
		else
			make_newer(state, &st);
	}
	buffer_free(&old);
	return result;
}

static void
add_cues(struct buffer *out, const struct input *in, const size_t *order, const size_t *cues)
{
	buffer_addstr(out, "_noxmk_cued :=");
	for (size_t i = 0; i < in->schedule.n; i++)
		if (cues[order[i]] != NO_JOB)
			buffer_printf(out, " %s", target_of(in, order[i]));
	buffer_addstr(out, "\n");
	for (size_t i = 0; i < in->schedule.n; i++)
		if (cues[order[i]] != NO_JOB)
			buffer_printf(out, CUE "%s := %s\n", target_of(in, order[i]),
			    target_of(in, cues[order[i]]));
}

static void
add_order(struct buffer *out, const struct input *in, unsigned slots)
{
	const struct schedule *s = &in->schedule;
	size_t *urgency = xcalloc(s->n, sizeof(*urgency)), *order = xcalloc(s->n, sizeof(*order));
	size_t *cues = xcalloc(s->n, sizeof(*cues));
	double *starts = xcalloc(s->n, sizeof(*starts));

	schedule_order(s, slots, urgency);
	dispatch(s, urgency, slots, order, starts);
	cue_choose(s, slots, order, starts, cues);
	buffer_addstr(out, ORDER);
	for (size_t i = 0; i < s->n; i++)
		buffer_printf(out, " %s", target_of(in, order[i]));
	add_resources(out, in, order);
	add_cues(out, in, order, cues);
	buffer_addstr(out, "# end\n");
	free(urgency);
	free(order);
	free(cues);
	free(starts);
}

int
order_write(int state, const json_t *active, unsigned jobs)
{
	struct buffer out = { 0 };
	struct history *history;
	struct input *in;
	struct makeflags makeflags;
	char *option;
	int result;

	if (json_object_size(active) < 2)
		return 0;
	makeflags = makeflags_read(getenv("MAKEFLAGS"), jobs);
	option = jobs_option(&makeflags);
	history = history_load(state);
	in = input_new(active, history, true);
	buffer_printf(&out, "# Made by noxmk from the plan and from how long sessions took.\n"
			    "_noxmk_order_for := %s\n", option);
	add_order(&out, in, makeflags.slots > 1 ? makeflags.slots : cpus_available());
	result = replace(state, &out);
	buffer_free(&out);
	free(option);
	makeflags_clear(&makeflags);
	input_free(in);
	history_free(history);
	return result;
}

/* If order.mk is for just these sessions, its cues count. lines: what follows the order there. */
static void
read_cues(const struct input *in, char *lines, size_t *cues)
{
	char *line, *word;

	while ((line = strsep(&lines, "\n"))) {
		json_t *job, *cue;

		if (strncmp(line, CUE, strlen(CUE)) != 0)
			continue;
		line += strlen(CUE);
		word = strsep(&line, " ");
		job = json_object_get(in->positions, word);
		cue = line ? json_object_get(in->positions, line + strspn(line, ":= ")) : NULL;
		if (job && cue)
			cues[json_integer_value(job)] = (size_t)json_integer_value(cue);
	}
}

/*
 * The active sessions as order.mk has them; what it lacks comes last, as in nox.mk. cues: of each,
 * its own or NO_JOB.
 */
static size_t *
read_order(int state, const struct input *in, size_t *cues)
{
	size_t *order = xcalloc(in->schedule.n, sizeof(*order)), n = 0, words = 0;
	bool *seen = xcalloc(in->schedule.n, sizeof(*seen));
	struct buffer file = { 0 };
	char *lines, *line, *word;

	if (file_read(state, NAME, &file) == 0 && (lines = strstr(file.data, "\n" ORDER))) {
		lines += strlen("\n" ORDER);
		line = strsep(&lines, "\n");
		while ((word = strsep(&line, " "))) {
			json_t *at = json_object_get(in->positions, word);
			size_t position = (size_t)json_integer_value(at);

			words += *word != '\0';
			if (at && !seen[position])
				order[n++] = position;
			if (at)
				seen[position] = true;
		}
		if (words == n && n == in->schedule.n)
			read_cues(in, lines, cues);
	}
	for (size_t i = 0; i < in->schedule.n; i++)
		if (!seen[i])
			order[n++] = i;
	buffer_free(&file);
	free(seen);
	return order;
}

unsigned
order_rank(int state, const char *target)
{
	struct buffer file = { 0 };
	unsigned rank = 0;
	char *line, *word;

	if (file_read(state, NAME, &file) == 0 && (line = strstr(file.data, "\n" ORDER))) {
		line += strlen("\n" ORDER);
		line[strcspn(line, "\n")] = '\0';
		while ((word = strsep(&line, " ")) && strcmp(word, target) != 0)
			rank++;
	}
	buffer_free(&file);
	return rank;
}

static int
compare_starts(const void *a, const void *b)
{
	const struct order_line *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

struct order_line *
order_expect(int state, const json_t *active, unsigned slots, double *wall)
{
	struct history *history = history_load(state);
	struct input *in = input_new(active, history, false);
	size_t n = in->schedule.n, *order, *cues = xcalloc(n, sizeof(*cues));
	struct order_line *lines = xcalloc(n, sizeof(*lines));
	double *starts = xcalloc(n, sizeof(*starts)), *ends = xcalloc(n, sizeof(*ends));

	for (size_t i = 0; i < n; i++) {
		cues[i] = NO_JOB;
		ends[i] = in->schedule.jobs[i].seconds; /* of one that never starts */
	}
	order = read_order(state, in, cues);
	*wall = simulate(&in->schedule, order, n, slots, cues, starts, ends);
	for (size_t i = 0; i < n; i++) {
		json_t *session = json_array_get(in->sessions, order[i]);
		size_t cue = cues[order[i]];

		lines[i] = (struct order_line){ .target = json_text(session, "target"),
			.session = session, .place = i, .start = starts[order[i]],
			.cue = cue == NO_JOB ? NULL : target_of(in, cue),
			.end = ends[order[i]],
			.known = in->schedule.jobs[order[i]].known };
	}
	if (n > 0)
		qsort(lines, n, sizeof(*lines), compare_starts);
	free(order);
	free(cues);
	free(starts);
	free(ends);
	input_free(in);
	history_free(history);
	return lines;
}
