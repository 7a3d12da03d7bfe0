#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/process.h"
#include "nox/command.h"
#include "nox/env.h"

/* The string stays alive with the command, and is freed with it. */
static const char *
own(struct command *command, json_t *string)
{
	json_array_append_new(command->owner, string);
	return json_string_value(string);
}

static const char *
own_text(struct command *command, const char *before, const char *text)
{
	char *joined = xasprintf("%s%s", before, text ? text : "");
	const char *owned = own(command, json_string_nocheck(joined));

	free(joined);
	return owned;
}

/* sys.path of the interpreter that the probe ran in, for a nox that is not installed there. */
static char *
join_path(const json_t *list)
{
	struct buffer joined = { 0 };
	const json_t *item;
	size_t i;

	buffer_addstr(&joined, "");
	json_array_foreach(list, i, item)
		buffer_printf(&joined, "%s%s", i ? ":" : "", json_string_value(item));
	return joined.data;
}

/* What the shim is told. */
static void
add_shim_variables(struct command *command, const json_t *header, const json_t *session,
    bool makes_are_ours, struct strings *extra)
{
	char folder[PATH_MAX], *lock = NULL, *program = process_own_program();
	char *path = join_path(json_object_get(header, "path"));
	char *index = xasprintf("%lld", (long long)json_integer_value(
	    json_object_get(session, "index")));

	strings_add(extra, own_text(command, "NOXMK_SHIM_INDEX=", index));
	strings_add(extra, own_text(command, "NOXMK_SHIM_NAME=", json_text(session, "name")));
	strings_add(extra, own_text(command, "NOXMK_SHIM_PATH=", path));
	if (makes_are_ours && *program)
		strings_add(extra, own_text(command, "NOXMK_SHIM_HELPER=", program));
	/* Unless the configuration says that builds do not disturb each other. */
	if (!json_is_false(json_object_get(header, "source_build")) &&
	    getcwd(folder, sizeof(folder)))
		strings_add(extra, own_text(command, "NOXMK_SHIM_BUILD_LOCK=",
		    lock = xasprintf("%s/.noxmk/locks/source-build", folder)));
	free(program);
	free(lock);
	free(index);
	free(path);
}

/* Unless the configuration sets them. */
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

/* The configuration's own env wins over what we have inherited. */
static void
set_environment(struct command *command, const json_t *header, const json_t *session,
    const struct strings *toolenv)
{
	json_t *env = json_object_get(json_object_get(session, "options"), "env"), *value;
	struct strings extra = { 0 };
	const char *name;

	if (json_string_value(json_object_get(header, "python")))
		add_shim_variables(command, header, session, toolenv != NULL, &extra);
	add_toolenv(toolenv, env, &extra);
	json_object_foreach(env, name, value)
		if (json_is_string(value))
			strings_add(&extra, own(command, json_sprintf("%s=%s", name,
			    json_string_value(value))));
	strings_add(&extra, NULL);
	command->envp = env_for_session(extra.v);
	free(extra.v);
}

struct command
command_make(struct planfile *plan, json_t *session, const char *share, const char *report,
    const struct strings *posargs, const struct strings *toolenv)
{
	const json_t *header = planfile_header(plan), *item;
	const char *python = json_string_value(json_object_get(header, "python"));
	struct command command = { .owner = json_array() };
	struct strings argv = { 0 };
	size_t i;

	if (python) {
		strings_add(&argv, own_text(&command, "", python));
		/* Unbuffered, else print() of the noxfile lands behind what its commands wrote. */
		strings_add(&argv, "-u");
		strings_add(&argv, own_text(&command, share, "/shim.py"));
		/* What NOX says after nox's name holds for every session. */
		json_array_foreach(json_object_get(header, "args"), i, item)
			strings_add(&argv, own_text(&command, "", json_string_value(item)));
	} else {
		json_array_foreach(json_object_get(header, "command"), i, item)
			strings_add(&argv, own_text(&command, "", json_string_value(item)));
	}
	set_environment(&command, header, session, toolenv);
	strings_add(&argv, "-f");
	strings_add(&argv, own_text(&command, "", json_text(header, "noxfile")));
	/* nox takes a name with a leading dash in the long form only; the shim sees to that. */
	if (python)
		strings_add(&argv, "-s");
	strings_add(&argv, own_text(&command, python ? "" : "--sessions=",
	    json_text(session, "selector")));
	strings_add(&argv, "--report");
	strings_add(&argv, own_text(&command, "", report));
	strings_add(&argv, "--non-interactive");
	if (posargs->n > 0)
		strings_add(&argv, "--");
	for (size_t k = 0; k < posargs->n; k++)
		strings_add(&argv, posargs->v[k]);
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
