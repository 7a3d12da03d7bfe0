#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/slug.h"
#include "report/pytest.h"

/* Lines of a message; and tests that are known to have a finding. */
enum { LINES_MOST = 5, KNOWN_MOST = 2000 };

/*
 * The words of "===== FAILURES =====", or of the same with underlines, in the middle. No words: it
 * is no such line.
 */
static struct part
title_of(const char *line, char around)
{
	struct part title = { line, strlen(line) };

	if (*line != around || title.s[title.n - 1] != around)
		return (struct part){ "", 0 };
	while (title.n > 0 && title.s[title.n - 1] == around)
		title.n--;
	while (title.n > 0 && *title.s == around) {
		title.s++;
		title.n--;
	}
	if (title.n < 3 || *title.s != ' ' || title.s[title.n - 1] != ' ')
		return (struct part){ "", 0 };
	/* "_ _ _ _" stands between the places of a block. */
	if (!memcmp(title.s, " _ ", 3))
		return (struct part){ "", 0 };
	return (struct part){ title.s + 1, title.n - 2 };
}

/* A test has one name in its block, another in the summary: Class.test, Class::test. */
static size_t
hash_of(const char *name)
{
	struct buffer plain = { 0 };
	size_t hash;

	buffer_addstr(&plain, "");
	for (; *name; name++) {
		if (line_begins(name, "::"))
			name++;
		buffer_add(&plain, *name == ':' ? "." : name, 1);
	}
	hash = slug_hash(plain.data);
	buffer_free(&plain);
	return hash;
}

static void
tell(const struct finder *finder, const char *file, unsigned line, const char *test,
    const char *message)
{
	struct finding finding = { .file = file, .line = line, .rule = test, .message = message };

	finder->found(finder->to, &finding);
}

static void
set_place(struct pytest *p, char *file, unsigned line)
{
	if (!file)
		return;
	free(p->file);
	p->file = file;
	p->line = line;
}

/* A traceback within a block (--tb=native) tells of the block's test. */
static void
found_in_block(void *to, const struct finding *finding)
{
	struct pytest *p = to;

	set_place(p, xstrdup(finding->file), finding->line);
	p->message.len = 0;
	buffer_addstr(&p->message, finding->message);
}

static struct finder
finder_in_block(struct pytest *p, const struct finder *finder)
{
	struct finder within = *finder;

	within.found = found_in_block;
	within.to = p;
	return within;
}

static void
end_block(struct pytest *p, const struct finder *finder)
{
	struct finder within = finder_in_block(p, finder);

	traceback_end(&p->traceback, &within);
	if (p->name && p->file) {
		tell(finder, p->file, p->line, p->name,
		    p->message.len > 0 ? p->message.data : "it failed");
		if (p->known.n < KNOWN_MOST)
			indices_add(&p->known, hash_of(p->name));
	}
	free(p->name);
	free(p->file);
	p->name = p->file = NULL;
	p->captured = p->in_message = p->syntax = false;
	p->lines = 0;
	p->message.len = 0;
}

void
pytest_end(struct pytest *p, const struct finder *finder)
{
	end_block(p, finder);
	buffer_free(&p->message);
	free(p->known.v);
	*p = (struct pytest){ 0 };
}

static void
begin_block(struct pytest *p, const struct part *title)
{
	static const char *const befores[] = { "ERROR at setup of ", "ERROR at teardown of ",
		"ERROR collecting ", "[doctest] " };
	struct part name = *title;

	for (size_t i = 0; i < countof(befores); i++)
		if (part_begins(&name, befores[i])) {
			name.s += strlen(befores[i]);
			name.n -= strlen(befores[i]);
		}
	p->name = xasprintf("%.*s", (int)name.n, name.s);
}

/* A line that begins with E: another message replaces the last one, as of a chain of exceptions. */
static void
add_message(struct pytest *p, const struct finder *finder, const char *text)
{
	size_t blanks = strspn(text, " ");
	unsigned line = 0;
	char *file;

	if (!p->in_message) {
		p->message.len = p->lines = 0;
		p->indent = blanks;
		p->syntax = false;
	}
	p->in_message = true;
	text += blanks < p->indent ? blanks : p->indent;
	if (line_begins(text + strspn(text, " "), "File \"")) {
		file = traceback_frame(finder, text + strspn(text, " "), &line);
		set_place(p, file, line);
		p->syntax = true;
	}
	if (p->syntax)
		p->message.len = p->lines = 0;
	if (p->lines++ >= LINES_MOST)
		return;
	buffer_addstr(&p->message, p->lines > 1 ? "\n" : "");
	buffer_addstr(&p->message, text);
}

/* "FILE:LINE: in NAME", "FILE:LINE: NAME" of an exception, "FILE:LINE: ". */
static void
read_place(struct pytest *p, const struct finder *finder, const char *line)
{
	const char *rest;
	struct match m;

	if (!grammar_match("%f:%l:%w", line, &m))
		return;
	rest = m.word.s + strspn(m.word.s, " ");
	if (line_begins(rest, "in "))
		rest = "";
	if (rest[strspn(rest, LETTERS DIGITS "_.")])
		return;
	set_place(p, finder->file(finder->data, m.file.s, m.file.n), m.line);
	if (*rest && p->message.len == 0)
		buffer_addstr(&p->message, rest);
}

/* --tb=line has no blocks, and whole paths. */
static void
read_line_style(const struct finder *finder, const char *line)
{
	struct match m;
	char *file;

	if (*line != '/' || !grammar_match("%f:%l: %m", line, &m))
		return;
	file = finder->file(finder->data, m.file.s, m.file.n);
	if (file)
		tell(finder, file, m.line, "", m.message.s);
	free(file);
}

static void
read_failure(struct pytest *p, const struct finder *finder, const char *line)
{
	struct finder within = finder_in_block(p, finder);
	struct part title = title_of(line, '_');

	if (title.n > 0) {
		end_block(p, finder);
		begin_block(p, &title);
		return;
	}
	if (p->name && line_begins(line, "---") && strstr(line, " Captured "))
		p->captured = true;
	if (p->captured)
		return;
	if (!strcmp(line, "E") || line_begins(line, "E  ")) {
		add_message(p, finder, line + 1);
		return;
	}
	p->in_message = false;
	if (!p->name)
		read_line_style(finder, line);
	else if (!traceback_line(&p->traceback, &within, line))
		read_place(p, finder, line);
}

/* What the lines of the short summary look like; a test's name may have blanks. */
static bool
read_summary(const struct pytest *p, const struct finder *finder, const char *line)
{
	static const char *const grammars[] = { "FAILED %f::%w - %m", "FAILED %f::%w",
		"ERROR %f::%w - %m", "ERROR %f::%w", "ERROR %f - %m", "ERROR %f",
		"SUBFAILED%w %f::%w - %m" };
	struct match m = { 0 };
	char *file, *test;
	size_t i = 0;

	while (!grammar_match(grammars[i], line, &m))
		if (++i == countof(grammars))
			return false;
	file = finder->file(finder->data, m.file.s, m.file.n);
	if (m.word.n == 0)
		m.word = m.file;
	test = xasprintf("%.*s", (int)m.word.n, m.word.s);
	if (file && !indices_has(&p->known, hash_of(test)))
		tell(finder, file, 0, test, m.message.n > 0 ? m.message.s : "it failed");
	free(test);
	free(file);
	return true;
}

/* "rootdir: FOLDER, configfile: …": the summary's paths are seen from there. */
static void
read_root(const struct finder *finder, const char *line)
{
	const char *root = line + strlen("rootdir: ");

	if (line_begins(line, "rootdir: "))
		finder->folder(finder->data, FOLDER_PYTEST, root, strcspn(root, ","));
}

static void
begin_section(struct pytest *p, const struct finder *finder, const struct part *title)
{
	end_block(p, finder);
	/* What tests print while they run, or have printed if they have passed, is no report. */
	p->section = PYTEST_QUIET;
	if (part_is(title, "FAILURES") || part_is(title, "ERRORS"))
		p->section = PYTEST_FAILURES;
	else if (part_is(title, "short test summary info"))
		p->section = PYTEST_SUMMARY;
	else if (part_is(title, "test session starts"))
		p->known.n = 0;
}

/* "3 failed, 7 passed in 0.05s" */
static bool
is_last(const char *text)
{
	struct match m;

	return (*text >= '0' && *text <= '9' && grammar_match("%w in %l.%w", text, &m)) ||
	       line_begins(text, "no tests ran in ");
}

bool
pytest_line(struct pytest *p, const struct finder *finder, const char *line)
{
	static const struct part conftest = { "conftest", strlen("conftest") };
	struct part title = title_of(line, '=');

	if (title.n > 0 ? is_last(title.s) : !p->captured && is_last(line)) {
		end_block(p, finder);
		p->section = PYTEST_NONE;
		return true;
	}
	if (title.n > 0) {
		begin_section(p, finder, &title);
		return true;
	}
	if (line_begins(line, "ImportError while loading conftest '")) {
		end_block(p, finder);
		p->section = PYTEST_FAILURES;
		begin_block(p, &conftest);
	}
	switch (p->section) {
	case PYTEST_FAILURES:
		read_failure(p, finder, line);
		return true;
	case PYTEST_SUMMARY:
		return read_summary(p, finder, line);
	case PYTEST_QUIET:
		read_root(finder, line);
		return !line_begins(line, "INTERNALERROR> ");
	default:
		read_root(finder, line);
		return false;
	}
}
