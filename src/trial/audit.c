#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit/baseline.h"
#include "audit/gap.h"
#include "audit/kept.h"
#include "audit/lesson.h"
#include "audit/tell.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/spawn.h"
#include "state/rundir.h"
#include "state/state.h"
#include "trial/audit.h"
#include "trial/equivalence.h"
#include "trial/traced.h"

/* What may be asked for. */
struct audit_options {
	const char *from, *baseline, *explain, *share;
	bool fresh, check, writes_baseline, json, writes, all, equivalence;
	unsigned rules;
	char **targets; /* NULL-ended */
};

enum letter { BASELINE_FILE = 1, WRITE_BASELINE, FROM, FRESH, CHECK, JSON, EXPLAIN, WRITE, ALL,
	NO_RULE, EQUIVALENCE, HELP = 'h' };

const struct usage_option audit_letters[] = {
	{ "all", ALL, NULL, "what is harmless, too, with the rule that says so" },
	{ "baseline", BASELINE_FILE, "file", "the baseline, instead of " BASELINE },
	{ "check", CHECK, NULL, "exit 1 on a conflict that is not in the baseline" },
	{ "equivalence", EQUIVALENCE, NULL, "try what depends on the sessions' order or company" },
	{ "explain", EXPLAIN, "path", "run nothing: what sessions have done at that path" },
	{ "fresh", FRESH, NULL, "forget the traces of earlier audits first" },
	{ "from", FROM, "run", "run nothing: only the traces of that run" },
	{ "json", JSON, NULL, "one JSON object, for programs" },
	{ "no-rule", NO_RULE, "name", "as if there were no such rule" },
	{ "write", WRITE, NULL, "add the lines that help to pyproject.toml" },
	{ "write-baseline", WRITE_BASELINE, NULL, "write what there is now into the baseline" },
	{ 0 },
};

static void
switch_off(struct audit_options *options, const char *name)
{
	enum noise rule = noise_of(name);
	struct strings names = { 0 };
	const char *meant;

	if (rule == NOISES) {
		noise_add_names(&names);
		meant = nearest(name, &names);
		errx(EXIT_USAGE, "audit: --no-rule %s: there is no such rule%s%s%s", name,
		    meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
	}
	options->rules &= ~NOISE_SET(rule);
}

static void
set_option(struct audit_options *options, int letter, const struct usage *usage)
{
	switch (letter) {
	case BASELINE_FILE: options->baseline = optarg; break;
	case WRITE_BASELINE: options->writes_baseline = true; break;
	case FROM: options->from = optarg; break;
	case FRESH: options->fresh = true; break;
	case CHECK: options->check = true; break;
	case JSON: options->json = true; break;
	case EXPLAIN: options->explain = optarg; break;
	case WRITE: options->writes = true; break;
	case ALL: options->all = true; break;
	case NO_RULE: switch_off(options, optarg); break;
	case EQUIVALENCE: options->equivalence = true; break;
	case HELP:
		usage_print_one(stdout, usage);
		usage_print_options(audit_letters);
		exit(0);
	default:
		usage_print_one(stderr, usage);
		exit(EXIT_USAGE);
	}
}

static struct audit_options
read_options(char **words, const struct usage *usage)
{
	struct audit_options options = { .rules = NOISE_SET(NOISES) - 1, .baseline = BASELINE };
	struct option *letters = usage_letters(audit_letters);
	char **argv = words - 1;
	int letter, argc = 1;

	while (argv[argc])
		argc++;
	argv[0] = program_invocation_short_name; /* for getopt's messages */
	optind = 0; /* glibc's way to start afresh */
	while ((letter = getopt_long(argc, argv, "h", letters, NULL)) != -1) {
		if (letter == '?')
			usage_suggest(argv[optind - 1], letters);
		set_option(&options, letter, usage);
	}
	free(letters);
	options.targets = argv + optind;
	if (options.equivalence && (options.from || options.explain || options.check ||
		options.writes || options.writes_baseline || options.fresh || options.all ||
		options.rules != NOISE_SET(NOISES) - 1 || strcmp(options.baseline, BASELINE) != 0))
		errx(EXIT_USAGE, "audit: of the other options only --json goes with "
		    "--equivalence");
	if (options.from && *options.targets)
		errx(EXIT_USAGE, "audit: --from runs nothing, so %s is one word too many",
		    *options.targets);
	return options;
}

/* Runs the sessions: a descriptor of their run, or -1, and an exit code, after a warning. */
static int
trace_run(const struct audit_options *options, int state, bool *failed, int *result)
{
	struct traced traced = { .share = options->share, .targets = options->targets,
		.to_errors = options->json };
	int rundir = traced_run(&traced, state);

	/* What ends us has ended the make. */
	if (traced.stop)
		raise(traced.stop);
	*failed = traced.code != 0;
	if (traced.no_target)
		*result = 1;
	else if (rundir < 0)
		warnx("audit: nothing has run, so there is nothing to look at");
	return rundir;
}

/* A descriptor from which that text is read, or -1 with errno set. */
static int
text_file(const char *text)
{
	int file = memfd_create("noxmk", MFD_CLOEXEC);

	if (file >= 0 && (fd_write_all(file, text, strlen(text)) < 0 ||
		lseek(file, 0, SEEK_SET) < 0))
		fd_close(&file);
	return file;
}

/* By a program in Python, which keeps the layout of the file. 0, or -1 after its own words. */
static int
write_lines(const struct audit_options *options, const struct planfile *plan,
    const struct analysis *a)
{
	const char *python = json_text(planfile_header(plan), "python");
	char *text = json_dumps(a->remedies, JSON_COMPACT);
	char *program = xasprintf("%s/configure.py", options->share);
	char *argv[] = { (char *)(*python ? python : "python3"), program, NULL };
	int code, file = text_file(text);
	pid_t pid = -1;

	fflush(stdout);
	/* Not as a word: the lines of many sessions are longer than one may be. */
	if (file >= 0)
		pid = spawn_with(argv, environ, &(struct spawn_files){ file, STDOUT_FILENO,
		    STDERR_FILENO, -1 });
	if (pid < 0)
		warn("%s", argv[0]);
	code = pid < 0 ? -1 : spawn_wait(pid);
	fd_close(&file);
	free(program);
	free(text);
	return code == 0 ? 0 : -1;
}

/* 0, or -1 after a warning. */
static int
write_baseline(const struct audit_options *options, const struct analysis *a)
{
	size_t n = tell_count(a, LEVEL_CONFLICT, NULL) + tell_count(a, LEVEL_LIKELY, NULL);

	if (baseline_write(options->baseline, a) < 0)
		return -1;
	/* Nothing but the object is for the program that reads this. */
	fprintf(options->json ? stderr : stdout, "noxmk: %s has %zu hazard%s: commit it, and "
	    "--check fails by others only\n", options->baseline, n, n == 1 ? "" : "s");
	return 0;
}

/* An exit code. */
static int
tell(const struct audit_options *options, const struct planfile *plan, const struct analysis *a)
{
	json_t *known = baseline_read(options->baseline);
	struct tell_options tells = { .all = options->all, .known = known };
	int result = 0;

	if (!known)
		return EXIT_USAGE;
	if (options->explain) {
		if (!tell_explain(a, options->explain)) {
			warnx("audit: no session has touched %s", options->explain);
			result = 1;
		}
	} else if (options->json) {
		tell_print_json(a, &tells);
	} else {
		tell_print(a, &tells);
	}
	if (options->check && (tell_count(a, LEVEL_CONFLICT, known) > 0 || gap_any(a)))
		result = 1;
	if (options->writes_baseline && write_baseline(options, a) < 0)
		result = EXIT_HELPER;
	if (options->writes && json_object_size(a->remedies) > 0 &&
	    write_lines(options, plan, a) < 0)
		result = 1;
	json_decref(known);
	return result;
}

/* rundir: -1: nothing but what is kept. */
static int
analyse(const struct audit_options *options, int state, int rundir)
{
	struct planfile *plan = planfile_open(rundir < 0 ? state : rundir);
	struct analysis_source source = { .state = state, .rundir = rundir,
		.keeps = !options->from, .stores = !options->from, .wants_all = true,
		.rules = options->rules };
	struct analysis analysis = { 0 };
	int result = EXIT_HELPER;

	if (plan && analysis_make(&analysis, plan, &source) == 0) {
		result = tell(options, plan, &analysis);
		/* --explain has seen nothing new. */
		if (source.stores && rundir >= 0)
			lesson_of_audit(&analysis, plan, state);
	}
	analysis_clear(&analysis);
	planfile_close(plan);
	return result;
}

int
audit_run(char **words, const char *share, const struct usage *usage)
{
	struct audit_options options = read_options(words, usage);
	int state, rundir = -1, result = EXIT_HELPER;
	bool failed = false;

	options.share = share;
	if (options.equivalence)
		return equivalence_run(&(struct equivalence){ .share = share,
		    .targets = options.targets, .json = options.json });
	state = options.from ? state_open() : state_make();
	if (state < 0)
		return EXIT_HELPER;
	if (options.fresh) {
		kept_forget(state);
		lesson_forget(state);
	}
	if (options.from) {
		rundir = rundir_select(state, options.from);
		result = 1; /* as of `noxmk report`, if there is no such run */
	} else if (!options.explain)
		rundir = trace_run(&options, state, &failed, &result);
	if (rundir >= 0 || options.explain)
		result = analyse(&options, state, rundir);
	if (failed && result == 0) {
		warnx("audit: a session has failed: what it would have done after that was not "
		      "seen");
		result = options.check ? 1 : 0;
	}
	fd_close(&rundir);
	fd_close(&state);
	return result;
}
