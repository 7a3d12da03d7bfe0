#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/sig.h"
#include "nox/env.h"
#include "nox/inputs.h"
#include "nox/listing.h"
#include "nox/names.h"
#include "nox/noxcall.h"
#include "nox/planning.h"
#include "nox/question.h"
#include "nox/scratch.h"
#include "order/order.h"
#include "output/screen.h"
#include "plan/config.h"
#include "plan/hazards.h"
#include "plan/planfile.h"
#include "plan/planner.h"
#include "plan/rule.h"
#include "plan/secret.h"
#include "state/forkable.h"
#include "state/state.h"

/* The probe's exit codes when it does not know this nox, and when it has refused the command. */
enum { UNKNOWN_NOX = 97, REFUSED = 96 };

/* So often a plan is made that turns out to be older than the noxfile. */
enum { PLANNINGS = 3 };

/* Seconds in which another make has its plan. */
enum { LOCK_PATIENCE = 10 };

#define PLAN "plan.jsonl"
#define RULES "sessions.mk"
#define ORDER "order.mk"

/* See scratch.h. */
#define FACTS "facts.json"
#define PROBE "probe.py"

/*
 * Appends the `# /// script` block of the noxfile (PEP 723) to out. By the block in the file that
 * it is given nox decides whether to run in an environment of the script's own, so the probe has to
 * have the same one.
 */
static void
copy_script_block(const char *source, struct buffer *out)
{
	static const char open[] = "# /// script", close[] = "# ///";
	const char *line = source, *end, *start = NULL;

	for (; *line; line = end) {
		size_t len = strcspn(line, "\r\n");

		end = line + len;
		end += *end == '\r';
		end += *end == '\n';
		if (!start && len >= sizeof(open) - 1 && !strncmp(line, open, sizeof(open) - 1) &&
		    strspn(line + sizeof(open) - 1, " \t") == len - (sizeof(open) - 1)) {
			start = line;
		} else if (start && len == sizeof(close) - 1 && !strncmp(line, close, len)) {
			buffer_add(out, start, (size_t)(end - start));
			return;
		} else if (start && *line != '#') {
			start = NULL;
		}
	}
}

/*
 * The path of the probe to run: the installed one, or a copy below the noxfile's script block. NULL
 * after a warning; the caller frees.
 */
static char *
prepare_probe(const struct question *question)
{
	char *installed = xasprintf("%s/probe.py", question->share);
	struct buffer noxfile = { 0 }, probe = { 0 };
	char *chosen = NULL;

	/* nox itself complains about a noxfile that cannot be read. */
	if (file_read(AT_FDCWD, question->noxfile, &noxfile) == 0)
		copy_script_block(noxfile.data, &probe);
	if (probe.len == 0) {
		chosen = installed;
		installed = NULL;
	} else if (file_read(AT_FDCWD, installed, &probe) < 0) {
		warn("%s", installed);
	} else {
		char *copy = xasprintf("%s/" PROBE, question->scratch);

		/* The command in NOX may go elsewhere, so the path is absolute. */
		if (file_replace(AT_FDCWD, copy, probe.data, probe.len) < 0 ||
		    !(chosen = realpath(copy, NULL)))
			warn("%s", copy);
		free(copy);
	}
	buffer_free(&noxfile);
	buffer_free(&probe);
	free(installed);
	return chosen;
}

/* Returns as nox_call does; after 0 the facts should be in that file. */
static int
run_probe(const struct question *question, const char *probe, const char *facts)
{
	const char *const arguments[] = { "-f", probe, "-l", NULL };
	char folder[PATH_MAX];
	struct strings extra = { 0 };
	char *variables[5];
	int code;

	if (!getcwd(folder, sizeof(folder))) {
		warn("the current folder");
		return -1;
	}
	/* When the plan is made once more, there are some. */
	unlink(facts);
	variables[0] = xasprintf("NOXMK_PROBE_NOXFILE=%s", question->noxfile);
	variables[1] = xasprintf("NOXMK_PROBE_OUT=%s/%s", *facts == '/' ? "" : folder, facts);
	variables[2] = xasprintf("NOXMK_PROBE_CWD=%s", folder);
	variables[3] = xasprintf("NOXMK_PROBE_SHARE=%s", question->share);
	variables[4] = xasprintf("NOXMK_PROBE_HELPER=%d", (int)getpid());
	for (size_t i = 0; i < countof(variables); i++)
		strings_add(&extra, variables[i]);
	/*
	 * Parameters that are made from a set should have the same names and order in the next
	 * plan. The noxfile itself does not see the variable.
	 */
	if (!getenv("PYTHONHASHSEED")) {
		strings_add(&extra, "PYTHONHASHSEED=0");
		strings_add(&extra, "NOXMK_PROBE_UNSET=PYTHONHASHSEED");
	}
	strings_add(&extra, NULL);
	code = nox_call(&question->nox, arguments, extra.v, STDERR_FILENO);
	for (size_t i = 0; i < countof(variables); i++)
		free(variables[i]);
	free(extra.v);
	return code;
}

static json_t *
read_facts(const char *path, const json_t *knobs)
{
	struct buffer text = { 0 };
	json_error_t error = { 0 };
	json_t *facts = NULL;

	if (access(path, F_OK) < 0) {
		warnx("NOX=%s has ended well and not run nox for the noxfile: is it a command that "
		      "does?", json_text(knobs, "NOX"));
		return NULL;
	}
	if (file_load(AT_FDCWD, path, &text) < 0)
		warnx("%s: %s", path, file_why(errno));
	else if (!(facts = json_loadb(text.data, text.len, 0, &error)))
		warnx("%s: %s: nox ended without telling about the noxfile", path, error.text);
	buffer_free(&text);
	return facts;
}

/*
 * The order of what `make ci` runs. A plan without one works, too: locks keep sessions apart. make
 * has read the old one by now, whose edges may be of claims that there are no more. It begins
 * afresh for the sake of the rules only, so these are dated anew with it.
 */
static void
write_order(int state)
{
	struct planfile *plan = planfile_open(state);
	json_t *goals = json_pack("[s]", "ci"), *active = json_object();
	struct stat before = { 0 }, after = { 0 };

	fstatat(state, ORDER, &before, 0);
	if (plan && planfile_expand(plan, goals, active, false) == 0)
		(void)!order_write(state, active, 0);
	if (fstatat(state, ORDER, &after, 0) == 0 && after.st_ino != before.st_ino)
		utimensat(state, RULES, NULL, AT_SYMLINK_NOFOLLOW);
	json_decref(active);
	json_decref(goals);
	planfile_close(plan);
}

static void
warn_notes(const char *noxfile, const json_t *notes)
{
	const json_t *note;
	size_t i;

	json_array_foreach(notes, i, note)
		warnx("%s: %s", noxfile, json_string_value(note));
}

/* We never write it into a file that others may read. */
static bool
is_secret(const struct secrets *secrets, const char *variable)
{
	return secrets_cover(secrets, variable) || secrets_are_likely(variable);
}

/* Secrets may be short-lived: what sets them is asked anew for each make. */
static bool
sets_secret(const struct secrets *secrets, const json_t *difference)
{
	json_t *set = json_object_get(difference, "set"), *value;
	const char *name;

	json_object_foreach(set, name, value)
		if (is_secret(secrets, name))
			return true;
	return false;
}

/* Nobody else may read what is written from now on; else it stays as it is. The umask before. */
static mode_t
hide_files(bool hide)
{
	mode_t before = umask(077);

	if (!hide)
		umask(before);
	return before;
}

/*
 * Replaces the file of the state folder unless it has these bytes already. is_secret: nobody else
 * may read it, whatever the mode of the folder.
 */
static int
replace(int state, const char *name, const struct buffer *text, bool is_secret, bool *replaced)
{
	struct buffer old = { 0 };
	int result = 0;

	if (file_load(state, name, &old) < 0 || old.len != text->len ||
	    memcmp(old.data, text->data, old.len) != 0) {
		mode_t before = hide_files(is_secret);

		*replaced = true;
		result = file_replace(state, name, text->data, text->len);
		umask(before);
	}
	if (result < 0)
		warn("%s/%s", state_path(), name);
	buffer_free(&old);
	return result;
}

/*
 * 0, or -1 after a warning. plan.jsonl comes first, since make starts what sessions.mk names. A
 * file that would be the same stays, so that make need not begin afresh.
 */
static int
write_plan(const struct question *question, const struct plan *plan, const json_t *environ,
    int state)
{
	const struct secrets secrets = { plan->mask, plan->unmask };
	struct planfile_nox nox = { .noxfile = question->noxfile, .command = &question->nox,
		.noxfile_date = question->noxfile_date, .environ = environ };
	struct buffer lines = { 0 }, rules = { 0 };
	bool replaced = false;
	int result = -1;

	if (!names_are_public(plan, question->noxfile))
		return -1;
	planfile_write(plan, &nox, &lines);
	rule_write(plan, &rules);
	if (replace(state, PLAN, &lines, sets_secret(&secrets, environ), &replaced) == 0 &&
	    replace(state, RULES, &rules, false, &replaced) == 0)
		result = 0;
	if (result == 0 && replaced) {
		write_order(state);
		warn_notes(question->noxfile, plan->notes);
	}
	buffer_free(&lines);
	buffer_free(&rules);
	return result;
}

/* Only the probe reads TOML. */
static void
warn_unread_config(void)
{
	struct buffer text = { 0 };

	if (file_read(AT_FDCWD, CONFIG_FILE, &text) == 0 && strstr(text.data, "tool.noxmk"))
		warnx(CONFIG_FILE ": tool.noxmk does not count with this nox: sessions that share "
		      "something may meet; make -j1 is safe");
	buffer_free(&text);
}

/*
 * What nox says of the noxfile: 0 and a new reference to the facts, NOXCALL_STOPPED, or
 * planning_run's exit code.
 */
static int
ask_nox(const struct question *question, json_t **root)
{
	char *probe = prepare_probe(question), *facts = xasprintf("%s/" FACTS, question->scratch);
	int code = probe ? run_probe(question, probe, facts) : -1;

	free(probe);
	*root = NULL;
	if (code == UNKNOWN_NOX) {
		warn_unread_config();
		*root = listing_facts(&question->nox, question->noxfile);
	} else if (code == 0) {
		*root = read_facts(facts, question->knobs);
	}
	free(facts);
	if (code == NOXCALL_STOPPED)
		return code;
	if (code == REFUSED)
		return EXIT_USAGE;
	if (code == 126 || code == 127) {
		warnx("NOX=%s does not come to run nox (exit %d)",
		    json_text(question->knobs, "NOX"), code);
		return code;
	}
	if (code > 0 && code != UNKNOWN_NOX) {
		warnx("%s does not load (nox: exit %d): no session can run until it does",
		    question->noxfile, code);
		return code;
	}
	return *root ? 0 : EXIT_HELPER;
}

/* What the user's nox command makes of our environment; JSON's null if the probe does not tell. */
static json_t *
read_difference(const struct facts *facts)
{
	static const char *const no_extra[] = { NULL };
	char **given = env_for_plan(no_extra);
	json_t *difference = facts->environ ? env_difference(given, facts->environ) : json_null();

	free(given);
	return difference;
}

/* Of the variables: those that nox itself reads, the noxfile asked for, and NOX changes. */
static json_t *
read_variables(const struct facts *facts, const struct secrets *secrets, const json_t *difference)
{
	static const char *const of_nox[] = { "NOXPYTHON", "NOXEXTRAPYTHON", "NOXFORCEPYTHON",
		"NOXSESSION", "NOX_DEFAULT_VENV_BACKEND", "NOX_DOWNLOAD_PYTHON", "NOX_ENVDIR",
		"NOX_PARALLEL", "NOX_SCRIPT_DOWNLOAD_PYTHON", "NOX_SCRIPT_MODE",
		"NOX_SCRIPT_VENV_BACKEND", "NOX_TAGS", "PYTHONPATH" };
	json_t *variables = json_object(), *value;
	const json_t *item;
	const char *name;
	size_t i;

	for (i = 0; i < countof(of_nox); i++)
		inputs_add_variable(variables, of_nox[i], false);
	for (i = 0; i < facts->asked.n; i++)
		inputs_add_variable(variables, facts->asked.v[i],
		    is_secret(secrets, facts->asked.v[i]));
	json_object_foreach(json_object_get(difference, "set"), name, value)
		inputs_add_variable(variables, name, is_secret(secrets, name));
	json_array_foreach(json_object_get(difference, "unset"), i, item)
		inputs_add_variable(variables, json_string_value(item),
		    is_secret(secrets, json_string_value(item)));
	return variables;
}

/* What learn_hazards reads. */
static void
add_hazards_files(json_t *list)
{
	char *own = state_file(HAZARDS_NAME);
	const char *seed = getenv(HAZARDS_SEED);

	inputs_add_file(list, own);
	if (seed && *seed)
		inputs_add_file(list, seed);
	free(own);
}

static void
write_inputs(const struct question *question, const struct plan *plan,
    const json_t *difference, int state)
{
	const struct secrets secrets = { plan->mask, plan->unmask };
	const struct facts *facts = plan->facts;
	const char *changing = sets_secret(&secrets, difference) ? "a secret that NOX sets" :
								   facts->changing;
	json_t *list = json_copy(question->inputs);
	json_t *inputs = json_pack("{s:O,s:s?,s:o,s:o}", "knobs", question->knobs, "volatile",
	    changing, "variables", read_variables(facts, &secrets, difference), "inputs", list);
	mode_t before;

	if (facts->inputs)
		json_array_extend(list, (json_t *)facts->inputs);
	if (plan->learns)
		add_hazards_files(list);
	/* NOX itself may say the secret. */
	before = hide_files(sets_secret(&secrets, difference));
	inputs_write(inputs, state);
	umask(before);
	json_decref(inputs);
}

/* 0, or planning_run's exit code after a warning: sessions run in nox's Python, too. */
static int
check_python(const struct question *question, const struct facts *facts)
{
	if (!facts->python || access(facts->python, X_OK) == 0)
		return 0;
	warnx("NOX=%s runs nox in an environment that is gone afterwards (%s), and each session "
	      "needs one: install nox, or use `uvx nox`", json_text(question->knobs, "NOX"),
	    facts->python);
	return EXIT_USAGE;
}

/* What audits have seen becomes part of the plan, if the configuration says so. */
static void
learn_hazards(struct plan *plan, int state)
{
	const char *seed = getenv(HAZARDS_SEED);
	char *shown = seed && *seed ? xasprintf(HAZARDS_SEED "=%s", seed) : NULL;
	char *own = state_file(HAZARDS_NAME);
	json_t *seen = plan->learns ? hazards_read(state, HAZARDS_NAME, true, own) : NULL;
	json_t *others = plan->learns && shown ? hazards_read(AT_FDCWD, seed, false, shown) : NULL;

	hazards_apply(plan, seen);
	hazards_apply(plan, others);
	json_decref(seen);
	json_decref(others);
	free(shown);
	free(own);
}

/* Sessions of the plan that has just been written are to wait for the process that forks them. */
static void
expect_forks(int state)
{
	struct timespec made;
	char *plan = forkable_plan(state, &made);

	forkable_know(state, plan);
	free(plan);
}

/* Returns as ask_nox. */
static int
plan_anew(const struct question *question, int state)
{
	struct facts *facts = NULL;
	struct plan *plan = NULL;
	json_t *root = NULL, *difference = NULL;
	int code = ask_nox(question, &root);

	if (code == 0 && (!(facts = facts_parse(root, FACTS)) ||
			     !(plan = planner_make(facts, &question->reserved))))
		code = EXIT_HELPER;
	if (code == 0)
		code = check_python(question, facts);
	if (code == 0) {
		learn_hazards(plan, state);
		difference = read_difference(facts);
		if (write_plan(question, plan, difference, state) < 0)
			code = EXIT_HELPER;
	}
	if (code == 0) {
		write_inputs(question, plan, difference, state);
		if (facts->forkable)
			expect_forks(state);
	}
	plan_free(plan);
	json_decref(difference);
	facts_free(facts);
	json_decref(root);
	return code;
}

static bool
plan_holds(int state, const json_t *knobs)
{
	json_t *inputs = inputs_read(state);
	bool holds = inputs && inputs_hold(inputs, state, knobs);

	json_decref(inputs);
	return holds;
}

/*
 * A plan must not be older than the noxfile, which may be saved while it is loaded. Then it is made
 * once more, but not for ever. Returns as ask_nox.
 */
static int
plan_until_it_holds(struct question *question, int state)
{
	int code = 0;

	for (int i = 0; i < PLANNINGS && code == 0; i++) {
		question_look(question);
		code = plan_anew(question, state);
		if (inputs_list_holds(question->inputs))
			break;
	}
	return code;
}

/* Two makes may find the plan stale at once: one then has that of the other. */
static int
plan_locked(struct question *question, const struct planning_options *options, int state)
{
	int lock, signals, code = 0;

	if (state_is_locked_around(state)) {
		warnx("%s runs make while it is loaded: that make needs the plan, for which it is "
		      "loaded: both would wait for ever", question->noxfile);
		return EXIT_HELPER;
	}
	lock = state_lock(state, LOCK_PATIENCE);
	signals = sig_open();
	if (!options->only_if_stale || !plan_holds(state, question->knobs)) {
		question->scratch = scratch_make(state, lock >= 0);
		code = question->scratch ? plan_until_it_holds(question, state) : EXIT_HELPER;
		if (question->scratch)
			scratch_remove(question->scratch);
	}
	state_unlock(lock);
	/* What has told us to end is pending, and ends us here, unless a session's helper plans. */
	sig_close(signals);
	return code;
}

/* A folder in which there is nothing to plan by is left without a state folder. 0, or as below. */
static int
open_state(struct question *question, const struct planning_options *options, int *state)
{
	char *missing = NULL;
	bool sound;

	*state = state_find();
	if (*state < 0 && errno != ENOENT)
		return EXIT_HELPER;
	sound = question_make(question, options, *state);
	if (sound && (missing = question_without(question->noxfile)))
		warnx("%s", missing);
	free(missing);
	if (!sound || missing)
		return EXIT_USAGE;
	fd_close(state);
	*state = state_make();
	return *state < 0 ? EXIT_HELPER : 0;
}

int
planning_run(const struct planning_options *options)
{
	struct question question = { 0 };
	int state, code = open_state(&question, options, &state);

	if (code == 0 && (!options->only_if_stale || !plan_holds(state, question.knobs))) {
		if (inputs_are_newer(state))
			warnx("the plan is of a newer noxmk, and this is " NOXMK_VERSION
			      ": it is made anew");
		code = plan_locked(&question, options, state);
	}
	if (state >= 0 && code != 0 && code != NOXCALL_STOPPED) {
		unlinkat(state, RULES, 0);
		unlinkat(state, PLAN, 0);
		inputs_forget(state);
	}
	question_clear(&question);
	fd_close(&state);
	return code == NOXCALL_STOPPED ? EXIT_HELPER : code;
}

void
planning_warn_stale(int state)
{
	json_t *inputs = inputs_read(state);
	const char *changed = inputs_changed(json_object_get(inputs, "inputs"));
	char *safe = screen_safe(changed ? changed : "its environment");
	struct question question = { 0 };

	/* What rests on more than can be known is not told to be stale each time. */
	json_object_del(inputs, "volatile");
	if (inputs && question_make(&question, &(struct planning_options){ 0 }, state) &&
	    !inputs_hold(inputs, state, question.knobs))
		warnx("the plan is stale, as %s has changed: `noxmk plan`, or the next make, makes "
		      "it anew", safe);
	question_clear(&question);
	free(safe);
	json_decref(inputs);
}
