#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/json.h"
#include "output/screen.h"
#include "report/plain.h"
#include "report/savings.h"
#include "state/record.h"
#include "state/rundir.h"

struct sums {
	unsigned sessions, bad;
	struct plain plain;
	double wall;  /* seconds that the run took */
	double ended; /* Unix time of the last session's end */
	int state;
	unsigned processors;
};

/* Of the runs of which both times are known. */
struct total {
	unsigned runs;
	double plain, wall;
};

static void
add_record(void *data, const struct record *record)
{
	struct sums *sums = data;

	if (record->verdict == SKIPPED)
		return;
	sums->sessions++;
	sums->bad += record_is_bad(record);
	plain_add(&sums->plain, record, sums->state, sums->processors);
	if (record->ended > sums->ended)
		sums->ended = record->ended;
}

/* False for a run without records, or with impossible ones. */
static bool
add_up(int rundir, struct sums *sums)
{
	json_t *info = rundir_info(rundir);

	record_each(rundir, add_record, sums);
	sums->wall = sums->ended - json_number(info, "started");
	json_decref(info);
	return info && sums->sessions > 0 && sums->wall > 0;
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

static void
print_total(const struct total *all, unsigned unknown)
{
	double less = all->plain - all->wall;

	putchar('\n');
	if (all->runs > 0)
		printf("noxmk: %u run%s took %s, plain nox about %s: %s %s, %.2f times as fast\n",
		    all->runs, all->runs == 1 ? "" : "s", screen_duration(all->wall).s,
		    screen_duration(all->plain).s, screen_duration(less < 0 ? -less : less).s,
		    less < 0 ? "more" : "less", all->plain / all->wall);
	if (unknown > 0)
		puts("?: a session was cancelled, or never yet ran without others in its way");
	puts("What plain nox would take is worked out from records: `noxmk bench` measures it.");
}

int
savings_print(int state)
{
	json_t *names = rundir_list(state), *name;
	struct total all = { 0 };
	unsigned runs = 0, processors = cpus_available();
	size_t i;

	json_array_foreach(names, i, name) {
		int rundir = rundir_open_named(state, json_string_value(name));
		struct sums sums = { .state = state, .processors = processors };
		double plain;

		if (rundir < 0)
			continue;
		/* One session alone can save nothing. */
		if (add_up(rundir, &sums) && sums.sessions > 1) {
			if (runs++ == 0)
				printf("%-29s  %8s  %8s  %9s  %7s  %8s\n", "run", "sessions",
				    "not well", "plain nox", "took", "speed-up");
			print_line(json_string_value(name), &sums);
			plain = plain_seconds(&sums.plain);
			if (plain >= 0) {
				all.runs++;
				all.plain += plain;
				all.wall += sums.wall;
			}
		}
		close(rundir);
	}
	json_decref(names);
	if (runs > 0)
		print_total(&all, runs - all.runs);
	else
		warnx("no run of several sessions is kept here: `make -j ci` makes one");
	return runs > 0 ? 0 : -1;
}
