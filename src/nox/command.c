#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/process.h"
#include "nox/command.h"
#include "nox/env.h"
#include "state/state.h"

/* The command takes the string over, which then lives as long as the command. */
static const char *
own(struct command *command, json_t *string)
{
	json_array_append_new(command->owner, string);
	return json_string_value(string);
}

/* The two texts, of which the second may be NULL, as one string of the command. */
static const char *
own_text(struct command *command, const char *prefix, const char *text)
{
	char *joined = xasprintf("%s%s", prefix, text ? text : "");
	const char *owned = own(command, json_string_nocheck(joined));

	free(joined);
	return owned;
}

static void
add_number(struct command *command, const char *name, const json_t *number,
    struct strings *extra)
{
	strings_add(extra, own(command, json_sprintf("%s%lld", name,
	    (long long)json_integer_value(number))));
}

/* gate.py may change those variables, and none that the user or the configuration has set. */
static void
add_names(struct command *command, const struct strings *toolenv, const json_t *env,
    struct strings *extra)
{
	json_t *names = json_array();
	char *joined;

	for (size_t i = 0; toolenv && i < toolenv->n; i++) {
		json_t *name = json_stringn(toolenv->v[i], strcspn(toolenv->v[i], "="));

		if (!json_object_get(env, json_string_value(name)))
			json_array_append(names, name);
		json_decref(name);
	}
	joined = json_list_join(names, " ");
	strings_add(extra, own_text(command, "NOXMK_SHIM_GATE=", joined));
	free(joined);
	json_decref(names);
}

/*
 * What shim.py is told; its own head has the variables. sys.path is that of the interpreter which
 * the probe ran in: nox need not be installed where the interpreter finds it by itself.
 */
static void
add_shim_variables(struct command *command, const json_t *header, const json_t *session,
    const struct command_options *o, struct strings *extra)
{
	const char *folder_of_user = getenv("NOXMK_INVOKED_FROM");
	char folder[PATH_MAX], *builds = NULL, *program = process_own_program();
	char *path = json_list_join(json_object_get(header, "path"), ":");
	const json_t *twin = json_object_get(session, "twin");
	char *globals = json_dumps(json_object_get(session, "globals"), JSON_COMPACT |
	    JSON_ENSURE_ASCII);

	strings_add(extra, own_text(command, "NOXMK_SHIM_NAME=", json_text(session, "name")));
	add_number(command, "NOXMK_SHIM_INDEX=", json_object_get(session, "index"), extra);
	add_number(command, "NOXMK_SHIM_TWIN=", json_array_get(twin, 0), extra);
	add_number(command, "NOXMK_SHIM_TWINS=", json_array_get(twin, 1), extra);
	add_number(command, "NOXMK_SHIM_DATE=", json_object_get(header, "noxfile_date"), extra);
	strings_add(extra, own_text(command, "NOXMK_SHIM_PATH=", path));
	if (o->toolenv && *program)
		strings_add(extra, own_text(command, "NOXMK_SHIM_HELPER=", program));
	if (o->asks)
		strings_add(extra, "NOXMK_SHIM_ASK=3");
	if (o->gated)
		add_names(command, o->toolenv,
		    json_object_get(json_object_get(session, "options"), "env"), extra);
	if (folder_of_user)
		strings_add(extra, own_text(command, "NOXMK_SHIM_INVOKED_FROM=", folder_of_user));
	if (globals)
		strings_add(extra, own_text(command, "NOXMK_SHIM_GLOBALS=", globals));
	/* The configuration may say that builds do not disturb each other. */
	if (!json_is_false(json_object_get(header, "source_build")) &&
	    getcwd(folder, sizeof(folder))) {
		const char *start = *state_path() == '/' ? "" : folder;
		const char *slash = *start ? "/" : "";

		builds = xasprintf("%s%s%s/builds/%s", start, slash, state_path(),
		    json_text(session, "target"));
		strings_add(extra, own_text(command, "NOXMK_SHIM_BUILDS=", builds));
	}
	free(globals);
	free(program);
	free(builds);
	free(path);
}

/* What the configuration sets itself is left out. */
static void
add_toolenv(const struct strings *toolenv, const json_t *env, struct strings *extra)
{
	for (size_t i = 0; toolenv && i < toolenv->n; i++) {
		const char *variable = toolenv->v[i];
		char *name = xasprintf("%.*s", (int)strcspn(variable, "="), variable);

		if (!json_object_get(env, name))
			strings_add(extra, variable);
		free(name);
	}
}

/* The session's env of the configuration wins over our environment and the toolenv. */
static void
set_environment(struct command *command, const json_t *header, const json_t *session,
    const struct command_options *o)
{
	struct options options = options_of(session);
	struct strings extra = { 0 };
	const char *name;
	json_t *value;

	if (json_string_value(json_object_get(header, "python")))
		add_shim_variables(command, header, session, o, &extra);
	add_toolenv(o->toolenv, options.env, &extra);
	json_object_foreach(options.env, name, value)
		strings_add(&extra, own(command, json_sprintf("%s=%s", name,
		    json_string_value(value))));
	strings_add(&extra, NULL);
	command->envp = env_for_session(extra.v);
	options_clear(&options);
	free(extra.v);
}

struct command
command_make(struct planfile *plan, json_t *session, const struct command_options *o)
{
	const json_t *header = planfile_header(plan), *item, *part_args;
	const char *python = json_string_value(json_object_get(header, "python"));
	struct command command = { .owner = json_array() };
	struct strings argv = { 0 };
	size_t i;

	if (python) {
		strings_add(&argv, own_text(&command, "", python));
		/* -u: else what the noxfile prints lands behind what its commands have written. */
		strings_add(&argv, "-u");
		strings_add(&argv, own_text(&command, o->share, "/shim.py"));
		/* What NOX says after nox's name holds for every session. */
		json_array_foreach(json_object_get(header, "args"), i, item)
			strings_add(&argv, own_text(&command, "", json_string_value(item)));
	} else {
		json_array_foreach(json_object_get(header, "command"), i, item)
			strings_add(&argv, own_text(&command, "", json_string_value(item)));
	}
	set_environment(&command, header, session, o);
	strings_add(&argv, "-f");
	strings_add(&argv, own_text(&command, "", json_text(header, "noxfile")));
	/* nox takes a name with a leading dash in the long form only; the shim passes it on so. */
	if (python)
		strings_add(&argv, "-s");
	strings_add(&argv, own_text(&command, python ? "" : "--sessions=",
	    json_text(session, "selector")));
	strings_add(&argv, "--report");
	strings_add(&argv, own_text(&command, "", o->report));
	if (!o->interactive)
		strings_add(&argv, "--non-interactive");
	part_args = json_object_get(json_object_get(session, "options"), "part-args");
	if (json_array_size(part_args) + o->posargs->n > 0)
		strings_add(&argv, "--");
	json_array_foreach(part_args, i, item)
		strings_add(&argv, own_text(&command, "", json_string_value(item)));
	for (size_t k = 0; k < o->posargs->n; k++)
		strings_add(&argv, o->posargs->v[k]);
	strings_add(&argv, NULL);
	command.argv = (char **)argv.v;
	return command;
}

void
command_clear(struct command *command)
{
	free(command->argv);
	free(command->envp);
	json_decref(command->owner);
	*command = (struct command){ 0 };
}
