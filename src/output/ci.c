#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "output/ci.h"

/* Set, and neither empty nor "false", in every job of that forge. */
static const char *const forges[] = {
	"CI", /* most of them, by custom */
	"GITHUB_ACTIONS",
	"FORGEJO_ACTIONS",
	"GITEA_ACTIONS",
	"GITLAB_CI",
	"TF_BUILD", /* Azure Pipelines */
	"TEAMCITY_VERSION",
};

/* A command begins behind the one text with any of these bytes, or with any but those. */
static const struct command {
	char behind[CI_BEHIND_MAX + 1]; /* "": at the start of a line */
	const char *any, *but;          /* one of them is NULL */
	const char *guard;
} commands[] = {
	/* GitHub, Forgejo, Gitea: ::error file=…::text */
	{ .behind = "", .any = ":", .guard = "| " },
	/* GitHub ##[error], Azure ##vso[…], TeamCity ##teamcity[…]; but not a heading. */
	{ .behind = "##", .but = "# \t", .guard = "|" },
	/* GitLab's begin with ESC [ 0 K, which does not pass the filter. */
};

bool
ci_reads(void)
{
	for (size_t i = 0; i < countof(forges); i++) {
		const char *value = getenv(forges[i]);

		if (value && *value && strcmp(value, "false") != 0)
			return true;
	}
	return false;
}

static bool
is_behind(const struct ci_line *line, const char *text)
{
	int n = (int)strlen(text);

	if (n == 0)
		return line->n == 0;
	return line->n >= n && !memcmp(line->last + line->n - n, text, (size_t)n);
}

static bool
begins(const struct command *command, const struct ci_line *line, char byte)
{
	return is_behind(line, command->behind) &&
	       (command->any ? strchr(command->any, byte) != NULL : !strchr(command->but, byte));
}

const char *
ci_guard(struct ci_line *line, char byte)
{
	const char *guard = "";

	for (size_t i = 0; i < countof(commands) && !*guard; i++)
		if (begins(&commands[i], line, byte))
			guard = commands[i].guard;
	if (line->n == 0 && (byte == ' ' || byte == '\t'))
		return guard;
	if (line->n == CI_BEHIND_MAX)
		memmove(line->last, line->last + 1, CI_BEHIND_MAX - 1);
	else
		line->n++;
	line->last[line->n - 1] = byte;
	return guard;
}
