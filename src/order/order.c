#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpus.h"
#include "base/file.h"
#include "base/makeflags.h"
#include "order/cue.h"
#include "order/dispatch.h"
#include "order/order.h"
#include "order/search.h"
#include "state/history.h"
#include "state/state.h"

#define NAME "order.mk"
#define ORDER "_noxmk.order :="
#define CUE "_noxmk.cue/"

/* The users of a resource, as words: " tests-3.12+ lint". */
struct users {
	struct buffer names;
	size_t n, writers;
};

/*
 * For each resource the sessions that use it, in that order. Those that take an amount of it do not
 * count: locks see to them.
 */
static struct users *
find_users(const struct workload *work, const size_t *order)
{
	struct users *users = xcalloc(work->schedule.nresources, sizeof(*users));

	for (size_t i = 0; i < work->schedule.n; i++) {
		const struct schedule_job *job = &work->schedule.jobs[order[i]];
		const char *target = workload_target(work, order[i]);

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

/* A resource may be called after a folder, and that may be called anything. */
static void
add_comment(struct buffer *out, const char *name)
{
	buffer_addstr(out, "# ");
	for (; *name; name++)
		buffer_add(out,
		    isalnum((unsigned char)*name) || strchr("._:*-", *name) ? name : "?", 1);
	buffer_addstr(out, "\n");
}

/* Only a resource that somebody writes and somebody else uses, too, makes edges. */
static void
add_resources(struct buffer *out, const struct workload *work, const size_t *order)
{
	struct users *users = find_users(work, order);
	const char *name;
	json_t *at;
	size_t n = 0;

	buffer_addstr(out, "\n_noxmk.resources :=");
	for (size_t r = 0; r < work->schedule.nresources; r++)
		if (users[r].n > 1 && users[r].writers > 0)
			buffer_printf(out, " %zu", n++);
	buffer_addstr(out, "\n");
	n = 0;
	json_object_foreach(work->resources, name, at) {
		struct users *u = &users[json_integer_value(at)];

		if (u->n > 1 && u->writers > 0) {
			add_comment(out, name);
			buffer_printf(out, "_noxmk.resource/%zu :=%s\n", n++, u->names.data);
		}
		buffer_free(&u->names);
	}
	free(users);
}

/*
 * The slots to make the order for. Sessions that run one after the other take as long in any order,
 * so without -j the order is for the next run, which may have one: for all processors.
 */
static unsigned
slots_of(const struct makeflags *flags)
{
	return flags->slots > 1 ? flags->slots : cpus_available();
}

/*
 * make sees that a file is new by its time, which the kernel counts in steps of some milliseconds.
 * An order for other goals may be written in the same step as the old one was. Then the new file's
 * time is made another one.
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

/* Writes the file, if that changes it. 0, or -1 after a warning. */
static int
replace(int state, const struct buffer *new)
{
	struct stat st = { 0 };
	struct buffer old = { 0 };
	int result = 0;

	fstatat(state, NAME, &st, 0);
	if (file_load(state, NAME, &old) < 0 || old.len != new->len ||
	    memcmp(old.data, new->data, new->len) != 0) {
		result = file_replace(state, NAME, new->data, new->len);
		if (result < 0)
			warn("%s/" NAME, state_path());
		else
			make_newer(state, &st);
	}
	buffer_free(&old);
	return result;
}

static void
add_cues(struct buffer *out, const struct workload *work, const size_t *order, const size_t *cues)
{
	buffer_addstr(out, "_noxmk.cued :=");
	for (size_t i = 0; i < work->schedule.n; i++)
		if (cues[order[i]] != NO_JOB)
			buffer_printf(out, " %s", workload_target(work, order[i]));
	buffer_addstr(out, "\n");
	for (size_t i = 0; i < work->schedule.n; i++)
		if (cues[order[i]] != NO_JOB)
			buffer_printf(out, CUE "%s := %s\n", workload_target(work, order[i]),
			    workload_target(work, cues[order[i]]));
}

static void
add_order(struct buffer *out, const struct workload *work, unsigned slots)
{
	const struct schedule *s = &work->schedule;
	size_t *urgency = xcalloc(s->n, sizeof(*urgency)), *order = xcalloc(s->n, sizeof(*order));
	size_t *cues = xcalloc(s->n, sizeof(*cues));
	double *starts = xcalloc(s->n, sizeof(*starts));

	search_urgency(s, slots, urgency);
	dispatch(s, urgency, slots, order, starts);
	cue_choose(s, slots, order, starts, cues);
	buffer_addstr(out, ORDER);
	for (size_t i = 0; i < s->n; i++)
		buffer_printf(out, " %s", workload_target(work, order[i]));
	add_resources(out, work, order);
	add_cues(out, work, order, cues);
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
	struct workload *work;
	struct makeflags flags;
	int result;

	if (json_object_size(active) < 2)
		return 0;
	flags = makeflags_read(getenv("MAKEFLAGS"), jobs);
	history = history_load(state);
	work = workload_new(active, history, true);
	buffer_addstr(&out, "# Made by noxmk from the plan and from how long sessions took.\n"
			    "_noxmk.order_for := -j");
	if (!flags.unlimited || jobs > 0)
		buffer_printf(&out, "%u", flags.unlimited ? jobs : slots_of(&flags));
	buffer_addstr(&out, "\n");
	add_order(&out, work, slots_of(&flags));
	result = replace(state, &out);
	buffer_free(&out);
	makeflags_clear(&flags);
	workload_free(work);
	history_free(history);
	return result;
}

/*
 * Reads order.mk and returns its list of targets, ended by a NUL; *rest is what follows that line.
 * NULL when there is no order. Both point into the buffer, which the caller frees.
 */
static char *
find_order(int state, struct buffer *file, char **rest)
{
	char *targets;

	*rest = NULL;
	if (file_load(state, NAME, file) < 0 || !(targets = strstr(file->data, "\n" ORDER)))
		return NULL;
	*rest = targets += strlen("\n" ORDER);
	strsep(rest, "\n");
	return targets;
}

static void
read_cues(const struct workload *work, char *lines, size_t *cues)
{
	char *line, *target;

	while ((line = strsep(&lines, "\n"))) {
		size_t job, cue;

		if (strncmp(line, CUE, strlen(CUE)) != 0)
			continue;
		line += strlen(CUE);
		target = strsep(&line, " ");
		job = workload_find(work, target);
		cue = line ? workload_find(work, line + strspn(line, ":= ")) : NO_JOB;
		if (job != NO_JOB && cue != NO_JOB)
			cues[job] = cue;
	}
}

size_t *
order_read(int state, const struct workload *work, size_t *cues)
{
	size_t *order = xcalloc(work->schedule.n, sizeof(*order)), n = 0, words = 0;
	bool *seen = xcalloc(work->schedule.n, sizeof(*seen));
	struct buffer file = { 0 };
	char *rest, *targets = find_order(state, &file, &rest), *target;

	for (size_t i = 0; i < work->schedule.n; i++)
		cues[i] = NO_JOB;
	while ((target = strsep(&targets, " "))) {
		size_t job = workload_find(work, target);

		words += *target != '\0';
		if (job != NO_JOB && !seen[job]) {
			order[n++] = job;
			seen[job] = true;
		}
	}
	/* Cues are for one set of sessions, in which each of them has its place. */
	if (words == n && n == work->schedule.n)
		read_cues(work, rest, cues);
	for (size_t i = 0; i < work->schedule.n; i++)
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
	char *rest, *targets = find_order(state, &file, &rest), *word;

	while ((word = strsep(&targets, " ")) && strcmp(word, target) != 0)
		rank++;
	buffer_free(&file);
	return rank;
}
