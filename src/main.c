/*
 * noxmk: the helper behind nox.mk. This file knows the options and subcommands; the work of each is
 * in the module that it calls. See noxmk(1).
 */

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/outlet.h"
#include "base/process.h"
#include "base/util.h"
#include "begin.h"
#include "end.h"
#include "front/bundled.h"
#include "front/complete.h"
#include "front/doctor.h"
#include "front/forge.h"
#include "front/init.h"
#include "front/usage.h"
#include "nox/planning.h"
#include "order/order.h"
#include "output/screen.h"
#include "own.h"
#include "place.h"
#include "report/bench.h"
#include "report/list.h"
#include "report/logs.h"
#include "report/newest.h"
#include "report/savings.h"
#include "report/show.h"
#include "report/status.h"
#include "report/summary.h"
#include "report/why.h"
#include "session/drawer.h"
#include "session/run.h"
#include "slots/jobserver.h"
#include "slots/submake.h"
#include "state/join.h"
#include "state/request.h"
#include "state/rundir.h"
#include "state/runtime.h"
#include "state/state.h"
#include "unmade.h"

/* The options of all subcommands; the table of those says which takes which. */
static struct {
	const char *noxfile, *inputs, *reserved, *key, *cue, *needs, *folder, *ci;
	unsigned jobs, rounds;
	bool json, raw, watch, only_if_stale, dry_run, follow;
	char *share;
	char **words; /* the operands, NULL-ended */
} options = { .inputs = "", .needs = "", .folder = ".", .rounds = 3 };

/*
 * For each option, where its argument goes, in one of three forms. A letter may stand for two, one
 * with an argument and one without.
 */
static const struct option_entry {
	char letter;
	const char **text;
	unsigned *number; /* from 1 to most */
	long long most;
	bool *flag;       /* it has no argument */
} option_entries[] = {
	{ 'c', .text = &options.cue }, { 'D', .flag = &options.dry_run },
	{ 'J', .flag = &options.json }, { 'w', .flag = &options.watch },
	{ 'd', .text = &options.folder }, { 'f', .text = &options.noxfile },
	{ 'f', .flag = &options.follow }, { 'W', .flag = &options.raw },
	{ 'I', .text = &options.ci }, { 'i', .text = &options.inputs },
	{ 'j', .number = &options.jobs, .most = 1000000 },
	{ 'n', .number = &options.rounds, .most = 1000 },
	{ 'p', .text = &options.needs }, { 'r', .text = &options.key },
	{ 'R', .text = &options.reserved }, { 's', .flag = &options.only_if_stale },
};

static const struct option long_options[] = {
	{ "ci", required_argument, NULL, 'I' }, { "dry-run", no_argument, NULL, 'D' },
	{ "follow", no_argument, NULL, 'f' }, { "json", no_argument, NULL, 'J' },
	{ "raw", no_argument, NULL, 'W' }, { "watch", no_argument, NULL, 'w' },
	{ "help", no_argument, NULL, 'h' }, { 0 },
};

static int
do_plan(UNUSED const struct place *place)
{
	struct planning_options plan = { .share = options.share, .noxfile = options.noxfile,
		.reserved = options.reserved, .only_if_stale = options.only_if_stale };
	struct buffer nox = { 0 };
	int result;

	for (char **word = options.words; *word; word++) {
		buffer_addstr(&nox, nox.len ? " " : "");
		buffer_add_shell(&nox, *word);
	}
	plan.nox = nox.data;
	result = planning_run(&plan);
	buffer_free(&nox);
	return result;
}

/* The operands as a new list. */
static json_t *
goals_of_words(void)
{
	json_t *goals = json_array();

	for (char **word = options.words; *word; word++)
		json_array_append_new(goals, json_string(*word));
	return goals;
}

/* Those that make has written for the helper `what`, or the operands. NULL after a warning. */
static json_t *
goals_for(const struct place *place, const char *what, json_t **settings)
{
	json_t *goals;

	*settings = NULL;
	if (!options.key)
		return goals_of_words();
	*settings = request_take(place->state, what, options.key);
	goals = *settings ? request_goals(*settings) : NULL;
	return goals;
}

static int
do_graph(const struct place *place)
{
	struct own_options own = { .state = place->state, .of = options.inputs,
		.folder = options.folder, .makefile = options.noxfile, .make = options.words };

	own_update(&own);
	return 0;
}

/* See state_mend. What has its answer is nox.mk. */
static int
do_mend(const struct place *place)
{
	puts(state_mend(place->state) ? "sound" : "unsound");
	return 0;
}

static int
do_begin(const struct place *place)
{
	if (!options.key)
		errx(EXIT_USAGE, "begin: -r MAKE is missing; `make TARGET` knows its make");
	return begin_run(place->state, options.key);
}

/* goals: those of the request unless others are given. */
static struct end
end_of(const struct place *place, const struct request *request, const json_t *goals)
{
	return (struct end){ .state = place->state, .rundir = place->rundir, .plan = place->plan,
		.goals = json_array_size(goals) > 0 ? goals : request->goals,
		.jobs = request->knobs.jobs,
		.share = request->knobs.no_status ? NULL : options.share };
}

/* Cuts options.words, [GOAL …] [-- MAKE …], behind the goals. The words of MAKE. */
static char **
cut_make(void)
{
	char **make = options.words;

	/* getopt has taken a -- that no goal stands before. */
	if (!strcmp(make[-1], "--"))
		options.words = --make;
	while (*make && strcmp(*make, "--") != 0)
		make++;
	if (*make)
		*make++ = NULL;
	return make;
}

static int
do_unmade(UNUSED const struct place *place)
{
	struct unmade_options unmade = { .make = cut_make(), .folder = options.folder,
		.makefile = options.noxfile, .files = options.reserved,
		.noxfile = options.inputs };

	unmade.goals = options.words;
	return unmade_refuse(&unmade) ? 0 : 1;
}

/* Milliseconds in which what is written has to be read at the end: others may wait for that. */
enum { PATIENT_READER = 2000, HASTY_READER = 200 };

static int
do_end(const struct place *place)
{
	struct request request = { 0 };
	char **make = cut_make();
	json_t *goals;
	struct end end;
	int result;

	if (request_read(place->rundir, &request) < 0)
		return EXIT_HELPER;
	goals = goals_of_words();
	end = end_of(place, &request, goals);
	outlet_open(true);
	if (request.knobs.output == OUTPUT_QUIET)
		screen_be_quiet();
	if (knobs_want_board(&request.knobs, *request.alone) && drawer_can())
		outlet_wipes(SCREEN_WIPE); /* what a helper that was killed has left */
	result = end_run(&end, options.key, make);
	if (outlet_hand_over(PATIENT_READER) < 0) {
		warn("standard output");
		result = -1;
	}
	if (options.key && *make)
		runtime_remove(options.key, place->rundir);
	json_decref(goals);
	request_clear(&request);
	return result < 0 ? EXIT_HELPER : 0;
}

/* make will not come to `noxmk end`, so the helper of the last session does what that does. */
static void
sum_up_interrupted(const struct request *request)
{
	struct place place;
	struct end end;

	if (place_open(&place, RUN, options.key)) {
		end = end_of(&place, request, NULL);
		end_interrupted(&end);
		if (options.key)
			runtime_remove(options.key, place.rundir);
		place_close(&place);
	}
}

static int
do_run(UNUSED const struct place *place)
{
	struct request request = { 0 };
	struct run_options run = { .share = options.share, .key = options.key,
		.cue = options.cue, .needs = options.needs, .target = *options.words,
		.knobs = &request.knobs };
	bool interrupted;
	int result;

	if (!options.key)
		errx(EXIT_USAGE, "run: -r MAKE is missing; `make TARGET` knows its make");
	result = join_request(options.key, &request);
	if (result < 0)
		return EXIT_HELPER;
	strings_add(&request.posargs, NULL);
	run.posargs = (char *const *)request.posargs.v;
	run.keep = request.knobs.keep;
	run.jobs = request.knobs.jobs > 0 ? request.knobs.jobs : request.processors;
	run.processors = request.processors;
	run.notified = getenv("NOXMK_RUN") != NULL;
	run.alone = !strcmp(request.alone, run.target);
	run.goals = request.goals;
	outlet_open(false);
	result = run_session(&run, &interrupted);
	if (interrupted)
		sum_up_interrupted(&request);
	outlet_close(interrupted ? HASTY_READER : PATIENT_READER);
	request_clear(&request);
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
	if (options.json)
		list_print_json(place->plan);
	else
		list_print(place->plan);
	return 0;
}

static int
do_show(const struct place *place)
{
	json_t *settings, *goals = goals_for(place, "show", &settings);
	int result = EXIT_HELPER;

	if (goals) {
		own_apply(place->state, place->plan, goals);
		result = show_print(place->state, place->plan, goals);
	}
	json_decref(settings);
	json_decref(goals);
	return result;
}

/* make asks for this when order.mk is for other goals or for another -j. */
static int
do_order(const struct place *place)
{
	json_t *settings, *goals = goals_for(place, "order", &settings), *active;
	int result;

	if (!goals)
		return EXIT_HELPER;
	active = json_object();
	own_apply(place->state, place->plan, goals);
	/* A goal that the plan does not know adds nothing. */
	planfile_expand(place->plan, goals, active, false);
	result = order_write(place->state, active, request_jobs(settings));
	json_decref(settings);
	json_decref(active);
	json_decref(goals);
	return result < 0 ? EXIT_HELPER : 0;
}

static int
do_log(const struct place *place)
{
	return logs_print(&(struct logs_options){ .state = place->state, .run = options.key,
	    .targets = options.words, .follows = options.follow, .raw = options.raw });
}

static int
do_status(const struct place *place)
{
	return status_print(place->state, options.watch) < 0 ? 1 : 0;
}

static int
do_why(const struct place *place)
{
	return newest_print(&(struct newest){ .state = place->state, .run = options.key,
	    .suffix = ".json", .print = why_print }, options.words);
}

static int
do_report(const struct place *place)
{
	return savings_print(place->state) < 0 ? EXIT_HELPER : 0;
}

static int
do_bench(UNUSED const struct place *place)
{
	json_t *goals = goals_of_words();
	struct bench_options bench = { .share = options.share,
		.noxfile = options.noxfile ? options.noxfile : "noxfile.py",
		.jobs = options.jobs, .rounds = options.rounds, .goals = goals };
	int result = bench_run(&bench);

	json_decref(goals);
	return result < 0 ? EXIT_HELPER : result;
}

static int
do_make(UNUSED const struct place *place)
{
	return bundled_make(options.words);
}

static int
do_makefile(UNUSED const struct place *place)
{
	return bundled_print();
}

static int
do_init(UNUSED const struct place *place)
{
	struct init_options init = { .ci = options.ci, .dry_run = options.dry_run };

	if (*options.words)
		errx(EXIT_USAGE, "init: what is %s? A forge is named by --ci", *options.words);
	return init_run(&init);
}

static int
do_submake(UNUSED const struct place *place)
{
	return submake_exec(options.words);
}

static int
do_doctor(UNUSED const struct place *place)
{
	return doctor_run(options.share, options.json);
}

static int
do_completion(UNUSED const struct place *place)
{
	return complete_script(options.share, *options.words);
}

static int do_complete(const struct place *), do_help(const struct place *);

static const struct command_entry {
	struct usage usage;
	const char *options; /* for getopt(3); NULL: its words are not ours to read */
	int least;           /* operands that it needs */
	enum needs needs;
	int (*run)(const struct place *);
} commands[] = {
	{ { "make", PEOPLE, "[WORD ...]", "run make on this folder's sessions, with these words" },
	    NULL, 0, NOTHING, do_make },
	{ { "init", PEOPLE, "[--ci " FORGE_NAMES "|none] [--dry-run]",
	    "set this project up: a makefile, a CI workflow" }, "DI:", 0, NOTHING, do_init },
	{ { "list", PEOPLE, "[--json]", "targets and descriptions" }, "J", 0, PLAN, do_list },
	{ { "show", PEOPLE, "[-r MAKE] [GOAL ...]", "what would run, in which order" },
	    "r:", 0, PLAN, do_show },
	{ { "log", PEOPLE, "[-f] [-r RUN] [--raw] [TARGET ...]",
	    "the last log of each, as it grows with -f; or those of what failed in the last run" },
	    "fr:W", 0, STATE, do_log },
	{ { "status", PEOPLE, "[--watch]", "what runs now, and what waits for what" },
	    "w", 0, STATE, do_status },
	{ { "why", PEOPLE, "[-r RUN] TARGET ...", "what each waited for in its last run" },
	    "r:", 1, STATE, do_why },
	{ { "report", PEOPLE, "", "what running sessions at once has saved so far" },
	    "", 0, STATE, do_report },
	{ { "bench", PEOPLE, "[-f NOXFILE] [-j JOBS] [-n ROUNDS] [GOAL ...]",
	    "measure make against nox on these goals, or ci" }, "f:j:n:", 0, NOTHING, do_bench },
	{ { "plan", PEOPLE, "[-s] [-f NOXFILE] [-R NAMES] [--] [NOX ...]",
	    "ask nox what the noxfile says, and write the plan; -s: only if it is stale" },
	    "f:R:s", 0, NOTHING, do_plan },
	{ { "include", PEOPLE, "", "the path of nox.mk, for: include $(shell noxmk include)" },
	    "", 0, NOTHING, do_makefile },
	{ { "doctor", PEOPLE, "[--json]", "what keeps sessions from running, or could be better" },
	    "J", 0, NOTHING, do_doctor },
	{ { "completion", PEOPLE, COMPLETE_SHELLS, "what makes that shell complete our words" },
	    "", 1, NOTHING, do_completion },
	{ { "help", PEOPLE, "[COMMAND]", "this text" }, "", 0, NOTHING, do_help },
	{ { "graph", MAKEFILES, "[-d FOLDER] -f MAKEFILE [-i INPUTS] -- MAKE ...",
	    "ask MAKE what makefiles say of our targets; write own.mk" },
	    "d:f:i:", 1, STATE, do_graph },
	{ { "unmade", MAKEFILES,
	    "[-d FOLDER] -f MAKEFILE [-i NOXFILE] [-R MAKEFILES] GOAL ... -- MAKE ...",
	    "write down which goals MAKE would call done without their session, or exit 1" },
	    "d:f:i:R:", 1, NOTHING, do_unmade },
	{ { "order", MAKEFILES, "[-r MAKE] [GOAL ...]", "write order.mk for these goals" },
	    "r:", 0, PLAN, do_order },
	{ { "mend", MAKEFILES, "",
	    "remove what is none of our files from the state folder; or say \"unsound\"" },
	    "", 0, STATE, do_mend },
	{ { "begin", MAKEFILES, "-r MAKE",
	    "check what the user of that make asks for; begin its run" },
	    "r:", 0, STATE, do_begin },
	{ { "run", MAKEFILES, "[-c CUE] [-p TARGETS] -r MAKE TARGET", "run one session" },
	    "c:p:r:", 1, NOTHING, do_run },
	{ { "end", MAKEFILES, "[-r MAKE] [GOAL ...] [-- COMMAND ...]",
	    "run notified sessions by COMMAND, a make; print the summary" },
	    "r:", 0, RUN, do_end },
	{ { "verdict", MAKEFILES, "[-r MAKE] GOAL ...",
	    "exit 1 unless the sessions of all the goals are well" },
	    "r:", 1, RUN, do_verdict },
	{ { "submake", MAKEFILES, "MAKE [ARGUMENT ...]",
	    "run that make under the jobserver of the session around it" },
	    NULL, 1, NOTHING, do_submake },
	{ { "complete", MAKEFILES, "[WORD ...]",
	    "what the last of these words behind noxmk may become, for a shell" },
	    NULL, 0, NOTHING, do_complete },
};

static const struct usage *
usage_of(size_t i)
{
	return i < countof(commands) ? &commands[i].usage : NULL;
}

/* Exits after a message if there is none of that name. */
static const struct command_entry *
find_command(const char *name)
{
	for (size_t i = 0; name && i < countof(commands); i++)
		if (!strcmp(name, commands[i].usage.name))
			return &commands[i];
	usage_unknown(usage_of, name);
}

static int
do_complete(UNUSED const struct place *place)
{
	return complete_words(usage_of, options.words);
}

static int
do_help(UNUSED const struct place *place)
{
	if (*options.words)
		usage_print_one(stdout, &find_command(*options.words)->usage);
	else
		usage_print(usage_of);
	return 0;
}

static noreturn void
usage(const struct command_entry *command)
{
	usage_print_one(stderr, &command->usage);
	exit(EXIT_USAGE);
}

static void
set_option(int letter, const struct command_entry *command)
{
	const struct option_entry *entry = option_entries;
	const char *known = strchr(command->options, letter), *bad = NULL;

	if (letter == 'h') {
		usage_print_one(stdout, &command->usage);
		exit(0);
	}
	/* A long option is known to all subcommands. */
	if (!known || (known[1] == ':') != (optarg != NULL))
		usage(command);
	while (entry->letter != letter || !entry->flag != (optarg != NULL))
		if (++entry == option_entries + countof(option_entries))
			usage(command);
	if (entry->text)
		*entry->text = optarg;
	if (entry->flag)
		*entry->flag = true;
	if (entry->number)
		*entry->number = (unsigned)strtonum(optarg, 1, entry->most, &bad);
	if (bad)
		errx(EXIT_USAGE, "-%c %s: the number is %s", letter, optarg, bad);
}

/* The subcommand's own. What follows them are the options.words. */
static void
read_options(const struct command_entry *command, int argc, char *argv[])
{
	char letters[16];
	int option;

	argv[0] = program_invocation_short_name; /* for getopt's messages */
	optind = 1;
	if (command->options) {
		/* 0 is glibc's way to start afresh; the leading + stops at the first operand. */
		optind = 0;
		snprintf(letters, sizeof(letters), "+h%s", command->options);
		while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
			if (option == '?')
				usage_suggest(argv[optind - 1], long_options);
			set_option(option, command);
		}
	}
	options.words = argv + optind;
	if (argc - optind < command->least)
		usage(command);
}

int
main(int argc, char *argv[])
{
	const struct command_entry *command;
	struct place place;
	int result = EXIT_HELPER;

	/* Sessions find us as make and gmake: toolenv.h. */
	if (!strcmp(program_invocation_short_name, "make") ||
	    !strcmp(program_invocation_short_name, "gmake"))
		return submake_exec(argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log beyond the file size limit is an error, not our death */
	signal(SIGUSR1, SIG_IGN); /* it asks helpers what runs; where it is blocked it comes */
	/* What the streams are can be told before they are opened anew. */
	jobserver_leave_streams();
	fd_open_streams();
	place_read_options(argc, argv, usage_of);
	command = find_command(argv[optind]);
	read_options(command, argc - optind, argv + optind);
	options.share = process_installed("share/noxmk");
	if (place_open(&place, command->needs, options.key)) {
		result = command->run(&place);
		place_close(&place);
	}
	free(options.share);
	/* That a reader went away (`make ci | head`) is no failure. */
	if (fflush(stdout) != 0 && errno != EPIPE)
		err(EXIT_HELPER, "standard output");
	return result;
}
