#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/process.h"
#include "base/words.h"
#include "nox/inputs.h"
#include "nox/question.h"
#include "plan/config.h"
#include "plan/hazards.h"

/* The text of a knob: as given, as make has told, as for the last plan, as in the environment. */
static void
add_knob(json_t *knobs, const json_t *last, const char *name, const char *given,
    const char *told, const char *usual)
{
	const char *text = given ? given : getenv(told);

	if (!text && json_object_get(last, name))
		text = json_text(last, name);
	if (!text)
		text = getenv(name);
	if (!text || (!*text && *usual))
		text = usual;
	json_object_set_new(knobs, name, json_text_or_null(text));
}

/*
 * nox would take what follows a lone -- for words for the sessions: it would not see which noxfile
 * we mean, and would run the sessions of another. A -- before nox is for a wrapper: uv run -- nox.
 */
static bool
has_posargs(const struct strings *nox)
{
	bool found = false;

	for (size_t i = 0; i < nox->n; i++) {
		if (!strcmp(nox->v[i], "--"))
			found = true;
		else if (strstr(nox->v[i], "nox"))
			found = false;
	}
	return found;
}

/* False after a warning. */
static bool
split_nox(struct question *question)
{
	const char *text = json_text(question->knobs, "NOX"), *fault;

	question->texts[0] = xstrdup(text);
	fault = words_split(question->texts[0], &question->nox);
	if (question->nox.n == 0)
		strings_add(&question->nox, "nox");
	if (!fault && !strncmp(question->nox.v[0], "~/", 2)) {
		const char *home = getenv("HOME");

		question->in_home = xasprintf("%s%s", home ? home : "", question->nox.v[0] + 1);
		question->nox.v[0] = question->in_home;
	}
	if (fault)
		warnx("NOX %s: NOX=%s", fault, text);
	else if (strchr(question->nox.v[0], '=') && !strchr(question->nox.v[0], '/'))
		warnx("NOX begins with a variable, which env sets: NOX='env %s'", text);
	else if (has_posargs(&question->nox))
		warnx("NOX has a `--`, and no nox behind it: words for the sessions go into ARGS: "
		      "NOX=%s", text);
	else
		return true;
	return false;
}

bool
question_make(struct question *question, const struct planning_options *options, int state)
{
	json_t *inputs = inputs_read(state), *last = json_object_get(inputs, "knobs");
	json_t *knobs = json_object();
	const char *hazards = getenv(HAZARDS_SEED);
	char *rest, *word, folder[PATH_MAX];

	*question = (struct question){ .share = options->share, .knobs = knobs,
		.inputs = json_array() };
	add_knob(knobs, last, "NOX", options->nox, "NOXMK_TOLD_NOX", "nox");
	add_knob(knobs, last, "NOXMK_NOXFILE", options->noxfile, "NOXMK_TOLD_NOXFILE",
	    "noxfile.py");
	add_knob(knobs, last, "NOXMK_RESERVED", options->reserved, "NOXMK_TOLD_RESERVED", "");
	if (hazards && *hazards)
		json_object_set_new(knobs, HAZARDS_SEED, json_text_or_null(hazards));
	/* Two projects may have one NOXMK_STATE. */
	json_object_set_new(knobs, "project", json_text_or_null(getcwd(folder, sizeof(folder))));
	json_decref(inputs);
	question->noxfile = json_text(knobs, "NOXMK_NOXFILE");
	rest = question->texts[1] = xstrdup(json_text(knobs, "NOXMK_RESERVED"));
	while ((word = strsep(&rest, " \t\n")))
		if (*word)
			strings_add(&question->reserved, word);
	return split_nox(question);
}

char *
question_without(const char *noxfile)
{
	if (access(noxfile, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return NULL;
	return xasprintf("%s: %s: go to the project's folder, or write one", noxfile,
	    strerror(errno));
}

void
question_look(struct question *question)
{
	static const char *const locks[] = { "uv.lock", "poetry.lock", "pdm.lock", "pixi.lock" };
	json_t *inputs = question->inputs;
	char *program = process_own_program();
	const json_t *date;
	struct stat st;

	json_array_clear(inputs);
	inputs_add_file(inputs, question->noxfile);
	date = json_array_get(json_array_get(inputs, 0), 2);
	question->noxfile_date = date ? json_integer_value(date) : -1;
	inputs_add_file(inputs, CONFIG_FILE);
	if (*program)
		inputs_add_file(inputs, program);
	for (size_t i = 0; i < question->nox.n; i++) {
		const char *word = question->nox.v[i];

		if (i == 0 && !strchr(word, '/'))
			inputs_add_program(inputs, word);
		else if (stat(word, &st) == 0 && S_ISREG(st.st_mode))
			inputs_add_file(inputs, word);
	}
	/* What a wrapper may install nox by. */
	for (size_t i = 0; question->nox.n > 1 && i < countof(locks); i++)
		inputs_add_file(inputs, locks[i]);
	free(program);
}

void
question_clear(struct question *question)
{
	json_decref(question->knobs);
	json_decref(question->inputs);
	for (size_t i = 0; i < countof(question->texts); i++)
		free(question->texts[i]);
	free(question->in_home);
	free(question->nox.v);
	free(question->reserved.v);
}
