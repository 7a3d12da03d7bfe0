#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/json.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "report/lead.h"
#include "report/plain.h"
#include "report/savings.h"
#include "report/table.h"
#include "state/rundir.h"
#include "state/trace.h"

struct sums {
	unsigned sessions, bad;
	unsigned counted; /* targets of these, of which one that is cut has several */
	bool traced;
	struct plain plain;
	double wall; /* seconds that the run took, without the skipped ones */
	const struct history *history;
	unsigned processors;
};

/* plain, wall: of the runs of which both times are known; unknown: how many others there are. */
struct total {
	unsigned runs, unknown;
	double plain, wall;
};

static void
add_records(struct sums *sums, int rundir, const struct table *table, double run_started)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];
		double ended = lead_end(r, run_started);

		if (r->verdict == SKIPPED)
			continue;
		if (ended > sums->wall)
			sums->wall = ended;
		sums->counted++;
		sums->traced = sums->traced || rundir_has(rundir, r->target, TRACE_SUFFIX);
		plain_add(&sums->plain, r, sums->history, sums->processors);
	}
	for (size_t i = 0; i < table->wholes.n; i++) {
		const struct record *r = &table->wholes.v[i];

		sums->sessions += r->verdict != SKIPPED;
		sums->bad += r->verdict != SKIPPED && record_is_bad(r);
	}
}

/* False for a run without records, or with impossible ones. One alone can save nothing. */
static bool
add_up(int rundir, struct sums *sums)
{
	json_t *info = rundir_info(rundir), *goals = json_array();
	struct planfile *plan = info ? planfile_open(rundir) : NULL;
	struct table table = { 0 };

	if (plan && table_read(&table, rundir, plan, goals, TABLE_SO_FAR) == 0)
		add_records(sums, rundir, &table, json_number(info, "started"));
	table_clear(&table);
	planfile_close(plan);
	json_decref(goals);
	json_decref(info);
	return sums->counted > 1 && sums->wall > 0;
}

static void
print_line(const char *name, const struct sums *sums)
{
	double plain = plain_seconds(&sums->plain);

	printf("%-29s  %8u  %8u  %9s  %7s  ", name, sums->sessions, sums->bad,
	    plain < 0 ? "?" : screen_duration(plain).s, screen_duration(sums->wall).s);
	if (plain < 0)
		printf("%8s\n", "?");
	else
		printf("%8.2f\n", plain / sums->wall);
}

/* Prints the run, and adds it to the others. */
static void
take(struct total *all, const char *name, const struct sums *sums)
{
	double plain = plain_seconds(&sums->plain);

	if (all->runs + all->unknown == 0)
		printf("%-29s  %8s  %8s  %9s  %7s  %8s\n", "run", "sessions", "not well",
		    "plain nox", "took", "speed-up");
	print_line(name, sums);
	if (plain < 0) {
		all->unknown++;
		return;
	}
	all->runs++;
	all->plain += plain;
	all->wall += sums->wall;
}

static void
print_total(const struct total *all)
{
	double less = all->plain - all->wall;

	putchar('\n');
	if (all->runs > 0)
		printf("noxmk: %u run%s took %s, plain nox about %s: %s %s, %.2f times as fast\n",
		    all->runs, all->runs == 1 ? "" : "s", screen_duration(all->wall).s,
		    screen_duration(all->plain).s, screen_duration(less < 0 ? -less : less).s,
		    less < 0 ? "more" : "less", all->plain / all->wall);
	if (all->unknown > 0)
		puts("?: a session was cancelled, or never yet ran uncut, without others in its "
		     "way");
	puts("What plain nox would take is worked out from records: `noxmk bench` measures it.");
}

/* Nobody knows yet what some will take, and others were not to be fast. */
static void
tell_of_others(unsigned going_on, unsigned traced)
{
	if (going_on > 0)
		printf("noxmk: not counted: %u run%s that go%s on\n", going_on,
		    going_on == 1 ? "" : "s", going_on == 1 ? "es" : "");
	if (traced > 0)
		printf("noxmk: not counted: %u run%s, traced by an audit or NOXMK_WATCH\n",
		    traced, traced == 1 ? "" : "s");
}

int
savings_print(int state)
{
	json_t *names = rundir_list(state), *name;
	struct history *history = history_load(state);
	struct total all = { 0 };
	unsigned going_on = 0, traced = 0, processors = cpus_available();
	size_t i;

	json_array_foreach(names, i, name) {
		int rundir = rundir_open_named(state, json_string_value(name));
		struct sums sums = { .history = history, .processors = processors };

		if (rundir < 0)
			continue;
		if (table_progress(rundir) == TABLE_SO_FAR) {
			going_on++;
		} else if (add_up(rundir, &sums)) {
			traced += sums.traced;
			if (!sums.traced)
				take(&all, json_string_value(name), &sums);
		}
		close(rundir);
	}
	json_decref(names);
	history_free(history);
	if (all.runs + all.unknown > 0)
		print_total(&all);
	else
		warnx("no run of several sessions is kept here: `make -j ci` makes one");
	tell_of_others(going_on, traced);
	return all.runs + all.unknown > 0 ? 0 : -1;
}
