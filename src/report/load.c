#include <stdlib.h>

#include "base/json.h"
#include "report/load.h"
#include "state/samples.h"

/* Of more points there would be no more to see: changes that are nearer are told as one. */
enum { POINTS_MOST = 1000 };

/* Sums of what comes and goes again are not quite 0 in the end. */
#define NOTHING 1e-6

#define MIB 1048576.0

/* Changes: load_points with what is more or less from then on. */
struct changes {
	struct load_point *v;
	size_t n, room;
};

static void
change(struct changes *changes, double from, double to, struct load_point by)
{
	if (!(to > from))
		return;
	if (changes->n + 2 > changes->room) {
		changes->room = changes->room ? 2 * changes->room : 64;
		changes->v = xreallocarray(changes->v, changes->room, sizeof(*changes->v));
	}
	by.at = from;
	changes->v[changes->n++] = by;
	changes->v[changes->n++] = (struct load_point){ .at = to, .cpu = -by.cpu, .mib = -by.mib,
		.width = -by.width, .slots = -by.slots };
}

/* While it waits within, its slots are others'. */
static void
change_slots(struct changes *changes, const struct story *story, const struct record *r)
{
	double began = story_moment(story, r->started), ended = story_moment(story, r->ended);
	json_t *wait;
	size_t i;

	change(changes, began, ended, (struct load_point){ .slots = r->slots });
	json_array_foreach(r->waits, i, wait) {
		double from = story_moment(story, json_number(wait, "started"));
		double to = from + json_number(wait, "seconds");

		if (record_waits_within(wait) && from >= began && to <= ended)
			change(changes, from, to, (struct load_point){
			    .slots = -(double)r->slots });
	}
}

static void
change_use(struct changes *changes, const struct story *story, const struct record *r)
{
	double began = story_moment(story, r->started), ended = story_moment(story, r->ended);
	double duration = ended - began, cpu = r->cpu < LEAD_LONGEST ? r->cpu : 0;

	for (size_t i = 0; i < samples_count(r->samples); i++) {
		struct samples_span span = samples_span(r->samples, i, duration);

		change(changes, began + span.from, began + span.to, (struct load_point){
		    .cpu = span.cpu, .mib = span.mib, .width = span.width });
	}
	if (!r->samples && duration > 0)
		change(changes, began, ended, (struct load_point){ .cpu = cpu / duration,
		    .mib = (double)r->memory / MIB, .width = r->width });
}

static int
compare(const void *a, const void *b)
{
	double x = ((const struct load_point *)a)->at, y = ((const struct load_point *)b)->at;

	return x < y ? -1 : x > y;
}

static double
sum(double a, double b)
{
	return a + b > NOTHING ? a + b : 0;
}

/* Adds them up in place. What is told as one is what it is at last. */
static void
add_up(struct load *load, double wall)
{
	struct load_point now = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < load->n; i++) {
		const struct load_point *by = &load->v[i];
		bool near = n > 0 && by->at - load->v[n - 1].at < wall / POINTS_MOST;

		now = (struct load_point){ .at = near ? load->v[n - 1].at : by->at,
			.cpu = sum(now.cpu, by->cpu), .mib = sum(now.mib, by->mib),
			.width = sum(now.width, by->width), .slots = sum(now.slots, by->slots) };
		/* Who ends when another begins was not beside that one. */
		if ((i + 1 == load->n || load->v[i + 1].at > by->at) && now.mib > load->mib)
			load->mib = now.mib;
		n += !near;
		load->v[n - 1] = now;
	}
	load->n = n;
}

struct load
load_of(const struct story *story)
{
	struct changes changes = { 0 };
	struct load load = { 0 };
	double cpu = 0;

	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		if (!lead_has_run(r))
			continue;
		cpu += r->cpu > 0 && r->cpu < LEAD_LONGEST ? r->cpu : 0;
		change_use(&changes, story, r);
		change_slots(&changes, story, r);
	}
	load.v = changes.v;
	load.n = changes.n;
	load.cpu = story->wall > 0 ? cpu / story->wall : 0;
	if (load.n > 0)
		qsort(load.v, load.n, sizeof(*load.v), compare);
	add_up(&load, story->wall);
	return load;
}

void
load_clear(struct load *load)
{
	free(load->v);
	*load = (struct load){ 0 };
}

char *
load_words(const struct story *story)
{
	struct load load = load_of(story);
	struct buffer words = { 0 };

	if (load.cpu > 0 && story->request.processors > 0)
		buffer_printf(&words, "%.1f of %u processor%s used on average", load.cpu,
		    story->request.processors, story->request.processors == 1 ? "" : "s");
	else if (load.cpu > 0)
		buffer_printf(&words, "%.1f processors used on average", load.cpu);
	if (load.cpu > 0 && load.mib > 0)
		buffer_printf(&words, ", at most %.1f %s of memory at once",
		    load.mib < 1024 ? load.mib : load.mib / 1024, load.mib < 1024 ? "MiB" : "GiB");
	load_clear(&load);
	return words.data;
}
