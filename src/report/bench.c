#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/median.h"
#include "base/spawn.h"
#include "base/usermake.h"
#include "output/mask.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "plan/secret.h"
#include "report/bench.h"
#include "state/state.h"

#define LOG "bench.log"

struct contestant {
	struct strings argv; /* NULL-ended; the words are the contestant's own */
	char *title;         /* "make -j4" */
	double *seconds;     /* of each round */
};

static void
add_goals(struct strings *argv, const json_t *goals)
{
	const json_t *goal;
	size_t i;

	json_array_foreach(goals, i, goal)
		strings_add(argv, xstrdup(json_string_value(goal)));
	if (json_array_size(goals) == 0)
		strings_add(argv, xstrdup("ci"));
}

/* The make that a user of the project would call. A makefile may set things, so we measure that. */
static void
prepare_make(const struct bench_options *options, struct contestant *one)
{
	if (!usermake_add_command(&one->argv, options->share))
		strings_add(&one->argv, xasprintf("NOXMK_NOXFILE=%s", options->noxfile));
	strings_add(&one->argv, xasprintf("-j%u", options->jobs));
	add_goals(&one->argv, options->goals);
	strings_add(&one->argv, NULL);
	one->title = xasprintf("make -j%u", options->jobs);
}

/* Without goals nox gets no -s: it runs its defaults, as ci does. False after a warning. */
static bool
add_sessions(struct planfile *plan, const json_t *goals, struct strings *argv)
{
	json_t *sessions = json_object(), *session;
	const char *target;
	bool known = planfile_expand(plan, goals, sessions, true) == 0;

	if (json_array_size(goals) > 0)
		strings_add(argv, xstrdup("-s"));
	json_object_foreach(sessions, target, session)
		strings_add(argv, xstrdup(json_string_value(json_object_get(session, "selector"))));
	json_decref(sessions);
	return known;
}

/* The nox by which the plan was made, on the same sessions. False after a warning. */
static bool
prepare_nox(const struct bench_options *options, struct contestant *one)
{
	int state = state_open();
	struct planfile *plan = state < 0 ? NULL : planfile_open(state);
	const json_t *header = plan ? planfile_header(plan) : NULL, *word;
	const char *noxfile = json_string_value(json_object_get(header, "noxfile"));
	bool known;
	size_t i;

	fd_close(&state);
	if (!plan)
		return false;
	json_array_foreach(json_object_get(header, "command"), i, word)
		strings_add(&one->argv, xstrdup(json_string_value(word)));
	strings_add(&one->argv, xstrdup("-f"));
	strings_add(&one->argv, xstrdup(noxfile ? noxfile : options->noxfile));
	known = add_sessions(plan, options->goals, &one->argv);
	strings_add(&one->argv, NULL);
	one->title = xstrdup("nox");
	planfile_close(plan);
	return known;
}

/* The secrets that the plan knows, or the usual ones where there is none. */
static struct mask *
open_mask(void)
{
	int state = state_find();
	struct planfile *plan = planfile_find(state);
	struct secrets secrets = secrets_of(plan ? planfile_header(plan) : NULL);
	const json_t *set = json_object_get(json_object_get(plan ? planfile_header(plan) : NULL,
	    "environ"), "set");
	struct mask *mask;
	const char *name;
	json_t *value;

	if (secrets.mask.n == 0)
		secrets_add_usual(&secrets.mask);
	mask = mask_open(&secrets, environ);
	/* NOX may set some: `env A_TOKEN=… nox`. */
	json_object_foreach((json_t *)set, name, value)
		if (json_is_string(value) && secrets_cover(&secrets, name))
			mask_add(mask, name, json_string_value(value));
	secrets_clear(&secrets);
	planfile_close(plan);
	fd_close(&state);
	return mask;
}

/* What was printed into that file goes into the log without secrets. */
static int
copy_masked(int printed, int log)
{
	struct mask *mask = open_mask();
	struct mask_stream stream = { 0 };
	struct buffer out = { 0 };
	char data[1 << 16];
	off_t done = 0;
	struct stat st;
	ssize_t n;
	int result = fstat(printed, &st);

	/* What sessions have left may write still. */
	for (; result == 0 && done < st.st_size; done += n) {
		n = pread(printed, data, sizeof(data), done);
		if (n < 0)
			result = -1;
		if (n <= 0)
			break;
		mask_feed(mask, &stream, data, (size_t)n, &out);
		result = fd_write_all(log, out.data, out.len);
		out.len = 0;
	}
	mask_flush(&stream, &out);
	if (result == 0)
		result = fd_write_all(log, out.data, out.len);
	buffer_free(&out);
	mask_close(mask);
	return result;
}

/* Returns the seconds that it took; below 0 after a warning when it failed. */
static double
run_one(const struct contestant *one)
{
	FILE *printed = tmpfile();
	double seconds, begun;
	int code = -1, log;
	bool kept;
	char *path;
	pid_t pid;

	if (!printed) {
		warn("a temporary file");
		return -1;
	}
	begun = clock_monotonic();
	pid = spawn((char **)one->argv.v, environ, fileno(printed), fileno(printed), false);
	if (pid < 0)
		warn("%s", one->argv.v[0]);
	else
		code = spawn_wait(pid);
	seconds = clock_monotonic() - begun;
	/* Only now: what is cut off by ^C leaves the log of the one before. */
	path = state_file(LOG);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	kept = log >= 0 && copy_masked(fileno(printed), log) == 0;
	if (!kept)
		warn("%s", path);
	fclose(printed);
	fd_close(&log);
	if (kept && pid > 0 && code != 0)
		warnx("%s fails, and what fails cannot be measured: see %s", one->title, path);
	free(path);
	return kept && code == 0 ? seconds : -1;
}

/* What keeps make from running these goals at all it tells best itself. */
static bool
can_run(const struct contestant *make)
{
	struct strings argv = { 0 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = -1;
	bool can;

	strings_add(&argv, make->argv.v[0]);
	strings_add(&argv, "-n");
	for (size_t i = 1; i < make->argv.n; i++)
		strings_add(&argv, make->argv.v[i]);
	if (null >= 0)
		pid = spawn((char **)argv.v, environ, null, STDERR_FILENO, false);
	if (pid < 0)
		warn("%s", argv.v[0]);
	can = pid > 0 && spawn_wait(pid) == 0;
	fd_close(&null);
	free(argv.v);
	return can;
}

/* Sorts the times, and returns their median. */
static double
print_times(const struct contestant *one, unsigned n)
{
	double middle = median(one->seconds, n);

	printf("%-12s %8s  ", one->title, screen_duration(middle).s);
	for (unsigned i = 0; i < n; i++)
		printf(" %s", screen_duration(one->seconds[i]).s);
	printf("\n");
	return middle;
}

/* What to think of the difference; the times are sorted. */
static const char *
doubt(const struct contestant *nox, const struct contestant *ours, unsigned n)
{
	if (n == 1)
		return ", but one round may be chance: -n runs more";
	return ours->seconds[n - 1] < nox->seconds[0] || nox->seconds[n - 1] < ours->seconds[0] ?
	    "" : ", but that may be chance: the times of both overlap";
}

static void
print_sentence(const struct contestant *nox, const struct contestant *ours, unsigned n)
{
	double theirs, us;

	printf("%-12s %8s   %s\n", "", "median", "all");
	theirs = print_times(nox, n);
	us = print_times(ours, n);
	printf("\nnoxmk: %s took %s where nox took %s: %s %s, %.2f times as fast%s\n", ours->title,
	    screen_duration(us).s, screen_duration(theirs).s,
	    screen_duration(theirs > us ? theirs - us : us - theirs).s,
	    theirs > us ? "less" : "more", theirs / us, doubt(nox, ours, n));
}

/* Runs both in each round, in every second one the other way round. 0, or 1 when one fails. */
static int
measure(struct contestant both[2], unsigned rounds)
{
	for (unsigned i = 0; i < 2 * rounds; i++) {
		struct contestant *one = &both[(i + i / 2) % 2];

		one->seconds[i / 2] = run_one(one);
		if (one->seconds[i / 2] < 0)
			return 1;
	}
	return 0;
}

/*
 * What does not count: it makes the environments, fills the caches, and ours learns how long
 * sessions take, and how wide they are. Returns as bench_run.
 */
static int
rehearse(const struct bench_options *options, struct contestant both[2])
{
	int state;

	if (!can_run(&both[1]))
		return 1;
	state = state_make();
	if (state < 0)
		return -1;
	close(state);
	if (run_one(&both[1]) < 0)
		return 1;
	return prepare_nox(options, &both[0]) ? run_one(&both[0]) < 0 : -1;
}

int
bench_run(const struct bench_options *given)
{
	struct bench_options options = *given;
	struct contestant both[2] = { 0 };
	int result;

	if (options.jobs == 0)
		options.jobs = cpus_available();
	prepare_make(&options, &both[1]);
	result = rehearse(&options, both);
	for (size_t i = 0; i < countof(both); i++)
		both[i].seconds = xcalloc(options.rounds, sizeof(double));
	if (result == 0)
		result = measure(both, options.rounds);
	if (result == 0)
		print_sentence(&both[0], &both[1], options.rounds);
	for (size_t i = 0; i < countof(both); i++) {
		for (size_t word = 0; word < both[i].argv.n; word++)
			free((char *)both[i].argv.v[word]);
		free(both[i].argv.v);
		free(both[i].seconds);
		free(both[i].title);
	}
	return result;
}
