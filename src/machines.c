#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/quantity.h"
#include "machines.h"
#include "makefile/own.h"
#include "nox/planning.h"
#include "place.h"
#include "shard/matrix.h"
#include "shard/merge.h"
#include "state/knob.h"

enum letter { SHARDS = 1, WITHIN, MACHINE_COST, FORMAT, JSON, RUNS_ON, INCLUDE, EXPECT, MATRIX,
	REPORT, HELP = 'h' };

const struct usage_option merge_letters[] = {
	{ "expect", EXPECT, "n", "so many machines are to have sent their run" },
	{ "matrix", MATRIX, "file", "these: what `noxmk matrix --json` has printed" },
	{ "report", REPORT, "reports", "write these reports, as NOXMK_REPORT" },
	{ 0 },
};

const struct usage_option matrix_letters[] = {
	{ "shards", SHARDS, "n", "so many machines" },
	{ "within", WITHIN, "time", "as many machines as that takes: 90, 40s or 5m" },
	{ "format", FORMAT, "format", "table, json or gitlab" },
	{ "include", INCLUDE, "file", "where GitLab finds .shard" },
	{ "json", JSON, NULL, "as --format json" },
	{ "machine-cost", MACHINE_COST, "time", "what each machine takes besides" },
	{ "runs-on", RUNS_ON, "label", "the machines for sessions that name none" },
	{ 0 },
};

/* What may be asked for. */
struct matrix_options {
	size_t shards;     /* 0: not said */
	double within;     /* seconds; 0: not said */
	double cost;       /* seconds; -1: not said */
	enum matrix_format format;
	const char *runs_on, *include;
	char **goals;      /* NULL-ended */
};

static double
duration_of(const char *option)
{
	double seconds = 0;

	if (!quantity_read_duration(optarg, &seconds))
		errx(EXIT_USAGE, "matrix: --%s %s: a duration is 90, 40s or 5m", option, optarg);
	return seconds;
}

static size_t
count_of(const char *option)
{
	const char *bad = NULL;
	long long n = strtonum(optarg, 1, SHARDS_MOST, &bad);

	if (bad)
		errx(EXIT_USAGE, "--%s %s: the number is %s", option, optarg, bad);
	return (size_t)n;
}

static enum matrix_format
format_of(const char *name)
{
	static const char *const names[] = { [MATRIX_TABLE] = "table", [MATRIX_JSON] = "json",
		[MATRIX_GITLAB] = "gitlab" };

	for (size_t i = 0; i < countof(names); i++)
		if (!strcmp(names[i], name))
			return (enum matrix_format)i;
	errx(EXIT_USAGE, "matrix: --format %s: it takes json, gitlab or table", name);
}

/* What is printed is read as JSON or YAML, or by a shell: a label has no character of theirs. */
static const char *
plain_word(const char *option)
{
	if (!*optarg || optarg[strspn(optarg, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-")])
		errx(EXIT_USAGE, "matrix: --%s takes letters, digits and . _ / -", option);
	return optarg;
}

static void
set_option(struct matrix_options *options, int letter)
{
	switch (letter) {
	case SHARDS: options->shards = count_of("shards"); break;
	case WITHIN: options->within = duration_of("within"); break;
	case MACHINE_COST: options->cost = duration_of("machine-cost"); break;
	case FORMAT: options->format = format_of(optarg); break;
	case JSON: options->format = MATRIX_JSON; break;
	case RUNS_ON: options->runs_on = plain_word("runs-on"); break;
	case INCLUDE: options->include = plain_word("include"); break;
	}
}

/*
 * The next option of words that stand behind their subcommand's name; -1: there is none, and *words
 * are what follows. Wrong ones end us, and --help.
 */
static int
next_option(char ***words, const struct usage_option *options, const struct usage *usage,
    bool first)
{
	struct option *letters = usage_letters(options);
	char **argv = *words - 1;
	int letter, argc = 1;

	while (argv[argc])
		argc++;
	argv[0] = program_invocation_short_name; /* for getopt's messages */
	if (first)
		optind = 0; /* glibc's way to start afresh */
	letter = getopt_long(argc, argv, "h", letters, NULL);
	if (letter == HELP) {
		usage_print_one(stdout, usage);
		usage_print_options(options);
		exit(0);
	}
	if (letter == '?') {
		usage_suggest(argv[optind - 1], letters);
		usage_print_one(stderr, usage);
		exit(EXIT_USAGE);
	}
	free(letters);
	if (letter < 0)
		*words = argv + optind;
	return letter;
}

static struct matrix_options
read_options(char **words, const struct usage *usage)
{
	struct matrix_options options = { .cost = -1, .runs_on = "ubuntu-latest",
		.include = ".gitlab/shard.yml" };
	int letter;

	for (bool first = true;
	     (letter = next_option(&words, matrix_letters, usage, first)) != -1; first = false)
		set_option(&options, letter);
	options.goals = words;
	if ((options.shards > 0) == (options.within > 0))
		errx(EXIT_USAGE, options.shards > 0 ? "matrix: --shards and --within are given: "
		    "one of them says how many machines" : "matrix: how many machines? --shards 4, "
		    "or --within 5m for as many as that takes");
	return options;
}

/* The sessions of these goals, or of ci: target -> line. NULL after a warning. */
static json_t *
active_of(const struct place *place, char **words)
{
	json_t *goals = place_goals(words), *active = json_object();

	own_apply(place->state, place->plan, goals);
	if (planfile_expand(place->plan, goals, active, true) < 0) {
		json_decref(active);
		active = NULL;
	}
	json_decref(goals);
	return active;
}

static int
print_matrix(const struct place *place, const struct matrix_options *options)
{
	json_t *active = active_of(place, options->goals);
	struct history *history;
	struct matrix matrix;
	struct shards *shards;
	double cost = options->cost;
	int result = 1;

	if (!active)
		return EXIT_USAGE;
	history = history_load(place->state);
	if (cost < 0)
		cost = history_machine(history).seconds;
	matrix = (struct matrix){ .history = history, .cost = cost > 0 ? cost : 0,
		.learned = options->cost < 0 && cost > 0, .runs_on = options->runs_on,
		.include = options->include };
	matrix.shards = shards = options->within > 0 ?
	    shards_within(active, history, options->within, matrix.cost) :
	    shards_new(active, history, options->shards);
	if (shards) {
		matrix_print(&matrix, options->format);
		result = 0;
	}
	shards_free(shards);
	history_free(history);
	json_decref(active);
	return result;
}

/* The state folder and its plan, which is made anew if it is stale. 0, or an exit code. */
static int
open_planned(struct place *place, const char *share)
{
	int result = planning_run(&(struct planning_options){ .share = share,
	    .only_if_stale = true });

	return result == 0 && !place_open(place, PLAN, NULL, NULL) ? EXIT_HELPER : result;
}

int
matrix_run(char **words, const char *share, const struct usage *usage)
{
	struct matrix_options options = read_options(words, usage);
	struct place place;
	int result = open_planned(&place, share);

	if (result != 0)
		return result;
	result = print_matrix(&place, &options);
	place_close(&place);
	return result;
}

/* A name, targets, and, unless somebody has left it out, which shard that is? */
static bool
is_shard(const json_t *entry)
{
	const json_t *shard = json_object_get(entry, "shard");
	const char *targets = json_text(entry, "targets");
	struct shard_choice choice;

	return *json_text(entry, "name") && targets[strspn(targets, " ")] &&
	       (!shard || (json_is_string(shard) &&
	       shard_choice_read(json_string_value(shard), &choice)));
}

/* What `noxmk matrix --json` has printed into that file. A new reference; what is none ends us. */
static json_t *
read_matrix(const char *name)
{
	struct buffer text = { 0 };
	json_t *matrix = NULL, *entry;
	size_t i;
	int result = file_read(AT_FDCWD, name, &text);

	if (result < 0)
		errx(EXIT_USAGE, "merge: --matrix %s: %s", name, file_why(errno));
	matrix = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
	if (!json_is_array(json_object_get(matrix, "include")))
		errx(EXIT_USAGE, "merge: --matrix %s: `noxmk matrix --json` has not written that",
		    name);
	json_array_foreach(json_object_get(matrix, "include"), i, entry)
		if (!is_shard(entry))
			errx(EXIT_USAGE, "merge: --matrix %s: include[%zu]: no shard with a name "
			    "and targets, as `noxmk matrix --json` writes them", name, i);
	buffer_free(&text);
	return matrix;
}

static void
set_reports(struct knobs *knobs)
{
	if (!knob_set(knobs, "NOXMK_REPORT", optarg))
		exit(EXIT_USAGE);
}

int
merge_run(char **words, const char *share, const struct usage *usage)
{
	struct knobs knobs = knobs_default();
	struct merge_options options = { 0 };
	json_t *matrix = NULL;
	struct place place;
	int letter, result;

	for (bool first = true;
	     (letter = next_option(&words, merge_letters, usage, first)) != -1; first = false)
		if (letter == EXPECT) {
			options.expect = count_of("expect");
		} else if (letter == REPORT) {
			set_reports(&knobs);
		} else {
			json_decref(matrix);
			matrix = read_matrix(optarg);
		}
	if (!*words)
		errx(EXIT_USAGE, "merge: which folders? Those of the machines' runs");
	result = open_planned(&place, share);
	if (result == 0) {
		options.state = place.state;
		options.plan = place.plan;
		options.folders = words;
		options.matrix = matrix;
		options.reports = knobs.reports;
		result = merge_folders(&options);
		place_close(&place);
	}
	json_decref(matrix);
	return result < 0 ? EXIT_HELPER : result;
}

/* 0, or 1 after a warning. */
static int
print_shard(const struct shards *shards, const struct shard_choice *choice)
{
	const char *target;
	json_t *line;

	if (*choice->hash && strcmp(choice->hash, shards->hash) != 0) {
		warnx("NOXMK_SHARD=%u/%u@%s: this machine divides the sessions otherwise (%s): its "
		      "history (NOXMK_HISTORY), its goals, its commit or its noxmk is not that of "
		      "`noxmk matrix`", choice->number, choice->of, choice->hash, shards->hash);
		return 1;
	}
	printf("yes");
	json_object_foreach(shards->v[choice->number - 1].sessions, target, line)
		printf(" %s", target);
	putchar('\n');
	return 0;
}

int
shard_run(char **words, UNUSED const char *share, const struct usage *usage)
{
	struct shard_choice choice;
	struct history *history;
	struct shards *shards;
	struct place place;
	json_t *active;
	int result = 1;

	if (!*words) {
		usage_print_one(stderr, usage);
		return EXIT_USAGE;
	}
	if (!shard_choice_read(*words, &choice)) {
		warnx("NOXMK_SHARD=%.60s: it takes 2/4, the second of four machines, or the word "
		      "of `noxmk matrix`", *words);
		return EXIT_USAGE;
	}
	if (!place_open(&place, PLAN, NULL, NULL))
		return EXIT_HELPER;
	active = active_of(&place, words + 1);
	history = history_load(place.state);
	shards = active ? shards_new(active, history, choice.of) : NULL;
	if (shards)
		result = print_shard(shards, &choice);
	shards_free(shards);
	history_free(history);
	json_decref(active);
	place_close(&place);
	return result;
}
