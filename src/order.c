#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "history.h"
#include "order.h"
#include "simulate.h"

#define NAME "order.mk"
#define ORDER "_noxmk_order :="
#define SLOTS "_noxmk_slots :="

/* Sessions of a plan, and what the scheduler sees of them: the same positions in both. */
struct input {
	struct schedule schedule;
	json_t *sessions;  /* lines of the plan */
	json_t *positions; /* target -> position */
	json_t *resources; /* name -> position; its keys are in that order */
	bool *known;
};

static const char *
text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

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
		const char *use = text(claim, "use");
		long long capacity = json_integer_value(json_object_get(claim, "capacity"));

		job->claims[job->nclaims++] = (struct schedule_claim){
			.resource = find_resource(in, text(claim, "resource"), capacity),
			.use = !strcmp(use, "shared") ? SHARED :
			       !strcmp(use, "amount") ? AMOUNT : EXCLUSIVE,
			.amount = json_integer_value(json_object_get(claim, "amount")) };
	}
}

/*
 * sessions: a list of lines, which is taken. coarse: in tenths of a second, so that a few
 * milliseconds do not change the order every time.
 */
static struct input *
input_new(json_t *sessions, const struct history *history, bool coarse)
{
	struct input *in = xcalloc(1, sizeof(*in));
	json_t *session;
	size_t i;

	*in = (struct input){ .sessions = sessions, .positions = json_object(),
		.resources = json_object() };
	in->schedule.n = json_array_size(sessions);
	in->schedule.jobs = xcalloc(in->schedule.n, sizeof(*in->schedule.jobs));
	in->known = xcalloc(in->schedule.n, sizeof(*in->known));
	json_array_foreach(sessions, i, session)
		json_object_set_new(in->positions, text(session, "target"),
		    json_integer((json_int_t)i));
	json_array_foreach(sessions, i, session) {
		struct schedule_job *job = &in->schedule.jobs[i];

		job->seconds = history_expect(history, text(session, "target"), &in->known[i]);
		if (coarse)
			job->seconds = (double)(long)(job->seconds * 10 + 1) / 10;
		job->wanted = json_is_true(json_object_get(session, "default"));
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
	free(in->known);
	json_decref(in->sessions);
	json_decref(in->positions);
	json_decref(in->resources);
	free(in);
}

static json_t *
read_sessions(int state)
{
	struct planfile *plan = planfile_open(state);
	json_t *sessions = plan ? json_array() : NULL, *line;

	if (plan)
		planfile_rewind(plan);
	while (plan && (line = planfile_next(plan))) {
		if (json_is_string(json_object_get(line, "target")))
			json_array_append(sessions, line);
		json_decref(line);
	}
	planfile_close(plan);
	return sessions;
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
		const char *target = text(json_array_get(in->sessions, order[i]), "target");

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

unsigned
order_slots(void)
{
	const char *flags = getenv("MAKEFLAGS");
	char *copy = xstrdup(flags ? flags : ""), *rest = copy, *word;
	unsigned slots = 1;

	while ((word = strsep(&rest, " ")) && strcmp(word, "--") != 0)
		if (!strncmp(word, "-j", 2))
			slots = (unsigned)strtoul(word + 2, NULL, 10);
	free(copy);
	return slots > 0 ? slots : cpus_available();
}

/* One after the other in any order takes as long: what counts then is the next run with -j. */
static unsigned
slots_to_plan_for(void)
{
	unsigned slots = order_slots();

	return slots > 1 ? slots : cpus_available();
}

bool
order_fits(int state)
{
	struct buffer file = { 0 };
	char *line = xasprintf("\n" SLOTS " %u\n", slots_to_plan_for());
	bool fits = file_read(state, NAME, &file) == 0 &&
		    (order_slots() == 1 || strstr(file.data, line));

	buffer_free(&file);
	free(line);
	return fits;
}

static int
replace(int state, const struct buffer *new)
{
	struct buffer old = { 0 };
	int result = 0;

	if (file_read(state, NAME, &old) < 0 || old.len != new->len ||
	    memcmp(old.data, new->data, new->len) != 0)
		result = file_replace(state, NAME, new->data, new->len);
	if (result < 0)
		warn(".noxmk/" NAME);
	buffer_free(&old);
	return result;
}

int
order_write(int state)
{
	json_t *sessions = read_sessions(state);
	struct history *history;
	struct buffer out = { 0 };
	unsigned slots = slots_to_plan_for();
	struct input *in;
	size_t *order;
	int result;

	if (!sessions)
		return -1;
	history = history_load(state);
	in = input_new(sessions, history, true);
	order = xcalloc(in->schedule.n, sizeof(*order));
	schedule_order(&in->schedule, slots, order);
	buffer_printf(&out, "# Made by noxmk from the plan and from how long sessions took, for so "
			    "many at once.\n" SLOTS " %u\n" ORDER, slots);
	for (size_t i = 0; i < in->schedule.n; i++)
		buffer_printf(&out, " %s", text(json_array_get(sessions, order[i]), "target"));
	add_resources(&out, in, order);
	result = replace(state, &out);
	buffer_free(&out);
	free(order);
	input_free(in);
	history_free(history);
	return result;
}

/* The active sessions as order.mk has them; what it lacks comes last, as in nox.mk. */
static size_t *
read_order(int state, const struct input *in)
{
	size_t *order = xcalloc(in->schedule.n, sizeof(*order)), n = 0;
	bool *seen = xcalloc(in->schedule.n, sizeof(*seen));
	struct buffer file = { 0 };
	char *line, *word;

	if (file_read(state, NAME, &file) == 0 && (line = strstr(file.data, "\n" ORDER))) {
		line += strlen("\n" ORDER);
		line[strcspn(line, "\n")] = '\0';
		while ((word = strsep(&line, " "))) {
			json_t *at = json_object_get(in->positions, word);
			size_t position = (size_t)json_integer_value(at);

			if (at && !seen[position])
				order[n++] = position;
			if (at)
				seen[position] = true;
		}
	}
	for (size_t i = 0; i < in->schedule.n; i++)
		if (!seen[i])
			order[n++] = i;
	buffer_free(&file);
	free(seen);
	return order;
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
	json_t *sessions = json_array(), *session;
	struct order_line *lines;
	const char *target;
	struct input *in;
	size_t *order;
	double *starts;

	json_object_foreach((json_t *)active, target, session)
		json_array_append(sessions, session);
	in = input_new(sessions, history, false);
	order = read_order(state, in);
	starts = xcalloc(in->schedule.n, sizeof(*starts));
	lines = xcalloc(in->schedule.n, sizeof(*lines));
	*wall = simulate(&in->schedule, order, in->schedule.n, slots, starts);
	for (size_t i = 0; i < in->schedule.n; i++) {
		session = json_array_get(sessions, order[i]);
		lines[i] = (struct order_line){ .target = text(session, "target"),
			.session = session, .place = i, .start = starts[order[i]],
			.seconds = in->schedule.jobs[order[i]].seconds,
			.known = in->known[order[i]] };
	}
	qsort(lines, in->schedule.n, sizeof(*lines), compare_starts);
	free(order);
	free(starts);
	input_free(in);
	history_free(history);
	return lines;
}
