/*
 * noxmk: the helper behind nox.mk. This file knows the options and subcommands; the work of each is
 * in the module that it calls. See noxmk(1).
 */

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/keeper.h"
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
#include "front/letters.h"
#include "front/usage.h"
#include "machines.h"
#include "makefile/own.h"
#include "makefile/unmade.h"
#include "nox/planning.h"
#include "order/order.h"
#include "output/screen.h"
#include "place.h"
#include "report/bench.h"
#include "report/compare.h"
#include "report/list.h"
#include "report/logs.h"
#include "report/newest.h"
#include "report/past.h"
#include "report/report.h"
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
#include "state/state.h"
#include "trace/tracer.h"
#include "trial/audit.h"

/* The options of all subcommands; the table of those says which takes which. */
static struct {
	const char *noxfile, *inputs, *reserved, *key, *cue, *needs, *folder, *ci, *format, *out;
	char *share, **words; /* words: the operands, NULL-ended */
	unsigned jobs, rounds, shards;
	bool json, raw, watch, only_if_stale, dry_run, follow, recheck;
	const struct usage *usage;
} options = { .inputs = "", .needs = "", .folder = ".", .rounds = 3 };

static const struct option_entry option_entries[] = {
	{ 'c', .text = &options.cue }, { 'd', .text = &options.folder },
	{ 'f', .text = &options.noxfile }, { 'I', .text = &options.ci },
	{ 'i', .text = &options.inputs }, { 'o', .text = &options.out },
	{ 'm', &options.format, .word = "md" }, { 't', &options.format, .word = "trace" },
	{ 'u', &options.format, .word = "junit" }, { 'S', &options.format, .word = "schema" },
	{ 'v', &options.format, .word = "svg" }, { 'H', &options.format, .word = "html" },
	{ 'p', .text = &options.needs }, { 'r', .text = &options.key },
	{ 'R', .text = &options.reserved }, { 'D', .flag = &options.dry_run },
	{ 'J', .flag = &options.json }, { 'w', .flag = &options.watch },
	{ 'f', .flag = &options.follow }, { 'W', .flag = &options.raw },
	{ 's', .flag = &options.only_if_stale }, { 'x', .flag = &options.recheck },
	{ 'j', .number = &options.jobs, .most = 1000000 },
	{ 'n', .number = &options.rounds, .most = 1000 },
	{ 'N', .number = &options.shards, .most = INIT_SHARDS },
};

static const struct option long_options[] = {
	{ "shards", required_argument, NULL, 'N' }, { "out", required_argument, NULL, 'o' },
	{ "ci", required_argument, NULL, 'I' }, { "dry-run", no_argument, NULL, 'D' },
	{ "follow", no_argument, NULL, 'f' }, { "schema", no_argument, NULL, 'S' },
	{ "trace", no_argument, NULL, 't' }, { "junit", no_argument, NULL, 'u' },
	{ "watch", no_argument, NULL, 'w' }, { "json", no_argument, NULL, 'J' },
	{ "html", no_argument, NULL, 'H' }, { "help", no_argument, NULL, 'h' },
	{ "svg", no_argument, NULL, 'v' }, { "raw", no_argument, NULL, 'W' },
	{ "md", no_argument, NULL, 'm' }, { 0 },
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

/* Those that make has written for the helper `what`, or the user. NULL after a warning. */
static json_t *
goals_for(const struct place *place, const char *what, json_t **settings)
{
	*settings = NULL;
	if (!options.key)
		return place_goals(options.words);
	*settings = request_take(place->state, what, options.key);
	return *settings ? request_goals(*settings) : NULL;
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
		.jobs = request->knobs.jobs, .recheck = request->knobs.recheck,
		.reports = request->knobs.reports, .watch = request->knobs.watch,
		.share = request->knobs.no_status ? NULL : options.share };
}

static int
do_unmade(UNUSED const struct place *place)
{
	struct unmade_options unmade = { .make = place_cut_make(&options.words),
		.folder = options.folder, .makefile = options.noxfile, .files = options.reserved,
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
	char **make = place_cut_make(&options.words);
	json_t *goals;
	struct end end;
	int result;

	if (request_read(place->rundir, &request) < 0)
		return EXIT_HELPER;
	goals = place_words(options.words);
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
		end_clear_up(place->state, options.key, place->rundir);
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

	if (place_open(&place, RUN, options.key, NULL)) {
		end = end_of(&place, request, NULL);
		end_interrupted(&end);
		if (options.key)
			end_clear_up(place.state, options.key, place.rundir);
		place_close(&place);
	}
}

static int
do_run(UNUSED const struct place *place)
{
	struct request request = { 0 };
	struct run_options run = { .share = options.share, .key = options.key,
		.cue = options.cue, .needs = options.needs, .target = *options.words,
		.knobs = &request.knobs, .recheck = options.recheck,
		.notified = getenv("NOXMK_RUN") != NULL };
	bool interrupted;
	int result;

	if (!options.key)
		errx(EXIT_USAGE, "run: -r MAKE is missing; `make TARGET` knows its make");
	if (join_request(options.key, &request) < 0)
		return EXIT_HELPER;
	strings_add(&request.posargs, NULL);
	run.posargs = (char *const *)request.posargs.v;
	if (request.knobs.watch)
		tracer_want();
	run.keep = request.knobs.keep;
	run.jobs = request.knobs.jobs > 0 ? request.knobs.jobs : request.processors;
	run.processors = request.processors;
	run.sessions = request.sessions;
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
	planning_warn_stale(place->state);
	(options.json ? list_print_json : list_print)(place->plan);
	return 0;
}

static int
do_show(const struct place *place)
{
	json_t *settings, *goals = goals_for(place, "show", &settings);
	int result = EXIT_HELPER;

	planning_warn_stale(place->state);
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
	int state = place->state;

	return newest_print(&(struct newest){ .state = state, .run = options.key,
	    .suffix = ".json", .awaits = true, .print = why_print, .data = &state },
	    options.words);
}

static int
do_report(UNUSED const struct place *place)
{
	if (options.json && options.format)
		errx(EXIT_USAGE, "report: --json or --%s? One of them at a time", options.format);
	return report_print(&(struct report_options){ .run = *options.words,
	    .format = options.json ? "json" : options.format, .out = options.out,
	    .share = options.share }) < 0 ? 1 : 0;
}

static int
do_history(const struct place *place)
{
	return past_print(place->state, *options.words, options.json) < 0 ? 1 : 0;
}

static int
do_compare(UNUSED const struct place *place)
{
	return compare_print(options.words[0], options.words[1], options.json) < 0 ? 1 : 0;
}

static int
do_savings(const struct place *place)
{
	return savings_print(place->state) < 0 ? EXIT_HELPER : 0;
}

static int
do_bench(UNUSED const struct place *place)
{
	json_t *goals = place_words(options.words);
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
	struct init_options init = { .ci = options.ci, .dry_run = options.dry_run,
		.shards = options.shards };

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

/* Those that read their options themselves. */
static const struct reader {
	const char *name;
	int (*run)(char **words, const char *share, const struct usage *);
	const struct usage_option *options;
} readers[] = {
	{ "audit", audit_run, audit_letters }, { "matrix", matrix_run, matrix_letters },
	{ "merge", merge_run, merge_letters }, { "shard", shard_run, NULL },
};

static int
do_reader(UNUSED const struct place *place)
{
	size_t i = 0;

	while (strcmp(readers[i].name, options.usage->name) != 0)
		i++;
	return readers[i].run(options.words, options.share, options.usage);
}

static int do_complete(const struct place *), do_help(const struct place *);

static const struct command_entry {
	struct usage usage;
	struct operands operands;
	enum needs needs;
	int (*run)(const struct place *);
} commands[] = {
	{ { "make", PEOPLE, "[WORD ...]", "run make on this folder's sessions, with these words" },
	    { NULL, 0, MANY }, NOTHING, do_make },
	{ { "init", PEOPLE, "[--ci " FORGE_NAMES "|none] [--shards N] [--dry-run]",
	    "set this project up: a makefile, a CI workflow" },
	    { "DI:N:", 0, MANY }, NOTHING, do_init },
	{ { "list", PEOPLE, "[--json]", "targets and descriptions" },
	    { "J", 0, 0 }, ANY_PLAN, do_list },
	{ { "show", PEOPLE, "[-r MAKE] [GOAL ...]",
	    "what would run, in which order, without -j; with it: make -n -j4 ci" },
	    { "r:", 0, MANY }, ANY_PLAN, do_show },
	{ { "log", PEOPLE, "[-f] [-r RUN] [--raw] [TARGET ...]",
	    "the last log of each, as it grows with -f; or those of what failed in the last run" },
	    { "fr:W", 0, MANY }, STATE, do_log },
	{ { "status", PEOPLE, "[--watch]", "what runs now, and what waits for what" },
	    { "w", 0, 0 }, STATE, do_status },
	{ { "why", PEOPLE, "[-r RUN] TARGET ...", "what each waited for in its last run" },
	    { "r:", 1, MANY }, STATE, do_why },
	{ { "report", PEOPLE, "[--html] [--json] [--junit] [--md] [--svg] [--trace] [--schema] "
	    "[--out FILE] [RUN]",
	    "a run explained: its sessions, its critical path, where the time went" },
	    { "HJmo:tSuv", 0, 1 }, NOTHING, do_report },
	{ { "history", PEOPLE, "[--json] TARGET", "its last runs, and since when it is slower" },
	    { "J", 1, 1 }, STATE, do_history },
	{ { "compare", PEOPLE, "[--json] RUN RUN", "the sessions of two runs side by side" },
	    { "J", 2, 2 }, NOTHING, do_compare },
	{ { "savings", PEOPLE, "", "what running sessions at once has saved so far" },
	    { "", 0, 0 }, STATE, do_savings },
	{ { "audit", PEOPLE, "[OPTION ...] [TARGET ...]",
	    "find out which sessions must not run at the same time" },
	    { NULL, 0, MANY }, NOTHING, do_reader },
	{ { "matrix", PEOPLE, "--shards N|--within TIME [OPTION ...] [GOAL ...]",
	    "divide the sessions among several machines, for a CI's job matrix" },
	    { NULL, 0, MANY }, NOTHING, do_reader },
	{ { "merge", PEOPLE, "[--expect N] [--matrix FILE] [--report REPORTS] FOLDER ...",
	    "make one run of what several machines have done" },
	    { NULL, 0, MANY }, NOTHING, do_reader },
	{ { "bench", PEOPLE, "[-f NOXFILE] [-j JOBS] [-n ROUNDS] [GOAL ...]",
	    "measure make against nox on these goals, or ci" },
	    { "f:j:n:", 0, MANY }, NOTHING, do_bench },
	{ { "plan", PEOPLE, "[-s] [-f NOXFILE] [-R NAMES] [--] [NOX ...]",
	    "ask nox what the noxfile says, and write the plan; -s: only if it is stale" },
	    { "+f:R:s", 0, MANY }, NOTHING, do_plan },
	{ { "include", PEOPLE, "", "the path of nox.mk, for: include $(shell noxmk include)" },
	    { "", 0, 0 }, NOTHING, do_makefile },
	{ { "doctor", PEOPLE, "[--json]", "what keeps sessions from running, or could be better" },
	    { "J", 0, 0 }, NOTHING, do_doctor },
	{ { "completion", PEOPLE, COMPLETE_SHELLS, "what makes that shell complete our words" },
	    { "", 1, 1 }, NOTHING, do_completion },
	{ { "help", PEOPLE, "[COMMAND]", "this text" }, { "", 0, 1 }, NOTHING, do_help },
	{ { "graph", MAKEFILES, "[-d FOLDER] -f MAKEFILE [-i INPUTS] -- MAKE ...",
	    "ask MAKE what makefiles say of our targets; write own.mk" },
	    { "+d:f:i:", 1, MANY }, STATE, do_graph },
	{ { "unmade", MAKEFILES,
	    "[-d FOLDER] -f MAKEFILE [-i NOXFILE] [-R MAKEFILES] GOAL ... -- MAKE ...",
	    "write down which goals MAKE would call done without their session, or exit 1" },
	    { "+d:f:i:R:", 1, MANY }, NOTHING, do_unmade },
	{ { "order", MAKEFILES, "[-r MAKE] [GOAL ...]", "write order.mk for these goals" },
	    { "+r:", 0, MANY }, PLAN, do_order },
	{ { "mend", MAKEFILES, "",
	    "remove what is none of our files from the state folder; or say \"unsound\"" },
	    { "+", 0, MANY }, STATE, do_mend },
	{ { "begin", MAKEFILES, "-r MAKE",
	    "check what the user of that make asks for; begin its run" },
	    { "+r:", 0, MANY }, STATE, do_begin },
	{ { "run", MAKEFILES, "[-c CUE] [-p TARGETS] [-x] -r MAKE TARGET",
	    "run one session; -x: once more, since it failed" },
	    { "+c:p:r:x", 1, MANY }, NOTHING, do_run },
	{ { "end", MAKEFILES, "[-r MAKE] [GOAL ...] [-- COMMAND ...]",
	    "run notified sessions by COMMAND, a make; print the summary" },
	    { "+r:", 0, MANY }, RUN, do_end },
	{ { "verdict", MAKEFILES, "[-r MAKE] GOAL ...",
	    "exit 1 unless the sessions of all the goals are well" },
	    { "+r:", 1, MANY }, RUN, do_verdict },
	{ { "shard", MAKEFILES, "K/N[@HASH] [GOAL ...]", "which sessions are of that machine" },
	    { NULL, 0, MANY }, NOTHING, do_reader },
	{ { "submake", MAKEFILES, "MAKE [ARGUMENT ...]",
	    "run that make under the jobserver of the session around it" },
	    { NULL, 1, MANY }, NOTHING, do_submake },
	{ { "complete", MAKEFILES, "[WORD ...]",
	    "what the last of these words behind noxmk may become, for a shell" },
	    { NULL, 0, MANY }, NOTHING, do_complete },
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
	for (size_t i = 0; *options.words && i < countof(readers); i++)
		if (readers[i].options && !strcmp(readers[i].name, *options.words))
			usage_print_options(readers[i].options);
	return 0;
}

/* The subcommand's own. What follows them are the options.words. */
static void
read_options(const struct command_entry *command, int argc, char *argv[])
{
	struct letters letters = { option_entries, countof(option_entries), long_options };

	options.usage = &command->usage;
	options.words = letters_read(&letters, &command->usage, &command->operands, argc, argv);
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
	if (!strcmp(program_invocation_short_name, PROCESS_LENT) && argc == 3)
		keeper_lend((pid_t)strtol(argv[1], NULL, 10));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log beyond the file size limit is an error, not our death */
	signal(SIGUSR1, SIG_IGN); /* it asks helpers what runs; where it is blocked it comes */
	jobserver_leave_streams(); /* what they are can be told before they are opened anew */
	fd_open_streams();
	place_read_options(argc, argv, usage_of);
	command = find_command(argv[optind]);
	read_options(command, argc - optind, argv + optind);
	options.share = process_installed("share/noxmk");
	if (place_open(&place, command->needs, options.key, options.share)) {
		result = command->run(&place);
		place_close(&place);
	}
	free(options.share);
	/* That a reader went away (`make ci | head`) is no failure. */
	if (fflush(stdout) != 0 && errno != EPIPE)
		err(EXIT_HELPER, "standard output");
	return result;
}
