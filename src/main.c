/*
 * noxmk: the helper behind nox.mk. This file knows the options and the table of subcommands; each
 * subcommand's work is in the module that it calls. See noxmk(1).
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/util.h"
#include "end.h"
#include "nox/planning.h"
#include "order/order.h"
#include "output/joblog.h"
#include "report/bench.h"
#include "report/list.h"
#include "report/savings.h"
#include "report/show.h"
#include "report/summary.h"
#include "report/why.h"
#include "session/run.h"
#include "slots/submake.h"
#include "state/join.h"
#include "state/rundir.h"
#include "state/state.h"

#ifndef NOXMK_VERSION
#error "mk/build.mk defines the version"
#endif

/* The options of all subcommands; the table of those says which takes which. */
static struct {
	const char *noxfile, *inputs, *reserved, *key, *cue, *goals;
	unsigned keep, jobs, rounds;
	bool live, alone;
	struct policy policy;
	char *share;
	char **words; /* the operands, NULL-ended */
} options = { .noxfile = "noxfile.py", .inputs = "", .reserved = "", .keep = 20,
	.rounds = 3 };

/* For each option, where its argument goes, in one of four forms. */
static const struct option_entry {
	char letter;
	const char **text;
	unsigned *number; /* from 1 to most */
	long long most;
	const char *knob; /* by which the user of nox.mk has set that number, for the message */
	bool *flag;       /* it has no argument */
	struct policy *policy;
} option_entries[] = {
	{ 'a', .flag = &options.alone },
	{ 'c', .text = &options.cue },
	{ 'f', .text = &options.noxfile },
	{ 'g', .text = &options.goals },
	{ 'i', .text = &options.inputs },
	{ 'j', .number = &options.jobs, .most = 1000000, .knob = " (NOXMK_JOBS)" },
	{ 'k', .number = &options.keep, .most = 1000000, .knob = " (NOXMK_KEEP)" },
	{ 'l', .flag = &options.live },
	{ 'n', .number = &options.rounds, .most = 1000, .knob = "" },
	{ 'o', .policy = &options.policy },
	{ 'r', .text = &options.key },
	{ 'R', .text = &options.reserved },
};

/* What main opens for a subcommand. */
enum needs {
	NOTHING,
	STATE,   /* the state folder */
	PLAN,    /* and the plan in it */
	RUN,     /* or the run folder of the make of -r, or the latest one, and the plan in that */
	OWN_RUN, /* likewise, but a make without a run (it had no session) gets one */
};

/* That, opened. A descriptor that is not needed is -1, and a plan NULL. */
struct place {
	int state, rundir;
	struct planfile *plan;
};

static void
place_close(struct place *place)
{
	planfile_close(place->plan);
	fd_close(&place->rundir);
	fd_close(&place->state);
}

/* False after a warning, with nothing open. */
static bool
place_open(struct place *place, enum needs needs)
{
	*place = (struct place){ .state = -1, .rundir = -1 };
	if (needs >= STATE)
		place->state = state_open();
	if (place->state >= 0 && needs >= RUN)
		place->rundir = needs == OWN_RUN && options.key ?
		    join_run(place->state, options.key, options.keep) :
		    rundir_open(place->state, options.key);
	if (place->state >= 0 && needs == PLAN)
		place->plan = planfile_open(place->state);
	else if (place->rundir >= 0)
		place->plan = planfile_open(place->rundir);
	if ((needs < STATE || place->state >= 0) && (needs < PLAN || place->plan))
		return true;
	place_close(place);
	return false;
}

/* PREFIX/share/noxmk, for a helper that is PREFIX/bin/noxmk; in this tree PREFIX is build. */
static char *
find_share(void)
{
	char *program = process_own_program(), *slash, *share;

	for (int i = 0; i < 2; i++)
		if ((slash = strrchr(program, '/')))
			*slash = '\0';
	share = xasprintf("%s/share/noxmk", program);
	free(program);
	return share;
}

static int
do_plan(const struct place *unused)
{
	struct planning_options plan = { .share = options.share, .noxfile = options.noxfile,
		.inputs = options.inputs };
	char *copy = xstrdup(options.reserved), *rest = copy, *word;
	int result;

	(void)unused;
	for (char **w = options.words; *w; w++)
		strings_add(&plan.nox, *w);
	if (plan.nox.n == 0)
		strings_add(&plan.nox, "nox");
	while ((word = strsep(&rest, " ")))
		if (*word)
			strings_add(&plan.reserved, word);
	result = planning_run(&plan);
	free(plan.nox.v);
	free(plan.reserved.v);
	free(copy);
	return result;
}

/* The goals as operands; or as -g has them, in the helper of one of their sessions. New lists. */
static json_t *
goals_of_words(void)
{
	json_t *goals = json_array();

	for (char **word = options.words; *word; word++)
		json_array_append_new(goals, json_string(*word));
	return goals;
}

static json_t *
goals_of_run(void)
{
	json_t *goals = json_array();
	char *copy = xstrdup(options.goals ? options.goals : ""), *rest = copy, *goal;

	while ((goal = strsep(&rest, " ")))
		if (*goal)
			json_array_append_new(goals, json_string(goal));
	free(copy);
	return goals;
}

static struct end
end_of(const struct place *place, const json_t *goals)
{
	return (struct end){ .state = place->state, .rundir = place->rundir, .plan = place->plan,
		.goals = goals, .jobs = options.jobs };
}

/* GOAL … [-- MAKE …] */
static int
do_end(const struct place *place)
{
	char **make = options.words;
	json_t *goals;
	struct end end;
	int result;

	while (*make && strcmp(*make, "--") != 0)
		make++;
	if (*make)
		*make++ = NULL;
	goals = goals_of_words();
	end = end_of(place, goals);
	result = end_run(&end, options.key, make);
	json_decref(goals);
	return result < 0 ? EXIT_HELPER : 0;
}

/* make will not come to `noxmk end`, so the helper of the last session does what that does. */
static void
sum_up_interrupted(void)
{
	json_t *goals = goals_of_run();
	struct place place;
	struct end end;

	if (place_open(&place, RUN)) {
		end = end_of(&place, goals);
		end_interrupted(&end);
		place_close(&place);
	}
	json_decref(goals);
}

static int
do_run(const struct place *unused)
{
	struct run_options run = { .share = options.share, .key = options.key,
		.cue = options.cue, .keep = options.keep, .jobs = options.jobs,
		.live = options.live, .alone = options.alone, .policy = &options.policy };
	bool interrupted;
	int result;

	(void)unused;
	if (!options.key)
		errx(EXIT_USAGE, "run: -r MAKE is missing; `make TARGET` knows its make");
	run.target = *options.words++;
	if (*options.words && !strcmp(*options.words, "--"))
		options.words++;
	run.posargs = options.words;
	result = run_session(&run, &interrupted);
	if (interrupted)
		sum_up_interrupted();
	return result;
}

static int
do_verdict(const struct place *place)
{
	int result = 0;

	for (char **goal = options.words; *goal; goal++)
		if (summary_verdict(place->rundir, place->plan, *goal) != 0)
			result = 1;
	return result;
}

static int
do_list(const struct place *place)
{
	list_print(place->plan);
	return 0;
}

static int
do_show(const struct place *place)
{
	json_t *goals = goals_of_words();
	int result = show_print(place->state, place->plan, goals);

	json_decref(goals);
	return result;
}

/* make asks for this when order.mk is for other goals or for another -j. */
static int
do_order(const struct place *place)
{
	json_t *goals = goals_of_words(), *active = json_object();
	int result;

	/* A goal that the plan does not know adds nothing. */
	planfile_expand(place->plan, goals, active, false);
	result = order_write(place->state, active, options.jobs);
	json_decref(active);
	json_decref(goals);
	return result < 0 ? EXIT_HELPER : 0;
}

/* Prints the file TARGET<suffix> of each target: from the run of -r, or the newest that has it. */
static int
each_target(int state, const char *suffix, int (*print)(int rundir, const char *target))
{
	int result = 0;

	for (char **target = options.words; *target; target++) {
		char *name = xasprintf("%s%s", *target, suffix);
		int rundir = options.key ? rundir_open(state, options.key) :
					   rundir_newest_with(state, name);

		if (rundir < 0 || print(rundir, *target) < 0)
			result = 1;
		fd_close(&rundir);
		free(name);
	}
	return result;
}

static int
do_log(const struct place *place)
{
	return each_target(place->state, ".log", joblog_print);
}

static int
do_why(const struct place *place)
{
	return each_target(place->state, ".json", why_print);
}

static int
do_report(const struct place *place)
{
	return savings_print(place->state) < 0 ? EXIT_HELPER : 0;
}

static int
do_bench(const struct place *unused)
{
	json_t *goals = goals_of_words();
	struct bench_options bench = { .share = options.share, .noxfile = options.noxfile,
		.jobs = options.jobs, .rounds = options.rounds, .goals = goals };
	int result = bench_run(&bench);

	(void)unused;
	json_decref(goals);
	return result < 0 ? EXIT_HELPER : result;
}

static int
do_make(const struct place *unused)
{
	(void)unused;
	return submake_exec(options.words);
}

static int do_help(const struct place *);

static const struct command_entry {
	const char *name, *options, *operands;
	int least; /* operands that it needs */
	enum needs needs;
	int (*run)(const struct place *);
	const char *help;
} commands[] = {
	{ "plan", "f:i:R:", "[-f NOXFILE] [-i INPUTS] [-R NAMES] [--] [NOX ...]", 0,
	    NOTHING, do_plan,
	    "ask nox what the noxfile says; write sessions.mk and plan.jsonl" },
	{ "order", "j:", "[-j JOBS] GOAL ...", 1, PLAN, do_order,
	    "write order.mk for these goals" },
	{ "run", "ac:g:j:k:lo:r:",
	    "[-a] [-c CUE] [-g GOALS] [-j JOBS] [-k KEEP] [-l] [-o POLICY] -r MAKE TARGET "
	    "[-- POSARGS ...]", 1, NOTHING, do_run, "run one session" },
	{ "end", "j:k:r:", "[-j JOBS] [-k KEEP] [-r MAKE] [GOAL ...] [-- COMMAND ...]", 0,
	    OWN_RUN, do_end, "run notified sessions by COMMAND, a make; print the summary" },
	{ "verdict", "r:", "[-r MAKE] GOAL ...", 1, RUN, do_verdict,
	    "exit 1 unless the sessions of all the goals are well" },
	{ "list", "", "", 0, PLAN, do_list, "targets and descriptions" },
	{ "show", "", "GOAL ...", 1, PLAN, do_show, "what would run, in which order" },
	{ "log", "r:", "[-r MAKE] TARGET ...", 1, STATE, do_log, "the last log of each" },
	{ "why", "r:", "[-r MAKE] TARGET ...", 1, STATE, do_why,
	    "what each waited for in its last run" },
	{ "report", "", "", 0, STATE, do_report, "what running sessions at once has saved so far" },
	{ "bench", "f:j:n:", "[-f NOXFILE] [-j JOBS] [-n ROUNDS] [GOAL ...]", 0, NOTHING, do_bench,
	    "measure make against nox on these goals, or ci" },
	{ "make", "", "MAKE [ARGUMENT ...]", 1, NOTHING, do_make,
	    "run that make under the jobserver of the session around it" },
	{ "help", "", "", 0, NOTHING, do_help, "this text" },
};

static int
do_help(const struct place *unused)
{
	(void)unused;
	printf("noxmk %s: nox sessions as make targets. See noxmk(1); for daily use, make.\n\n"
	       "usage: noxmk [-C FOLDER] [-S STATE] COMMAND …\n\n", NOXMK_VERSION);
	for (size_t i = 0; i < countof(commands); i++)
		printf("  %s %s\n        %s\n", commands[i].name, commands[i].operands,
		    commands[i].help);
	return 0;
}

static noreturn void
usage(const struct command_entry *command)
{
	if (command)
		fprintf(stderr, "usage: noxmk [-C FOLDER] [-S STATE] %s %s\n", command->name,
		    command->operands);
	else
		fprintf(stderr, "usage: noxmk [-C FOLDER] [-S STATE] COMMAND … (`noxmk help` lists them)\n");
	exit(EXIT_USAGE);
}

static void
set_option(int letter, const struct command_entry *command)
{
	const struct option_entry *entry = option_entries;
	const char *bad = NULL;

	while (entry->letter != letter)
		if (++entry == option_entries + countof(option_entries))
			usage(command);
	if (entry->text)
		*entry->text = optarg;
	if (entry->flag)
		*entry->flag = true;
	if (entry->policy && !policy_set(entry->policy, optarg))
		exit(EXIT_USAGE);
	if (entry->number)
		*entry->number = (unsigned)strtonum(optarg, 1, entry->most, &bad);
	if (bad)
		errx(EXIT_USAGE, "-%c %s%s: the number is %s", letter, optarg, entry->knob, bad);
}

/*
 * If a standard stream were closed, the next file that we open would take its place. Output that
 * somebody else has made non-blocking is opened anew: its flags are not ours to change.
 */
static void
open_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	close(fd);
	if ((fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK) &&
	    (fd = open("/proc/self/fd/1", O_WRONLY)) >= 0) {
		dup2(fd, STDOUT_FILENO);
		close(fd);
	}
}

int
main(int argc, char *argv[])
{
	const struct command_entry *command = NULL;
	struct place place;
	int option, result = EXIT_HELPER;
	char letters[16];

	/* Sessions find us as make and gmake: toolenv.h. */
	if (!strcmp(program_invocation_short_name, "make") ||
	    !strcmp(program_invocation_short_name, "gmake"))
		return submake_exec(argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log beyond the file size limit is an error, not our death */
	open_streams();
	while ((option = getopt(argc, argv, "+C:S:hV")) != -1) {
		if (option == 'h')
			return do_help(NULL);
		if (option == 'V')
			return puts("noxmk " NOXMK_VERSION) < 0;
		if (option == 'S')
			state_choose(optarg);
		else if (option != 'C')
			usage(NULL);
		else if (chdir(optarg) < 0)
			err(EXIT_USAGE, "the project's folder (NOXMK_PROJECT) %s", optarg);
	}
	for (size_t i = 0; optind < argc && i < countof(commands); i++)
		if (!strcmp(argv[optind], commands[i].name))
			command = &commands[i];
	if (!command)
		usage(NULL);
	argc -= optind;
	argv += optind;
	argv[0] = program_invocation_short_name; /* for getopt's messages */
	optind = 0; /* glibc's way to start afresh; the leading + stops at the first operand */
	snprintf(letters, sizeof(letters), "+%s", command->options);
	while ((option = getopt(argc, argv, letters)) != -1)
		set_option(option, command);
	options.words = argv + optind;
	if (argc - optind < command->least)
		usage(command);
	options.share = find_share();
	if (place_open(&place, command->needs)) {
		result = command->run(&place);
		place_close(&place);
	}
	free(options.share);
	/* That a reader went away (`make ci | head`) is no failure. */
	if (fflush(stdout) != 0 && errno != EPIPE)
		err(EXIT_HELPER, "standard output");
	return result;
}
