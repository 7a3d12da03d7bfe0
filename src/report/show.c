#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/makeflags.h"
#include "order/forecast.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "plan/options.h"
#include "report/show.h"

/* Columns of the two times in front of each line. */
enum { TIMES = 19 };

/* Those of the targets in the session's list `key` that run too, behind the word. */
static void
add_waits(struct buffer *out, const json_t *session, const char *key, const char *word,
    const json_t *active)
{
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(json_object_get(session, key), i, item)
		if (json_string_value(item) && json_object_get(active, json_string_value(item)))
			buffer_printf(out, "%s%s", n++ ? ", " : word, json_string_value(item));
}

/* Of each resource the last user so far, and the last that has it alone: name -> target. */
struct users {
	json_t *all, *writers;
};

/* For each resource of the session: how much it takes of it, or who has it just before. */
static void
add_shares(struct buffer *out, const json_t *session, struct users *last)
{
	json_t *claim;
	size_t i;

	json_array_foreach(json_object_get(session, "claims"), i, claim) {
		const char *resource = json_text(claim, "resource");
		enum use use = use_of(claim);
		bool writes = use == EXCLUSIVE;
		json_t *before = json_object_get(writes ? last->all : last->writers, resource);
		json_t *self = json_object_get(session, "target");

		if (use == AMOUNT) {
			buffer_printf(out, "   %lld of %s",
			    (long long)json_integer_value(json_object_get(claim, "amount")),
			    resource);
		} else if (before) {
			buffer_printf(out, "   %s after %s", resource, json_string_value(before));
		}
		json_object_set(last->all, resource, self);
		if (writes)
			json_object_set(last->writers, resource, self);
	}
}

static void
print_expected(const struct forecast_line *line, const json_t *active, struct users *last)
{
	struct options options = options_of(line->session);
	struct buffer waits = { 0 };
	int left = screen_left(TIMES), target = utf8_columns(line->target);

	buffer_addstr(&waits, "");
	add_waits(&waits, line->session, "requires", "   requires ", active);
	add_waits(&waits, line->session, "after", "   after ", active);
	add_shares(&waits, line->session, last);
	if (options.jobs.least > 0)
		buffer_printf(&waits, "   %u slots", options.jobs.least);
	else if (line->width > 1)
		buffer_printf(&waits, "   %u processors", line->width);
	if (line->cue)
		buffer_printf(&waits, "   when %s ends", line->cue);
	printf(" %7s %7s%c  ", screen_duration(line->start).s, screen_duration(line->end).s,
	    line->known ? ' ' : '?');
	/* Where both cannot be whole, the target gets half of the line at least. */
	if (left > 0 && waits.len > 0 && target > left / 2)
		target = left / 2;
	screen_put_cut(line->target, left > 0 && waits.len == 0 ? left : left > 0 ? target : 0);
	screen_put_cut(waits.data, left > 0 ? screen_left(TIMES + target) : 0);
	printf("\n");
	buffer_free(&waits);
	options_clear(&options);
}

int
show_print(int state, struct planfile *plan, const json_t *goals)
{
	struct users last = { .all = json_object(), .writers = json_object() };
	json_t *active = json_object();
	int result = planfile_expand(plan, goals, active, true) < 0;
	size_t n = json_object_size(active), unknown = 0;
	struct makeflags makeflags = makeflags_read(getenv("MAKEFLAGS"), 0);
	double wall = 0;
	char *complaint = planfile_complaint(plan);
	struct forecast_line *lines = forecast_run(state, active, makeflags.slots, &wall);

	if (n == 0 && complaint) {
		warnx("ci: %s", complaint);
		result = 1;
	}
	if (n == 0 && result != 0)
		goto out;
	printf("noxmk: would run %zu session%s of %s, %u at once, in about %s\n", n,
	    n == 1 ? "" : "s", json_text(planfile_header(plan), "noxfile"), makeflags.slots,
	    screen_duration(wall).s);
	for (size_t i = 0; i < n; i++) {
		print_expected(&lines[i], active, &last);
		unknown += !lines[i].known;
	}
	if (unknown > 0)
		puts("noxmk: ? has never passed here: it is expected to take as long as others");
out:
	free(lines);
	free(complaint);
	makeflags_clear(&makeflags);
	json_decref(last.all);
	json_decref(last.writers);
	json_decref(active);
	return result;
}
