#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "output/ci.h"
#include "output/escape.h"
#include "report/findings.h"
#include "report/pytest.h"
#include "report/traceback.h"

/*
 * Bytes of a line that count; lines that a message goes on for, and how many are looked at for its
 * rule; bytes of a message.
 */
enum { LINE_MOST = 16 << 10, MORE_MOST = 4, RULE_WITHIN = 20, MESSAGE_MOST = 2000 };

/* No file has more. */
enum { LINES_OF_FILE = 9999999 };

#define LOWER "abcdefghijklmnopqrstuvwxyz"

/* How the message of the last finding may go on in the next line. */
enum more { MORE_NONE, MORE_UP_TO_RULE, MORE_INDENTED };

struct findings {
	struct finder finder;
	struct buffer line;    /* the line so far, as it came */
	struct buffer last;    /* the line before */
	struct pytest pytest;
	struct traceback traceback;

	/* The last finding, which may go on. */
	struct finding finding; /* file: NULL if there is none; owned */
	struct buffer rule, message;
	enum more more;
	unsigned lines;        /* that it has gone on for */
	size_t settled;        /* so much of the message is sure to belong to it */

	/* bandit has several lines for one, of which the place is the last. */
	char *issue, *issue_rule;
	enum level issue_level;
};

/* Tells the last finding. */
static void
settle(struct findings *f)
{
	if (f->finding.file) {
		f->message.data[f->settled] = '\0';
		f->finding.rule = f->rule.data;
		f->finding.message = f->message.data;
		f->finder.found(f->finder.to, &f->finding);
		free((char *)f->finding.file);
	}
	f->finding = (struct finding){ 0 };
	f->message.len = f->rule.len = 0;
	f->more = MORE_NONE;
}

static void
set_rule(struct findings *f, const struct part *rule)
{
	f->rule.len = 0;
	buffer_add(&f->rule, rule->n > 0 ? rule->s : "", rule->n);
}

/* A new finding, unless it is a note, or in no file of the project. */
static void
keep(struct findings *f, const struct match *m, enum more more)
{
	char *file = m->level == LEVEL_NONE ? NULL :
	    f->finder.file(f->finder.data, m->file.s, m->file.n);

	settle(f);
	if (!file)
		return;
	f->finding = (struct finding){ .level = m->level, .file = file, .line = m->line,
		.column = m->column };
	set_rule(f, &m->rule);
	buffer_add(&f->message, m->message.s,
	    m->message.n < MESSAGE_MOST ? m->message.n : MESSAGE_MOST);
	f->settled = f->message.len;
	f->more = more;
	f->lines = 0;
}

static void
add_more(struct findings *f, const char *between, struct part text)
{
	/* mypy cuts a line behind a blank. */
	if (f->message.len > 0 && f->message.data[f->message.len - 1] == ' ')
		f->message.len--;
	if (text.n == 0 || f->message.len + text.n > MESSAGE_MOST)
		return;
	buffer_addstr(&f->message, between);
	buffer_add(&f->message, text.s, text.n);
}

/* "[RULE]" at the end of a line of mypy's. The rule may have the line to itself. */
static struct part
mypy_rule_of(struct part *text)
{
	struct part all = *text, rule = grammar_rule_of(text);

	if (part_begins(&all, "[") && all.s[all.n - 1] == ']') {
		rule = (struct part){ all.s + 1, all.n - 2 };
		text->n = 0;
	}
	for (size_t i = 0; i < rule.n; i++)
		if (!strchr(LOWER "-", rule.s[i]))
			rule.n = 0;
	return rule;
}

/*
 * mypy --pretty: a message goes on in lines that are not indented, up to one with its rule. Until
 * then the lines may be anybody's.
 */
static bool
goes_on_to_rule(struct findings *f, const char *line)
{
	const char *start = line_begins(line, " [") ? line + 1 : line;
	struct part text = { start, strlen(start) }, rule = mypy_rule_of(&text);

	if (!*start || *start == ' ' || ++f->lines > MORE_MOST)
		return false;
	add_more(f, " ", text);
	if (rule.n == 0)
		return true;
	set_rule(f, &rule);
	f->settled = f->message.len;
	return false;
}

/* The bytes of blanks at the start of a text, with the wide ones that pyright indents by. */
static size_t
indent_of(const char *text)
{
	const char *p = text;

	while (*p == ' ' || line_begins(p, "\u00a0"))
		p += *p == ' ' ? 1 : strlen("\u00a0");
	return (size_t)(p - text);
}

/* pyright: it goes on in lines with a deeper indent. */
static bool
goes_on_indented(struct findings *f, const char *line)
{
	size_t indent = indent_of(line);
	struct part text = { line + indent, strlen(line + indent) }, rule = grammar_rule_of(&text);

	if (indent < 4 || !line[indent] || ++f->lines > RULE_WITHIN)
		return false;
	if (f->lines <= MORE_MOST)
		add_more(f, "\n", text);
	f->settled = f->message.len;
	if (rule.n > 0)
		set_rule(f, &rule);
	return true;
}

/* May the finding go on behind that line, too? */
static bool
goes_on(struct findings *f, const char *line)
{
	if (f->more == MORE_UP_TO_RULE)
		return goes_on_to_rule(f, line);
	return f->more == MORE_INDENTED && goes_on_indented(f, line);
}

/* A value in a command, as GitHub's runner reads it. */
static void
decode_value(const char *text, size_t n, struct buffer *value)
{
	struct buffer plain = { 0 };
	const char *p;

	for (size_t i = 0; i < n; i++) {
		bool colon = n - i >= 3 && !strncasecmp(text + i, "%3A", 3);
		bool comma = n - i >= 3 && !strncasecmp(text + i, "%2C", 3);

		buffer_add(&plain, colon ? ":" : comma ? "," : text + i, 1);
		i += colon || comma ? 2 : 0;
	}
	p = plain.data;
	value->len = 0;
	buffer_addstr(value, "");
	ci_decode(p ? p : "", plain.len, value);
	buffer_free(&plain);
}

/* The value of the key in "::error KEY=VALUE,…::", which ends at `end`, or "". */
static void
value_of(const char *line, const char *end, const char *key, struct buffer *value)
{
	const char *p = line + strcspn(line, " ");
	size_t n = strlen(key);

	value->len = 0;
	buffer_addstr(value, "");
	while (p < end) {
		size_t length;

		p += 1;
		p += strspn(p, " ");
		length = strcspn(p, ",");
		if (length > (size_t)(end - p))
			length = (size_t)(end - p);
		if (length > n && !strncmp(p, key, n) && p[n] == '=')
			decode_value(p + n + 1, length - n - 1, value);
		p += length;
	}
}

/* What a message says of its own place, as ruff's does, is said already. */
static void
strip_place(struct finding *finding, struct buffer *rule)
{
	struct match m;

	if (grammar_match("%f:%l:%c: %r %m", finding->message, &m))
		buffer_add(rule, m.rule.s, m.rule.n);
	else if (!grammar_match("%f:%l:%c: %m", finding->message, &m))
		return;
	finding->message = m.message.s;
	finding->rule = rule->data;
}

/* A command to the CI that says what is wrong where. */
static bool
read_command(struct findings *f, const char *line)
{
	const char *text = ci_text(line, strlen(line));
	struct buffer file = { 0 }, number = { 0 }, message = { 0 }, rule = { 0 };
	struct finding finding = { .announced = true };
	char *found = NULL;

	if (ci_annotation(line, strlen(line)) != CI_FOUND || !text)
		return false;
	if (strncasecmp(line, "::notice", 8) != 0) {
		value_of(line, text - 2, "file", &file);
		value_of(line, text - 2, "line", &number);
		buffer_addstr(&message, "");
		buffer_addstr(&rule, "");
		ci_decode(text, strlen(text), &message);
		if (file.len > 0)
			found = f->finder.file(f->finder.data, file.data, file.len);
		finding.level = strncasecmp(line, "::warning", 9) ? LEVEL_ERROR : LEVEL_WARNING;
		finding.file = found ? found : "";
		finding.line = (unsigned)strtonum(number.data, 1, LINES_OF_FILE, NULL);
		finding.message = message.data;
		finding.rule = rule.data;
		strip_place(&finding, &rule);
		f->finder.found(f->finder.to, &finding);
	}
	buffer_free(&file);
	buffer_free(&number);
	buffer_free(&message);
	buffer_free(&rule);
	free(found);
	return true;
}

/* What nox and make say of folders: "nox > cd docs", "make[1]: Entering directory 'c'". */
static bool
read_folder(struct findings *f, const char *line)
{
	struct match m;

	if (line_begins(line, "nox > ")) {
		pytest_end(&f->pytest, &f->finder);
		traceback_end(&f->traceback, &f->finder);
		if (grammar_match("nox > cd %f", line, &m))
			f->finder.folder(f->finder.data, FOLDER_NOX, m.file.s, m.file.n);
		return true;
	}
	if (!line_begins(line, "make") || !
	    grammar_match("make%w: Entering directory '%f'", line, &m))
		return false;
	f->finder.folder(f->finder.data, FOLDER_MAKE, m.file.s, m.file.n);
	return true;
}

static void
forget_issue(struct findings *f)
{
	free(f->issue);
	free(f->issue_rule);
	f->issue = f->issue_rule = NULL;
}

/*
 * bandit:
 *   >> Issue: [B105:hardcoded_password_string] Possible hardcoded password: 'x'
 *      Severity: Low   Confidence: Medium
 *      Location: ./src/core.py:22:11
 */
static bool
read_issue(struct findings *f, const char *line)
{
	struct match m;

	if (grammar_match(">> Issue: [%r:%w] %m", line, &m)) {
		forget_issue(f);
		f->issue = xstrdup(m.message.s);
		f->issue_rule = xasprintf("%.*s", (int)m.rule.n, m.rule.s);
		f->issue_level = LEVEL_ERROR;
		return true;
	}
	if (!f->issue || *line != ' ') {
		forget_issue(f);
		return false;
	}
	if (line_begins(line + strspn(line, " "), "Severity: Low"))
		f->issue_level = LEVEL_WARNING;
	if (grammar_match("~Location: %f:%l:%c", line, &m) ||
	    grammar_match("~Location: %f:%l", line, &m)) {
		m.level = f->issue_level;
		m.rule = (struct part){ f->issue_rule, strlen(f->issue_rule) };
		m.message = (struct part){ f->issue, strlen(f->issue) };
		keep(f, &m, MORE_NONE);
		forget_issue(f);
	}
	return true;
}

/* Findings in two lines, of which the first says what, and the second where. */
static bool
read_two(struct findings *f, const char *line)
{
	const char *last = f->last.data ? f->last.data : "";
	struct match m, head;

	if (grammar_match("~--> %f:%l:%c", line, &m) && grammar_head(last, &head)) {
		m.level = head.level;
		m.rule = head.rule;
		m.message = head.message;
	} else if (strcmp(last, "Warning, treated as error:") != 0 ||
		   !grammar_match("%f:%l:%m", line, &m)) {
		return false;
	}
	keep(f, &m, MORE_NONE);
	return true;
}

static void
read_format(struct findings *f, const char *line)
{
	bool may_go_on;
	struct match m;

	if (grammar_format(line, &m, &may_go_on))
		keep(f, &m, *line == ' ' ? MORE_INDENTED : may_go_on ? MORE_UP_TO_RULE : MORE_NONE);
}

/* A line without colours, and of one that was written over only its last state. */
static void
read_line(struct findings *f, const char *line)
{
	if (f->finding.file && !goes_on(f, line))
		settle(f);
	if (!read_folder(f, line) && !read_command(f, line + strspn(line, " \t")) &&
	    !pytest_line(&f->pytest, &f->finder, line) &&
	    !traceback_line(&f->traceback, &f->finder, line) && !read_issue(f, line) &&
	    !read_two(f, line))
		read_format(f, line);
	f->last.len = 0;
	buffer_addstr(&f->last, line);
}

static void
end_line(struct findings *f)
{
	char *line = f->line.data, *to = line, *end = line + strlen(line);
	size_t n;

	for (const char *p = line; *p; p += n) {
		n = escape_length(p, (size_t)(end - p));
		if (n > 0)
			continue;
		n = 1;
		/* A CR at the line's end belongs to that; else what follows is written over it. */
		if (*p == '\r' && p[1])
			to = line;
		else if (*p != '\r')
			*to++ = *p;
	}
	*to = '\0';
	read_line(f, line);
	f->line.len = 0;
	buffer_addstr(&f->line, "");
}

struct findings *
findings_open(const struct finder *finder)
{
	struct findings *f = xcalloc(1, sizeof(*f));

	f->finder = *finder;
	buffer_addstr(&f->line, "");
	return f;
}

void
findings_feed(struct findings *f, const char *data, size_t n)
{
	const char *end = data + n;

	while (data < end) {
		const char *stop = memchr(data, '\n', (size_t)(end - data));
		size_t length = (size_t)((stop ? stop : end) - data);
		size_t room = LINE_MOST - f->line.len;

		buffer_add(&f->line, data, length < room ? length : room);
		if (stop)
			end_line(f);
		data += length + (stop != NULL);
	}
}

void
findings_close(struct findings *f)
{
	if (f->line.len > 0)
		end_line(f);
	settle(f);
	pytest_end(&f->pytest, &f->finder);
	traceback_end(&f->traceback, &f->finder);
	forget_issue(f);
	buffer_free(&f->line);
	buffer_free(&f->last);
	buffer_free(&f->rule);
	buffer_free(&f->message);
	free(f);
}
