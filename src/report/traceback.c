#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "report/traceback.h"

#define HEAD "Traceback (most recent call last):"
#define GROUP "Exception Group "

/* No text in front of a traceback is longer; so many lines has a SyntaxError without a head. */
enum { BEFORE_MOST = 80, SYNTAX_MOST = 6 };

char *
traceback_frame(const struct finder *finder, const char *text, unsigned *line)
{
	struct match match;

	if (!grammar_match("File \"%f\", line %l", text, &match) &&
	    !grammar_match("File \"%f\", line %l, in %w", text, &match))
		return NULL;
	*line = match.line;
	return finder->file(finder->data, match.file.s, match.file.n);
}

static void
forget(struct traceback *t)
{
	free(t->file);
	t->file = NULL;
	t->frames = 0;
	t->state = t->ended_file ? TRACEBACK_ENDED : TRACEBACK_NONE;
}

/* The finding of the exceptions so far. */
static void
tell(struct traceback *t, const struct finder *finder)
{
	struct finding finding = { .file = t->ended_file, .line = t->ended_line, .rule = "",
		.message = t->message.data };

	if (t->ended_file)
		finder->found(finder->to, &finding);
	free(t->ended_file);
	t->ended_file = NULL;
	buffer_free(&t->message);
}

void
traceback_end(struct traceback *t, const struct finder *finder)
{
	tell(t, finder);
	forget(t);
	buffer_free(&t->before);
	*t = (struct traceback){ 0 };
}

/* Its last line. One that has no frame of ours changes nothing, as one that is no failure. */
static void
conclude(struct traceback *t, const char *message)
{
	if (t->file && !line_begins(message, "KeyboardInterrupt")) {
		free(t->ended_file);
		t->ended_file = t->file;
		t->ended_line = t->line;
		t->file = NULL;
		t->message.len = 0;
		buffer_addstr(&t->message, message);
	}
	forget(t);
}

/* The name of an exception, and maybe what it says. */
static bool
is_exception(const char *text)
{
	size_t n = strspn(text, LETTERS DIGITS "_.");

	return n > 0 && (!text[n] || line_begins(text + n, ": ") || !strcmp(text + n, ":"));
}

/* In a group of exceptions the head has a + where the other lines have a |. */
static void
begin(struct traceback *t, const char *line, size_t before)
{
	size_t group = strlen(GROUP);
	bool grouped = before >= group && line_begins(line + before - group, GROUP);

	forget(t);
	t->chained = false;
	t->before.len = 0;
	buffer_add(&t->before, line, grouped ? before - group : before);
	for (size_t i = 0; grouped && i < t->before.len; i++)
		if (t->before.data[i] == '+')
			t->before.data[i] = '|';
	t->state = TRACEBACK_FRAMES;
}

static void
see_frame(struct traceback *t, const struct finder *finder, const char *text)
{
	unsigned line;
	char *file = traceback_frame(finder, text, &line);

	if (!file)
		return;
	free(t->file);
	t->file = file;
	t->line = line;
}

/* A logger has its own words in front of the head only. */
static bool
is_inside(struct traceback *t, const char *line)
{
	if (t->frames == 0 && strncmp(line, t->before.data, t->before.len) != 0 &&
	    line_begins(line, "  File \""))
		t->before.len = 0;
	return strncmp(line, t->before.data, t->before.len) == 0;
}

static bool
read_frames(struct traceback *t, const struct finder *finder, const char *line)
{
	const char *text;

	if (!is_inside(t, line)) {
		forget(t);
		return false;
	}
	text = line + t->before.len;
	t->frames++;
	if (line_begins(text, "  File \"")) {
		see_frame(t, finder, text + 2);
	} else if (is_exception(text)) {
		conclude(t, text);
	} else if (*text != ' ') {
		forget(t);
		return false;
	}
	return true;
}

/* `Sorry: ` is py_compile's. */
static bool
read_syntax(struct traceback *t, const char *line)
{
	static const char *const names[] = { "SyntaxError", "IndentationError", "TabError" };
	const char *text = line_begins(line, "Sorry: ") ? line + strlen("Sorry: ") : line;

	t->frames++;
	for (size_t i = 0; i < countof(names); i++)
		if (line_begins(text, names[i]) && is_exception(text)) {
			conclude(t, text);
			return true;
		}
	if (*line == ' ' && t->frames < SYNTAX_MOST)
		return true;
	forget(t);
	return false;
}

/* Between two exceptions that come from each other there is a sentence, between blank lines. */
static bool
read_between(struct traceback *t, const char *line)
{
	if (strstr(line, "the above exception, another exception occurred:") ||
	    strstr(line, "The above exception was the direct cause of the following exception:"))
		t->chained = true;
	else if (*line)
		return false;
	return true;
}

bool
traceback_line(struct traceback *t, const struct finder *finder, const char *line)
{
	const char *head = strstr(line, HEAD);

	if (head && !head[strlen(HEAD)] && head - line <= BEFORE_MOST) {
		if (!t->chained)
			tell(t, finder);
		begin(t, line, (size_t)(head - line));
		return true;
	}
	if (t->state == TRACEBACK_FRAMES && read_frames(t, finder, line))
		return true;
	if (t->state == TRACEBACK_SYNTAX && read_syntax(t, line))
		return true;
	if (t->state == TRACEBACK_ENDED && read_between(t, line))
		return true;
	tell(t, finder);
	forget(t);
	if (!line_begins(line, "  File \""))
		return false;
	see_frame(t, finder, line + 2);
	t->state = TRACEBACK_SYNTAX;
	return true;
}
