#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/escape.h"
#include "output/tail.h"

/* Bytes at the end of a log in which its last line is looked for, and its last lines. */
enum { LINE_IN = 1 << 10, LINES_IN = 1 << 14 };

static void
strip(char *text)
{
	char *to = text, *end = text + strlen(text);
	size_t n;

	for (const char *from = text; from < end; from += n) {
		n = escape_length(from, (size_t)(end - from));
		if (n > 0)
			continue;
		n = 1;
		*to++ = *from;
	}
	*to = '\0';
}

/* The last state of a line that has something to see, or NULL. May write to it. */
static char *
last_state(char *line)
{
	char *state;

	do {
		state = strrchr(line, '\r');
		if (state)
			*state++ = '\0';
		else
			state = line;
		strip(state);
		if (state[strspn(state, " \t")])
			return state;
	} while (state != line);
	return NULL;
}

/* At most so many bytes of the log, from its end on. whole: that is all of it. The caller frees. */
static char *
read_end(int log, off_t most, bool *whole)
{
	off_t size = log < 0 ? 0 : lseek(log, 0, SEEK_END), from = size > most ? size - most : 0;
	char *text = xcalloc(1, (size_t)most + 1);
	ssize_t n = log < 0 ? 0 : pread(log, text, (size_t)most, from);

	/* A NUL would end the text. */
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	*whole = log >= 0 && from == 0;
	return text;
}

/* What the session wrote: the first line is ours. */
static char *
behind_command(char *text)
{
	char *end = strchr(text, '\n');

	return end ? end + 1 : text + strlen(text);
}

/* Cuts off what joblog_close has added: the last line, and one before it that names secrets. */
static void
cut_end(char *text)
{
	static const char masked[] = "\n[noxmk: masked: ";
	size_t len = strlen(text);
	char *end;

	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	end = strrchr(text, '\n');
	if (!end)
		return;
	*end = '\0';
	end = strrchr(text, '\n');
	if (end && !strncmp(end, masked, sizeof(masked) - 1))
		*end = '\0';
}

char *
tail_line(int log)
{
	bool whole;
	char *text = read_end(log, LINE_IN, &whole), *rest = whole ? behind_command(text) : text;
	char *end = rest + strlen(rest), *line = NULL, *found;

	while (!line && end) {
		end = strrchr(rest, '\n');
		line = last_state(end ? end + 1 : rest);
		if (end)
			*end = '\0';
	}
	found = xstrdup(line ? line + strspn(line, " \t") : "");
	free(text);
	return found;
}

struct tail
tail_open(int log, size_t most)
{
	struct tail tail = { 0 };
	char *rest, *line;

	tail.text = read_end(log, LINES_IN, &tail.whole);
	rest = tail.whole ? behind_command(tail.text) : tail.text;
	cut_end(rest);
	while ((line = strsep(&rest, "\n"))) {
		line = last_state(line);
		if (line)
			strings_add(&tail.lines, line);
	}
	if (tail.lines.n > most) {
		tail.whole = false;
		memmove(tail.lines.v, tail.lines.v + tail.lines.n - most,
		    most * sizeof(*tail.lines.v));
		tail.lines.n = most;
	}
	return tail;
}

void
tail_close(struct tail *tail)
{
	free(tail->lines.v);
	free(tail->text);
	*tail = (struct tail){ 0 };
}
