#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/lines.h"

/* Seconds after which the start of a line is shown: where nobody else writes, and elsewhere. */
#define SOON 0.2
#define LATE 1.0

/*
 * Bytes of colours and marks around a line; those of a line behind an endless target; and those of
 * a command, which is not cut.
 */
enum { STYLE_MAX = 128, MARKS_MAX = 16, LEAST = 256, COMMAND_MAX = 1 << 16 };

#define GOES_ON " …"
#define WENT_ON "… "
#define PLAIN "\033[0m"

struct lines {
	char *prefix;        /* "TARGET | ", or "" */
	bool whole;          /* each line goes out whole, or in parts that say so */
	bool hurries;        /* a line that takes long is not waited for */
	bool commands;
	size_t room;         /* bytes of a line that go out at once */
	struct buffer line;  /* what is held back of the line: its present state */
	bool returned;       /* what comes next begins its next state */
	bool overwritten;    /* it is not its first state */
	bool open;           /* its start has been shown */
	bool in_style;       /* in the middle of a sequence ESC [ … m */
	size_t style_at;     /* where in the line that begins */
	struct buffer style; /* the sequences since the last return to normal */
	struct buffer before; /* those of them from before the line */
	double due;
	struct buffer out;   /* what goes out next */
};

struct lines *
lines_open(const char *target, enum ci ci)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	size_t extra;

	*lines = (struct lines){ .commands = ci == CI_ANNOTATIONS, .room = PIPE_BUF,
		.whole = target || ci != CI_NONE, .hurries = target || ci == CI_NONE };
	lines->prefix = target ? xasprintf("%s | ", target) : xstrdup("");
	extra = strlen(lines->prefix) + STYLE_MAX + MARKS_MAX;
	if (lines->whole)
		lines->room = extra < PIPE_BUF - LEAST ? PIPE_BUF - extra : LEAST;
	return lines;
}

void
lines_close(struct lines *lines)
{
	if (!lines)
		return;
	free(lines->prefix);
	buffer_free(&lines->line);
	buffer_free(&lines->style);
	buffer_free(&lines->before);
	buffer_free(&lines->out);
	free(lines);
}

/* That a reader went away costs the display only: the log is the record. */
static void
write_out(struct lines *lines)
{
	if (lines->out.len > 0) {
		fwrite(lines->out.data, 1, lines->out.len, stdout);
		fflush(stdout);
	}
	lines->out.len = 0;
}

static bool
is_command(const struct lines *lines)
{
	const char *text = lines->line.data ? lines->line.data : "";

	return lines->commands && !lines->open && !strncmp(text + strspn(text, " \t"), "::", 2);
}

/* What is held back goes out, as a line or a part of one. */
static void
put_whole(struct lines *lines, bool ended)
{
	size_t most = lines->line.len + strlen(lines->prefix) + STYLE_MAX + MARKS_MAX;

	if (lines->out.len + most > PIPE_BUF)
		write_out(lines);
	if (!is_command(lines))
		buffer_printf(&lines->out, "%s%s", lines->prefix, lines->open ? WENT_ON : "");
	buffer_add(&lines->out, lines->before.data, lines->before.len);
	buffer_add(&lines->out, lines->line.data, lines->line.len);
	if (lines->style.len > 0)
		buffer_addstr(&lines->out, PLAIN);
	buffer_addstr(&lines->out, ended ? "\n" : GOES_ON "\n");
	lines->before.len = 0;
	buffer_add(&lines->before, lines->style.data, lines->style.len);
}

static void
put(struct lines *lines, bool ended)
{
	if (lines->whole) {
		put_whole(lines, ended);
	} else {
		buffer_add(&lines->out, lines->line.data, lines->line.len);
		if (ended)
			buffer_addstr(&lines->out, "\n");
	}
	lines->line.len = 0;
	lines->open = !ended;
	lines->due = 0;
}

static void
end_line(struct lines *lines)
{
	put(lines, true);
	lines->returned = lines->overwritten = false;
}

/* The line's next state begins. Of the last one a part may be on the screen. */
static void
begin_state(struct lines *lines)
{
	lines->returned = false;
	lines->overwritten = true;
	if (lines->open && lines->whole)
		lines->open = false;
	else if (lines->open)
		put(lines, true);
	lines->line.len = 0;
}

/* A sequence has ended in the line. */
static void
note_style(struct lines *lines)
{
	const char *sequence = lines->line.data + lines->style_at;
	size_t n = lines->line.len - lines->style_at;

	lines->in_style = false;
	if (n == 3 || (n == 4 && sequence[2] == '0'))
		lines->style.len = 0;
	else if (lines->style.len + n <= STYLE_MAX / 2)
		buffer_add(&lines->style, sequence, n);
}

static void
add(struct lines *lines, char byte, double now)
{
	bool within = lines->in_style || ((unsigned char)byte & 0xc0) == 0x80;

	if (lines->returned)
		begin_state(lines);
	/* A part of a command would be another one. */
	if (lines->line.len >= lines->room && !within &&
	    (lines->line.len >= COMMAND_MAX || !is_command(lines)))
		put(lines, false);
	if (byte == '\033') {
		lines->in_style = true;
		lines->style_at = lines->line.len;
	}
	buffer_add(&lines->line, &byte, 1);
	if (lines->in_style && byte == 'm')
		note_style(lines);
	if (lines->due == 0)
		lines->due = now + (lines->whole ? LATE : SOON);
}

void
lines_feed(struct lines *lines, const char *text, size_t n, double now)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			end_line(lines);
		else if (text[i] == '\r')
			lines->returned = true;
		else
			add(lines, text[i], now);
	}
	write_out(lines);
}

double
lines_due(const struct lines *lines)
{
	if (!lines->hurries || lines->overwritten || lines->returned || lines->line.len == 0 ||
	    is_command(lines))
		return 0;
	return lines->due;
}

void
lines_look(struct lines *lines, double now)
{
	double due = lines_due(lines);

	if (due != 0 && now >= due)
		put(lines, false);
	write_out(lines);
}

void
lines_flush(struct lines *lines, bool end)
{
	if (lines->line.len > 0 || (lines->open && end && !lines->whole)) {
		put(lines, end || lines->whole);
		lines->returned = lines->overwritten = false;
	}
	write_out(lines);
}
