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

#include "base/process.h"
#include "base/util.h"
#include "notified.h"
#include "nox/planning.h"
#include "order/order.h"
#include "report/bench.h"
#include "report/list.h"
#include "report/savings.h"
#include "report/summary.h"
#include "report/why.h"
#include "session/run.h"
#include "slots/submake.h"
#include "state/failed.h"
#include "state/history.h"
#include "state/rundir.h"

#ifndef NOXMK_VERSION
#error "mk/build.mk defines the version"
#endif

/* Every option that any subcommand has; the table below says which takes which. */
static struct {
	const char *noxfile, *inputs, *reserved, *key, *cue, *goals;
	unsigned keep, jobs, rounds;
	bool live;
	struct policy policy;
	char *share;
	char **words; /* what is left of the command line */
} options = { .noxfile = "noxfile.py", .inputs = "", .reserved = "", .keep = 20,
	.rounds = 3 };

/* Beside an installed helper (PREFIX/bin/noxmk) lies PREFIX/share/noxmk; in the tree, build/. */
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
do_plan(void)
{
	struct planning_options plan = { .share = options.share, .noxfile = options.noxfile,
		.inputs = options.inputs };
	char *copy = xstrdup(options.reserved), *rest = copy, *word;
	int result;

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

static json_t *
goals(void)
{
	json_t *list = json_array();

	for (char **w = options.words; *w; w++)
		json_array_append_new(list, json_string(*w));
	return list;
}

/* What the goals are made of; one that the plan does not know adds nothing. */
static json_t *
active_sessions(struct planfile *plan, const json_t *list)
{
	json_t *active = json_object();

	planfile_expand(plan, list, active, false);
	return active;
}

/* The run's folder and its plan. A run without any session has no folder until its end. */
static int
open_run(int *run, struct planfile **plan, bool join)
{
	int state = state_open();

	*plan = NULL;
	*run = -1;
	if (state >= 0 && join && options.key)
		*run = rundir_join(state, options.key, options.keep);
	else if (state >= 0)
		*run = rundir_open(state, options.key);
	if (state >= 0)
		close(state);
	if (*run < 0)
		return -1;
	if (!(*plan = planfile_open(*run))) {
		close(*run);
		return -1;
	}
	return 0;
}

/* What this run says: what failed, how long sessions take, and the order that follows from that. */
static void
remember(int run, struct planfile *plan, const json_t *list)
{
	int state = state_open();
	json_t *active;

	if (state < 0)
		return;
	failed_update(state, run, plan, list);
	if (history_update(state, run)) {
		active = active_sessions(plan, list);
		(void)!order_write(state, active, options.jobs);
		json_decref(active);
	}
	close(state);
}

/* GOAL … [-- MAKE …]: without a make, what was notified and has not run is only shown as such. */
static int
do_end(void)
{
	char **make = options.words;
	struct planfile *plan;
	json_t *list;
	int run, result = 0;

	while (*make && strcmp(*make, "--") != 0)
		make++;
	if (*make)
		*make++ = NULL;
	if (open_run(&run, &plan, true) < 0)
		return EXIT_HELPER;
	list = goals();
	if (*make)
		result = notified_run(run, options.key, make);
	/* The keeper of a helper that was killed still has a record to write. */
	rundir_wait(run);
	if (summary_print(run, plan, list) < 0 || summary_mark_well(run, plan, list) < 0)
		result = -1;
	if (*make)
		remember(run, plan, list);
	json_decref(list);
	planfile_close(plan);
	close(run);
	return result < 0 ? EXIT_HELPER : 0;
}

/* make does not come to its end, so the last session's helper says what it has come to. */
static void
sum_up_interrupted(void)
{
	struct planfile *plan;
	json_t *list = json_array();
	char *copy = xstrdup(options.goals ? options.goals : ""), *rest = copy, *goal;
	int run;

	while ((goal = strsep(&rest, " ")))
		if (*goal)
			json_array_append_new(list, json_string(goal));
	if (open_run(&run, &plan, false) == 0) {
		(void)!summary_print(run, plan, list);
		remember(run, plan, list);
		planfile_close(plan);
		close(run);
	}
	json_decref(list);
	free(copy);
}

static int
do_run(void)
{
	struct run_options run = { .share = options.share, .key = options.key,
		.cue = options.cue, .keep = options.keep, .jobs = options.jobs,
		.live = options.live, .policy = &options.policy };
	bool interrupted;
	int result;

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
do_verdict(void)
{
	struct planfile *plan;
	int run, result = 0;

	if (open_run(&run, &plan, false) < 0)
		return EXIT_HELPER;
	for (char **goal = options.words; *goal; goal++) {
		int one = summary_verdict(run, plan, *goal);

		if (one != 0 && result >= 0)
			result = one;
	}
	planfile_close(plan);
	close(run);
	return result < 0 ? EXIT_HELPER : result;
}

static int
with_plan(int (*print)(struct planfile *, const json_t *))
{
	int state = state_open(), result = -1;
	struct planfile *plan = state < 0 ? NULL : planfile_open(state);
	json_t *list = goals();

	if (plan)
		result = print(plan, list);
	planfile_close(plan);
	if (state >= 0)
		close(state);
	json_decref(list);
	return result < 0 ? EXIT_HELPER : result;
}

static int
do_list(void)
{
	return with_plan(list_targets);
}

static int
do_show(void)
{
	return with_plan(show_order);
}

/* make asks for this when order.mk is for other goals or for another -j. */
static int
do_order(void)
{
	int state = state_open(), result = -1;
	struct planfile *plan = state < 0 ? NULL : planfile_open(state);
	json_t *list = goals(), *active;

	if (plan) {
		active = active_sessions(plan, list);
		result = order_write(state, active, options.jobs);
		json_decref(active);
	}
	json_decref(list);
	planfile_close(plan);
	if (state >= 0)
		close(state);
	return result < 0 ? EXIT_HELPER : 0;
}

/* Without -r each target's last file of that kind counts, whichever run that was in. */
static int
each_target(const char *suffix, int (*print)(int run, const char *target))
{
	int state = state_open(), result = state < 0 ? EXIT_HELPER : 0;

	for (char **target = options.words; state >= 0 && *target; target++) {
		char *name = xasprintf("%s%s", *target, suffix);
		int run = options.key ? rundir_open(state, options.key) :
					rundir_newest_with(state, name);

		if (run < 0 || print(run, *target) < 0)
			result = 1;
		if (run >= 0)
			close(run);
		free(name);
	}
	if (state >= 0)
		close(state);
	return result;
}

static int
do_log(void)
{
	return each_target(".log", list_log);
}

static int
do_why(void)
{
	return each_target(".json", why_print);
}

static int
do_report(void)
{
	int state = state_open(), result = state < 0 ? -1 : savings_print(state);

	if (state >= 0)
		close(state);
	return result < 0 ? EXIT_HELPER : 0;
}

static int
do_bench(void)
{
	json_t *list = goals();
	struct bench_options bench = { .share = options.share, .noxfile = options.noxfile,
		.jobs = options.jobs, .rounds = options.rounds, .goals = list };
	int result = bench_run(&bench);

	json_decref(list);
	return result < 0 ? EXIT_HELPER : result;
}

static int
do_make(void)
{
	return submake_exec(options.words);
}

static int do_help(void);

static const struct command_entry {
	const char *name, *options, *operands;
	int least; /* operands */
	int (*run)(void);
	const char *help;
} commands[] = {
	{ "plan", "f:i:R:", "[-f NOXFILE] [-i INPUTS] [-R NAMES] [--] [NOX ...]", 0, do_plan,
	    "ask nox what the noxfile says; write .noxmk/sessions.mk and plan.jsonl" },
	{ "order", "j:", "[-j JOBS] GOAL ...", 1, do_order,
	    "write .noxmk/order.mk for these goals" },
	{ "run", "c:g:j:k:lo:r:",
	    "[-c CUE] [-g GOALS] [-j JOBS] [-k KEEP] [-l] [-o POLICY] -r MAKE TARGET "
	    "[-- POSARGS ...]", 1, do_run, "run one session" },
	{ "end", "j:k:r:", "[-j JOBS] [-k KEEP] [-r MAKE] [GOAL ...] [-- COMMAND ...]", 0, do_end,
	    "run notified sessions by COMMAND, a make; print the summary" },
	{ "verdict", "r:", "[-r MAKE] GOAL ...", 1, do_verdict,
	    "exit 1 unless the sessions of all the goals are well" },
	{ "list", "", "", 0, do_list, "targets and descriptions" },
	{ "show", "", "GOAL ...", 1, do_show, "what would run, in which order" },
	{ "log", "r:", "[-r MAKE] TARGET ...", 1, do_log, "the last log of each" },
	{ "why", "r:", "[-r MAKE] TARGET ...", 1, do_why, "what each waited for in its last run" },
	{ "report", "", "", 0, do_report, "what running sessions at once has saved so far" },
	{ "bench", "f:j:n:", "[-f NOXFILE] [-j JOBS] [-n ROUNDS] [GOAL ...]", 0, do_bench,
	    "measure make against nox on these goals, or ci" },
	{ "make", "", "MAKE [ARGUMENT ...]", 1, do_make,
	    "run that make under the jobserver of the session around it" },
	{ "help", "", "", 0, do_help, "this text" },
};

static int
do_help(void)
{
	printf("noxmk %s: nox sessions as make targets. See noxmk(1); for daily use, make.\n\n"
	       "usage: noxmk [-C FOLDER] COMMAND …\n\n", NOXMK_VERSION);
	for (size_t i = 0; i < countof(commands); i++)
		printf("  %s %s\n        %s\n", commands[i].name, commands[i].operands,
		    commands[i].help);
	return 0;
}

static noreturn void
usage(const struct command_entry *command)
{
	if (command)
		fprintf(stderr, "usage: noxmk [-C FOLDER] %s %s\n", command->name,
		    command->operands);
	else
		fprintf(stderr, "usage: noxmk [-C FOLDER] COMMAND … (`noxmk help` lists them)\n");
	exit(EXIT_USAGE);
}

static void
set_option(int option, const struct command_entry *command)
{
	const char *bad = NULL;

	switch (option) {
	case 'c':
		options.cue = optarg;
		break;
	case 'f':
		options.noxfile = optarg;
		break;
	case 'g':
		options.goals = optarg;
		break;
	case 'i':
		options.inputs = optarg;
		break;
	case 'j':
		options.jobs = (unsigned)strtonum(optarg, 1, 1000000, &bad);
		if (bad)
			errx(EXIT_USAGE, "-j %s (NOXMK_JOBS): the number is %s", optarg, bad);
		break;
	case 'k':
		options.keep = (unsigned)strtonum(optarg, 1, 1000000, &bad);
		if (bad)
			errx(EXIT_USAGE, "-k %s (NOXMK_KEEP): the number is %s", optarg, bad);
		break;
	case 'l':
		options.live = true;
		break;
	case 'n':
		options.rounds = (unsigned)strtonum(optarg, 1, 1000, &bad);
		if (bad)
			errx(EXIT_USAGE, "-n %s: the number is %s", optarg, bad);
		break;
	case 'o':
		if (!policy_set(&options.policy, optarg))
			exit(EXIT_USAGE);
		break;
	case 'r':
		options.key = optarg;
		break;
	case 'R':
		options.reserved = optarg;
		break;
	default:
		usage(command);
	}
}

/*
 * Standard streams that are closed would become our own files. Output that somebody else has made
 * non-blocking is opened anew, since we may not change the flags of what others share.
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
	int option, result;
	char letters[16];

	/* PREFIX/share/noxmk/tools/make and gmake are this program. */
	if (!strcmp(program_invocation_short_name, "make") ||
	    !strcmp(program_invocation_short_name, "gmake"))
		return submake_exec(argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log that may not grow is no reason to die */
	open_streams();
	while ((option = getopt(argc, argv, "+C:hV")) != -1) {
		if (option == 'h')
			return do_help();
		if (option == 'V')
			return puts("noxmk " NOXMK_VERSION) < 0;
		if (option != 'C')
			usage(NULL);
		if (chdir(optarg) < 0)
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
	result = command->run();
	free(options.share);
	/* A reader that went away (`make ci | head`) has seen what it wanted. */
	if (fflush(stdout) != 0 && errno != EPIPE)
		err(EXIT_HELPER, "standard output");
	return result;
}
