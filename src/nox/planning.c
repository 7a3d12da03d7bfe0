#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "nox/listing.h"
#include "nox/noxcall.h"
#include "nox/planning.h"
#include "order/order.h"
#include "plan/config.h"
#include "plan/planfile.h"
#include "plan/planner.h"
#include "plan/rule.h"
#include "state/state.h"

/* The probe's exit code when it does not know this nox. */
enum { UNKNOWN_NOX = 97 };

#define PLAN "plan.jsonl"
#define RULES "sessions.mk"

/* Both are there only while we plan: what the probe finds out, and the probe if it is a copy. */
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
prepare_probe(const struct planning_options *options)
{
	char *installed = xasprintf("%s/probe.py", options->share);
	struct buffer noxfile = { 0 }, probe = { 0 };
	char *chosen = NULL;

	/* nox itself complains about a noxfile that cannot be read. */
	if (file_read(AT_FDCWD, options->noxfile, &noxfile) == 0)
		copy_script_block(noxfile.data, &probe);
	if (probe.len == 0) {
		chosen = installed;
		installed = NULL;
	} else if (file_read(AT_FDCWD, installed, &probe) < 0) {
		warn("%s", installed);
	} else {
		chosen = state_file(PROBE);
		if (file_replace(AT_FDCWD, chosen, probe.data, probe.len) < 0) {
			warn("%s", chosen);
			free(chosen);
			chosen = NULL;
		}
	}
	buffer_free(&noxfile);
	buffer_free(&probe);
	free(installed);
	return chosen;
}

/* Returns as nox_call does; after 0 the facts should be in that file. */
static int
run_probe(const struct planning_options *options, const char *probe, const char *facts)
{
	const char *const arguments[] = { "-f", probe, "-l", NULL };
	char folder[PATH_MAX];
	struct strings extra = { 0 };
	char *variables[3];
	int code;

	if (!getcwd(folder, sizeof(folder))) {
		warn("the current folder");
		return -1;
	}
	unlink(facts);
	variables[0] = xasprintf("NOXMK_PROBE_NOXFILE=%s", options->noxfile);
	variables[1] = xasprintf("NOXMK_PROBE_OUT=%s/%s", *facts == '/' ? "" : folder, facts);
	variables[2] = xasprintf("NOXMK_PROBE_CWD=%s", folder);
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
	code = nox_call(&options->nox, arguments, extra.v, STDERR_FILENO);
	for (size_t i = 0; i < countof(variables); i++)
		free(variables[i]);
	free(extra.v);
	return code;
}

static json_t *
read_facts(const char *path)
{
	json_error_t error;
	json_t *facts = json_load_file(path, 0, &error);

	if (!facts)
		warnx("%s: %s: nox ended without telling about the noxfile", path, error.text);
	return facts;
}

static bool
is_newer(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/*
 * Makes sessions.mk as new as the newest file that it depends on. If that one is dated later than
 * now, by the clock of another machine or by a noxfile that touches what it reads, make would
 * remake the plan for ever.
 */
static void
date_rules(const struct facts *facts, int state)
{
	struct timespec newest = { 0 };
	struct stat st;

	for (size_t i = 0; i < facts->depends.n; i++)
		if (stat(facts->depends.v[i], &st) == 0 && is_newer(st.st_mtim, newest))
			newest = st.st_mtim;
	if (fstatat(state, RULES, &st, 0) == 0 && is_newer(newest, st.st_mtim))
		utimensat(state, RULES,
		    (struct timespec[]){ { .tv_nsec = UTIME_OMIT }, newest }, 0);
}

/* The order of what `make ci` runs. A plan without one works, too: locks keep sessions apart. */
static void
write_order(int state)
{
	struct planfile *plan = planfile_open(state);
	json_t *goals = json_pack("[s]", "ci"), *active = json_object();

	if (plan && planfile_expand(plan, goals, active, false) == 0)
		(void)!order_write(state, active, 0);
	json_decref(active);
	json_decref(goals);
	planfile_close(plan);
}

/* 0, or -1 after a warning. plan.jsonl comes first, since make starts what sessions.mk names. */
static int
write_plan(const struct planning_options *options, const struct facts *facts, int state)
{
	struct plan *plan = planner_make(facts, &options->reserved);
	struct buffer lines = { 0 }, rules = { 0 };
	int result = -1;

	if (!plan)
		return -1;
	planfile_write(plan, options->noxfile, &options->nox, &lines);
	rule_write(plan, options->inputs, &rules);
	if (file_replace(state, PLAN, lines.data, lines.len) < 0)
		warn("%s/" PLAN, state_path());
	else if (file_replace(state, RULES, rules.data, rules.len) < 0)
		warn("%s/" RULES, state_path());
	else
		result = 0;
	if (result == 0)
		write_order(state);
	date_rules(facts, state);
	buffer_free(&lines);
	buffer_free(&rules);
	plan_free(plan);
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

/* What nox says of the noxfile: 0 and a new reference to the facts, or planning_run's exit code. */
static int
ask_nox(const struct planning_options *options, json_t **root)
{
	char *probe = prepare_probe(options), *facts = state_file(FACTS);
	int code = probe ? run_probe(options, probe, facts) : -1;

	free(probe);
	*root = NULL;
	if (code == UNKNOWN_NOX) {
		warn_unread_config();
		*root = listing_facts(&options->nox, options->noxfile);
	} else if (code == 0) {
		*root = read_facts(facts);
	}
	free(facts);
	if (code > 0 && code != UNKNOWN_NOX) {
		warnx("%s does not load (nox: exit %d): no session can run until it does",
		    options->noxfile, code);
		return code;
	}
	return *root ? 0 : EXIT_HELPER;
}

int
planning_run(const struct planning_options *options)
{
	struct facts *facts = NULL;
	json_t *root = NULL;
	int state = state_make(), lock, code;
	char *shown;

	if (state < 0)
		return EXIT_HELPER;
	/* Two makes may find the plan stale at once. */
	lock = state_lock(state);
	shown = state_file(FACTS);
	code = ask_nox(options, &root);
	if (code == 0 && !(facts = facts_parse(root, shown)))
		code = EXIT_HELPER;
	if (code == 0 && write_plan(options, facts, state) < 0)
		code = EXIT_HELPER;
	if (code != 0) {
		unlinkat(state, RULES, 0);
		unlinkat(state, PLAN, 0);
	}
	unlinkat(state, FACTS, 0);
	unlinkat(state, PROBE, 0);
	free(shown);
	facts_free(facts);
	json_decref(root);
	state_unlock(lock);
	close(state);
	return code;
}
