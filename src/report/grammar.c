#include <string.h>

#include "base/charset.h"
#include "base/util.h"
#include "report/grammar.h"

/* No path and no rule is longer. */
enum { FILE_MOST = 1024, RULE_MOST = 64, DIGITS_MOST = 7 };

static const struct {
	const char *word;
	enum level level;
} levels[] = {
	{ "error", LEVEL_ERROR }, { "fatal error", LEVEL_ERROR }, { "warning", LEVEL_WARNING },
	{ "note", LEVEL_NONE }, { "remark", LEVEL_NONE }, { "information", LEVEL_NONE },
	{ "info", LEVEL_NONE }, { "help", LEVEL_NONE },
	/* sphinx and docutils */
	{ "ERROR", LEVEL_ERROR }, { "SEVERE", LEVEL_ERROR }, { "CRITICAL", LEVEL_ERROR },
	{ "WARNING", LEVEL_WARNING }, { "INFO", LEVEL_NONE },
	/* bandit */
	{ "HIGH", LEVEL_ERROR }, { "MEDIUM", LEVEL_ERROR }, { "LOW", LEVEL_WARNING },
};

enum trait {
	AS_WRITTEN = 0,
	RULE_LAST = 1, /* the rule may end the message */
	GOES_ON = 2,   /* and where it does not, as in mypy --pretty, the message may go on */
	BY_LETTER = 4, /* the rule's first letter is the level */
	WARNS = 8,     /* it is a warning */
};

/* The first that fits counts, so what is more general comes later. */
static const struct format {
	const char *grammar;
	const char *message; /* where the grammar has none */
	int traits;
} formats[] = {
	/* sphinx: in a docstring, whose lines it counts itself */
	{ "%f:docstring of %w: WARNING: %m", NULL, RULE_LAST | WARNS },
	{ "%f:docstring of %w: ERROR: %m", NULL, RULE_LAST },
	/* mypy --show-error-end; gcc, clang, mypy --show-column-numbers; mypy, sphinx */
	{ "%f:%l:%c:%l:%c: %s: %m", NULL, RULE_LAST | GOES_ON },
	{ "%f:%l:%c: %s: %m", NULL, RULE_LAST | GOES_ON },
	{ "%f:%l: %s: %m", NULL, RULE_LAST | GOES_ON },
	/* ty's short one; pyright; bandit's "custom" */
	{ "%f:%l:%c: %s[%i] %m", NULL, AS_WRITTEN },
	{ "~%f:%l:%c - %s: %m", NULL, RULE_LAST },
	{ "%f:%l: %r[bandit]: %s: %m", NULL, AS_WRITTEN },
	/* ruff's syntax errors; pylint; ruff, flake8; doc8, pycodestyle */
	{ "%f:%l:%c: invalid-syntax: %m", NULL, AS_WRITTEN },
	{ "%f:%l:%c: %r: %m", NULL, BY_LETTER },
	{ "%f:%l:%c: %r %m", NULL, AS_WRITTEN },
	{ "%f:%l: %r %m", NULL, AS_WRITTEN },
	/* pylint's parseable; flake8 and ruff by the name of pylint */
	{ "%f:%l: [%r(%w] %m", NULL, BY_LETTER },
	{ "%f:%l: [%i] %m", NULL, AS_WRITTEN },
	/* sphinx: of a whole file */
	{ "checking consistency... %f: WARNING: %m", NULL, RULE_LAST | WARNS },
	{ "%f: WARNING: %m", NULL, RULE_LAST | WARNS },
	/* black, ruff format, isort */
	{ "would reformat %f", "black would reformat it", AS_WRITTEN },
	{ "Would reformat: %f", "ruff would reformat it", AS_WRITTEN },
	{ "error: cannot format %f: Cannot parse%w: %l:%c: %m", NULL, AS_WRITTEN },
	{ "error: cannot format %f: %m", NULL, AS_WRITTEN },
	{ "error: cannot parse: %f:%l:%c", "black cannot parse it", AS_WRITTEN },
	{ "error: Failed to parse %f:%l:%c: %m", NULL, AS_WRITTEN },
	{ "ERROR: %f Imports are incorrectly sorted and/or formatted.",
	    "its imports are not sorted as isort would", AS_WRITTEN },
	/* pyflakes, and whoever writes like it */
	{ "%f:%l:%c: %m", NULL, AS_WRITTEN },
};

/* ruff, ty, rustc; ruff with its names of rules. */
static const char *const heads[] = { "%s[%i]: %m", "%r [*] %m", "%r %m", "%r: %m", "%s: %m",
	"%i: %m" };

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * The text in the line up to where the grammar goes on: to its next words, and to a digit behind
 * them if a number follows. Where nothing follows, all the rest.
 */
static bool
read_text(const char *grammar, const char **line, struct part *text)
{
	size_t words = strcspn(grammar, "%~");
	bool number = grammar[words] == '%' && grammar[words + 1] == 'l';
	const char *end = *line;

	if (words == 0)
		end += strlen(end);
	else
		while (*end && (strncmp(end, grammar, words) != 0 ||
			(number && !is_digit(end[words]))))
			end++;
	*text = (struct part){ *line, (size_t)(end - *line) };
	*line = end;
	return words == 0 || *end;
}

static bool
read_file(const char *grammar, const char **line, struct part *file)
{
	return read_text(grammar, line, file) && file->n > 0 && file->n <= FILE_MOST &&
	       !is_blank(*file->s);
}

static bool
read_number(const char **line, unsigned *number)
{
	size_t n = strspn(*line, DIGITS);

	*number = 0;
	if (n == 0 || n > DIGITS_MOST)
		return false;
	for (; n > 0; n--)
		*number = *number * 10 + (unsigned)(*(*line)++ - '0');
	return true;
}

static bool
read_level(const char **line, enum level *level)
{
	size_t n = strcspn(*line, ":[");

	for (size_t i = 0; i < countof(levels); i++)
		if (strlen(levels[i].word) == n && !strncmp(levels[i].word, *line, n)) {
			*level = levels[i].level;
			*line += n;
			return true;
		}
	return false;
}

/* is_code: capital letters, then digits, at least one of each, as F401. */
static bool
read_rule(const char **line, bool is_code, struct part *rule)
{
	size_t letters = strspn(*line, is_code ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ" : LETTERS);
	size_t n = letters + strspn(*line + letters, is_code ? DIGITS : LETTERS DIGITS "-_.");

	*rule = (struct part){ *line, n };
	*line += n;
	return letters > 0 && n <= RULE_MOST && (!is_code || n > letters);
}

static bool
read_field(const char *grammar, const char **line, struct match *match)
{
	unsigned end;

	switch (*grammar) {
	case 'f':
		return read_file(grammar + 1, line, &match->file);
	case 'w':
		return read_text(grammar + 1, line, &match->word);
	case 'l':
		return read_number(line, match->line ? &end : &match->line);
	case 'c':
		return read_number(line, match->column ? &end : &match->column);
	case 's':
		return read_level(line, &match->level);
	case 'r':
		return read_rule(line, true, &match->rule);
	case 'i':
		return read_rule(line, false, &match->rule);
	default: /* m */
		match->message = (struct part){ *line, strlen(*line) };
		*line += match->message.n;
		return match->message.n > 0 && !is_blank(*match->message.s);
	}
}

bool
grammar_match(const char *grammar, const char *line, struct match *match)
{
	*match = (struct match){ 0 };
	for (; *grammar; grammar++) {
		if (*grammar == '~') {
			line += strspn(line, " \t");
		} else if (*grammar == '%') {
			grammar++;
			if (!read_field(grammar, &line, match))
				return false;
		} else if (*grammar != *line++) {
			return false;
		}
	}
	return !*line;
}

struct part
grammar_rule_of(struct part *text)
{
	struct part rule = { "", 0 };
	size_t n = text->n;
	char first;

	if (n == 0 || !strchr("])", text->s[n - 1]))
		return rule;
	first = text->s[n - 1] == ']' ? '[' : '(';
	while (n > 1 && text->n - n < RULE_MOST && text->s[n - 1] != first &&
	       !is_blank(text->s[n - 1]))
		n--;
	/* The rule of gcc is its option, that of pyright begins with a word of its own. */
	if (n < 2 || text->s[n - 1] != first || !is_blank(text->s[n - 2]) || n + 1 >= text->n ||
	    (first == '(' && strncmp(text->s + n, "report", strlen("report")) != 0))
		return rule;
	rule = (struct part){ text->s + n, text->n - n - 1 };
	text->n = n - 1;
	while (text->n > 0 && is_blank(text->s[text->n - 1]))
		text->n--;
	return rule;
}

/* "[*] ", or "[-] ": ruff could mend it. */
static void
drop_mark(struct part *message)
{
	if (message->n > 4 && (part_begins(message, "[*] ") || part_begins(message, "[-] "))) {
		message->s += 4;
		message->n -= 4;
	}
}

/* Most lines have neither, and are no more looked at. */
static bool
may_be_format(const char *line)
{
	for (const char *p = line; (p = strchr(p, ':')); p++)
		if (is_digit(p[1]))
			return true;
	return strstr(line, ": WARNING: ") || strstr(line, ":docstring of ") ||
	       !strncasecmp(line, "would reformat", 14) || !strncasecmp(line, "error: ", 7);
}

bool
grammar_format(const char *line, struct match *match, bool *may_go_on)
{
	const struct format *format = formats;

	*may_go_on = false;
	if (!may_be_format(line))
		return false;
	while (!grammar_match(format->grammar, line, match))
		if (++format == formats + countof(formats))
			return false;
	if (format->message)
		match->message = (struct part){ format->message, strlen(format->message) };
	if ((format->traits & BY_LETTER) && !strchr("EF", *match->rule.s))
		match->level = LEVEL_WARNING;
	if (format->traits & RULE_LAST) {
		match->rule = grammar_rule_of(&match->message);
		*may_go_on = (format->traits & GOES_ON) && match->rule.n == 0;
	}
	if (format->traits & WARNS)
		match->level = LEVEL_WARNING;
	drop_mark(&match->message);
	return true;
}

bool
grammar_head(const char *line, struct match *match)
{
	for (size_t i = 0; i < countof(heads); i++)
		if (grammar_match(heads[i], line, match)) {
			drop_mark(&match->message);
			return true;
		}
	return false;
}

bool
part_begins(const struct part *part, const char *text)
{
	size_t n = strlen(text);

	return part->n >= n && !memcmp(part->s, text, n);
}

bool
line_begins(const char *line, const char *text)
{
	return strncmp(line, text, strlen(text)) == 0;
}

bool
part_is(const struct part *part, const char *text)
{
	return part->n == strlen(text) && part_begins(part, text);
}
