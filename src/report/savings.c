#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "output/screen.h"
#include "report/savings.h"
#include "state/record.h"
#include "state/rundir.h"

struct sums {
	unsigned sessions, bad;
	double each; /* seconds that the sessions took together */
	double wall; /* seconds that the run took */
	double ended; /* Unix time of the last session's end */
};

static void
add_record(void *data, const struct record *record)
{
	struct sums *sums = data;

	/* What a skipped session took, to look for an interpreter, is nothing that was saved. */
	if (record->verdict == SKIPPED)
		return;
	sums->sessions++;
	sums->bad += record_is_bad(record);
	sums->each += record->duration;
	if (record->ended > sums->ended)
		sums->ended = record->ended;
}

/* False for a run without records, or with impossible ones. */
static bool
add_up(int rundir, struct sums *sums)
{
	json_t *info = rundir_info(rundir);

	*sums = (struct sums){ 0 };
	record_each(rundir, add_record, sums);
	sums->wall = sums->ended - json_number(info, "started");
	json_decref(info);
	return info && sums->sessions > 0 && sums->wall > 0;
}

static void
print_line(const char *name, const struct sums *sums)
{
	printf("%-26s %8u %8u %10s %8s %8.2f\n", name, sums->sessions, sums->bad,
	    screen_duration(sums->each).s, screen_duration(sums->wall).s, sums->each / sums->wall);
}

static void
print_total(unsigned runs, const struct sums *all)
{
	double less = all->each - all->wall;

	printf("\nnoxmk: %u run%s took %s for %s of sessions: %s %s, %.2f times as fast\n"
	       "Sessions that run at once slow each other down: `noxmk bench` measures them "
	       "against nox.\n", runs, runs == 1 ? "" : "s", screen_duration(all->wall).s,
	    screen_duration(all->each).s, screen_duration(less < 0 ? -less : less).s,
	    less < 0 ? "more" : "less", all->each / all->wall);
}

int
savings_print(int state)
{
	json_t *names = rundir_list(state), *name;
	struct sums all = { 0 };
	unsigned runs = 0;
	size_t i;

	json_array_foreach(names, i, name) {
		int rundir = rundir_open_named(state, json_string_value(name));
		struct sums sums;

		if (rundir < 0)
			continue;
		/* One session alone can save nothing. */
		if (add_up(rundir, &sums) && sums.sessions > 1) {
			if (runs++ == 0)
				printf("%-26s %8s %8s %10s %8s %8s\n", "run", "sessions",
				    "not well", "one by one", "took", "speed-up");
			print_line(json_string_value(name), &sums);
			all.each += sums.each;
			all.wall += sums.wall;
		}
		close(rundir);
	}
	json_decref(names);
	if (runs > 0)
		print_total(runs, &all);
	else
		warnx("no run of several sessions is kept here: `make -j ci` makes one");
	return runs > 0 ? 0 : -1;
}
