#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/makeflags.h"
#include "base/util.h"
#include "order/order.h"
#include "plan/options.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "report/list.h"
#include "state/rundir.h"

/* Columns for the names of targets: most fit, and a very long one does not push the rest away. */
enum { WIDTH_MIN = 20, WIDTH_MAX = 48 };

static void
print_session(const json_t *line, int width)
{
	const char *target = json_text(line, "target"), *session = json_text(line, "session");
	char *description = screen_safe(json_text(line, "description"));
	char *safe = screen_safe(session);
	bool same = !strcmp(target, session);

	printf("%c %-*s  %s%s%s\n", json_is_true(json_object_get(line, "default")) ? '*' : '-',
	    width, target, same ? "" : safe, same || !*description ? "" : ": ", description);
	free(safe);
	free(description);
}

/* A group of one is another name for its session: it works, but would only lengthen the list. */
static void
print_group(const json_t *line, int width)
{
	char *what = screen_safe(json_text(line, "what"));
	size_t n = json_array_size(json_object_get(line, "members"));

	if (n != 1 || !strcmp(json_text(line, "group"), "ci"))
		printf("+ %-*s  %s (%zu session%s)\n", width, json_text(line, "group"), what, n,
		    n == 1 ? "" : "s");
	free(what);
}

int
list_targets(struct planfile *plan, const json_t *unused_goals)
{
	int width = WIDTH_MIN;
	json_t *line;

	(void)unused_goals;
	puts("* default session   - other session   + group");
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		int len = (int)strlen(json_text(line, "target"));

		if (len > width)
			width = len < WIDTH_MAX ? len : WIDTH_MAX;
		json_decref(line);
	}
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (*json_text(line, "target"))
			print_session(line, width);
		else
			print_group(line, width);
		json_decref(line);
	}
	return 0;
}

/* Of the sessions that it must follow, those that are in this run. */
static void
print_waits(const json_t *session, const char *key, const char *word, const json_t *active)
{
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(json_object_get(session, key), i, item)
		if (json_string_value(item) && json_object_get(active, json_string_value(item)))
			printf("%s%s", n++ ? ", " : word, json_string_value(item));
}

/* The last users of each resource so far: name -> target, of all and of the writers. */
struct users {
	json_t *all, *writers;
};

/* Who, on each of its resources, goes just before it. */
static void
print_shares(const json_t *session, struct users *last)
{
	json_t *claim;
	size_t i;

	json_array_foreach(json_object_get(session, "claims"), i, claim) {
		const char *resource = json_text(claim, "resource");
		enum use use = use_of(claim);
		bool writes = use == EXCLUSIVE;
		json_t *before = json_object_get(writes ? last->all : last->writers, resource);
		json_t *self = json_object_get(session, "target");
		char *safe = screen_safe(resource);

		if (before && use != AMOUNT)
			printf("   %s after %s", safe, json_string_value(before));
		else if (use == AMOUNT)
			printf("   %lld of %s", (long long)json_integer_value(
			    json_object_get(claim, "amount")), safe);
		json_object_set(last->all, resource, self);
		if (writes)
			json_object_set(last->writers, resource, self);
		free(safe);
	}
}

static void
print_expected(const struct order_line *line, const json_t *active, struct users *last)
{
	struct options options = options_of(line->session);
	char *start = screen_duration(line->start);
	char *end = screen_duration(line->end);

	printf(" %7s %7s%c  %s", start, end, line->known ? ' ' : '?', line->target);
	print_waits(line->session, "requires", "   requires ", active);
	print_waits(line->session, "after", "   after ", active);
	print_shares(line->session, last);
	if (options.jobs.least > 0)
		printf("   %u slots", options.jobs.least);
	if (line->cue)
		printf("   when %s ends", line->cue);
	printf("\n");
	options_clear(&options);
	free(start);
	free(end);
}

static void
print_order(const char *noxfile, const json_t *active)
{
	struct users last = { .all = json_object(), .writers = json_object() };
	size_t n = json_object_size(active), unknown = 0;
	struct makeflags makeflags = makeflags_read(getenv("MAKEFLAGS"), 0);
	int state = state_open();
	double wall = 0;
	struct order_line *lines = order_expect(state, active, makeflags.slots, &wall);
	char *duration = screen_duration(wall);

	printf("noxmk: would run %zu session%s of %s, %u at once, in about %s\n", n,
	    n == 1 ? "" : "s", noxfile, makeflags.slots, duration);
	for (size_t i = 0; i < n; i++) {
		print_expected(&lines[i], active, &last);
		unknown += !lines[i].known;
	}
	if (unknown > 0)
		puts("noxmk: ? has never passed here: it is expected to take as long as others");
	close(state);
	free(lines);
	free(duration);
	makeflags_clear(&makeflags);
	json_decref(last.all);
	json_decref(last.writers);
}

int
show_order(struct planfile *plan, const json_t *goals)
{
	json_t *active = json_object();
	int result = planfile_expand(plan, goals, active, true) < 0;

	print_order(json_text(planfile_header(plan), "noxfile"), active);
	json_decref(active);
	return result;
}

int
list_log(int run, const char *target)
{
	char *name = xasprintf("%s.log", target);
	int log = strchr(target, '/') ? -1 : openat(run, name, O_RDONLY | O_CLOEXEC);
	int result;

	if (log < 0) {
		warnx("%s: no log in this run (`make nox-list` names the targets)", target);
		free(name);
		return -1;
	}
	result = joblog_print(log, isatty(STDOUT_FILENO));
	close(log);
	free(name);
	return result;
}
