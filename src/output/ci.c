#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "output/ci.h"

/* Set, and neither empty nor "false", in every job of that forge. */
static const struct {
	const char *variable;
	bool githubs; /* it knows GitHub's commands */
	enum ci_forge forge;
} forges[] = {
	/* Forgejo's and Gitea's runners set GITHUB_ACTIONS as well, so they come first. */
	{ "FORGEJO_ACTIONS", true, FORGE_FORGEJO },
	{ "GITEA_ACTIONS", true, FORGE_GITEA },
	{ "GITHUB_ACTIONS", true, FORGE_GITHUB },
	{ "GITLAB_CI", false, FORGE_GITLAB },
	/* Of Azure Pipelines. */
	{ "TF_BUILD", false, FORGE_OTHER },
	{ "TEAMCITY_VERSION", false, FORGE_OTHER },
	/* Most of them set CI, by custom. */
	{ "CI", false, FORGE_OTHER },
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

static bool
is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value && strcmp(value, "false") != 0;
}

/* One of all forges, or of those only that know GitHub's commands. */
static bool
is_in(bool githubs)
{
	for (size_t i = 0; i < countof(forges); i++)
		if (is_set(forges[i].variable) && (forges[i].githubs || !githubs))
			return true;
	return false;
}

enum ci_forge
ci_forge(void)
{
	for (size_t i = 0; i < countof(forges); i++)
		if (is_set(forges[i].variable))
			return forges[i].forge;
	return FORGE_NONE;
}

enum ci
ci_reads(const char *wanted)
{
	if (!is_in(false))
		return CI_NONE;
	if (wanted ? !strcmp(wanted, "annotations") : is_in(true))
		return CI_ANNOTATIONS;
	return CI_DEFUSED;
}

bool
ci_annotates(const char *wanted)
{
	if (wanted)
		return ci_reads(wanted) == CI_ANNOTATIONS;
	return ci_forge() == FORGE_GITHUB;
}

bool
ci_masks(void)
{
	return is_in(true);
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

enum ci_match
ci_blank(const char *character, size_t n)
{
	/* As .NET's TrimStart has it, but for CR and LF, which end a line. */
	static const char *const blanks[] = { " ", "\t", "\v", "\f", "\xc2\x85", "\u00a0", "\u1680",
		"\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
		"\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000" };
	enum ci_match best = CI_OTHER;

	/* Most lines begin with one of these. */
	if (*character > ' ' && *character < 0x7f)
		return CI_OTHER;
	for (size_t i = 0; i < countof(blanks) && best != CI_FOUND; i++)
		if (n <= strlen(blanks[i]) && !memcmp(blanks[i], character, n))
			best = blanks[i][n] == '\0' ? CI_FOUND : CI_MAYBE;
	return best;
}

/* Behind the name come a blank and properties, or a "::" and the text. GitHub ignores its case. */
static enum ci_match
match(const char *name, const char *start, size_t n)
{
	size_t len = strlen(name);

	if (*start != *name || strncasecmp(name, start, n < len ? n : len) != 0)
		return CI_OTHER;
	if (n <= len)
		return CI_MAYBE;
	if (start[len] == ' ')
		return CI_FOUND;
	if (start[len] != ':')
		return CI_OTHER;
	if (n == len + 1)
		return CI_MAYBE;
	return start[len + 1] == ':' ? CI_FOUND : CI_OTHER;
}

enum ci_match
ci_annotation(const char *start, size_t n)
{
	static const char *const names[] = { "::error", "::warning", "::notice" };
	enum ci_match best = CI_OTHER;

	for (size_t i = 0; i < countof(names) && best != CI_FOUND; i++) {
		enum ci_match found = match(names[i], start, n);

		best = found > best ? found : best;
	}
	return best;
}

enum ci_match
ci_add_mask(const char *start, size_t n)
{
	return match("::add-mask", start, n);
}

const char *
ci_text(const char *line, size_t n)
{
	const char *end = n < 4 ? NULL : memmem(line + 2, n - 2, "::", 2);

	return end ? end + 2 : NULL;
}

void
ci_decode(const char *text, size_t n, struct buffer *out)
{
	static const struct {
		char code[4], byte;
	} codes[] = { { "%0A", '\n' }, { "%0D", '\r' }, { "%25", '%' } };

	for (size_t i = 0; i < n; i++) {
		char byte = text[i];

		for (size_t k = 0; k < countof(codes); k++)
			if (n - i >= 3 && !memcmp(text + i, codes[k].code, 3)) {
				byte = codes[k].byte;
				i += 2;
				break;
			}
		buffer_add(out, &byte, 1);
	}
}
