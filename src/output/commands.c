#include <stdlib.h>
#include <string.h>

#include "output/ci.h"
#include "output/commands.h"

/* A longer line is taken for ended here. */
enum { LINE_MAX_HELD = 1 << 16, BLANKS_MAX = 1 << 10 };

struct commands {
	struct commands_options o;
	struct mask_stream stream;
	struct buffer line; /* held back: it begins as a command does */
	size_t blanks;      /* so many bytes of blanks are in front of that */
	bool odd;           /* some of these are not ASCII's: no tool writes an annotation so */
	bool inside;        /* the line is none */
};

struct commands *
commands_open(const struct commands_options *options)
{
	struct commands *commands = xcalloc(1, sizeof(*commands));

	commands->o = *options;
	return commands;
}

void
commands_close(struct commands *commands)
{
	if (!commands)
		return;
	buffer_free(&commands->line);
	mask_drop(&commands->stream);
	free(commands);
}

static void
learn(struct commands *commands, const char *text, size_t n)
{
	struct buffer value = { 0 };
	char *bare = xasprintf("%.*s", (int)n, text);

	buffer_addstr(&value, "");
	ci_decode(text, n, &value);
	mask_add(commands->o.mask, "add-mask", value.data);
	/* Forgejo's runner decodes nothing. */
	mask_add(commands->o.mask, "add-mask", bare);
	free(bare);
	buffer_free(&value);
}

static void
hand_on_annotation(const struct commands *commands, const char *line, size_t n)
{
	char *text = mask_text(commands->o.mask, xasprintf("%.*s", (int)n, line));

	commands->o.found(commands->o.data, true, text, strlen(text));
	free(text);
}

/* A command's whole line is here. */
static void
consider(struct commands *commands)
{
	const char *line = commands->line.data + commands->blanks;
	size_t n = commands->line.len - commands->blanks;
	const char *text = ci_text(line, n);

	if (!text)
		return;
	if (ci_add_mask(line, n) == CI_FOUND) {
		learn(commands, text, n - (size_t)(text - line));
		if (commands->o.masks)
			commands->o.found(commands->o.data, false, line, n);
	} else if (commands->o.annotations && !commands->odd &&
		   ci_annotation(line, n) == CI_FOUND) {
		hand_on_annotation(commands, line, n);
	}
}

/* The held line goes on its way. */
static void
release(struct commands *commands, struct buffer *out)
{
	mask_feed(commands->o.mask, &commands->stream, commands->line.data, commands->line.len,
	    out);
	commands->line.len = commands->blanks = 0;
	commands->odd = false;
	commands->inside = true;
}

/* One more byte of a line that may be a command: is it still? */
static void
hold(struct commands *commands, char byte, struct buffer *out)
{
	enum ci_match blank = CI_OTHER;
	const char *start;
	size_t n;

	buffer_add(&commands->line, &byte, 1);
	start = commands->line.data + commands->blanks;
	n = commands->line.len - commands->blanks;
	if (commands->blanks < BLANKS_MAX)
		blank = ci_blank(start, n);
	if (blank == CI_FOUND) {
		commands->blanks += n;
		commands->odd = commands->odd || (byte != ' ' && byte != '\t');
	}
	if (blank != CI_OTHER)
		return;
	if (commands->line.len >= LINE_MAX_HELD)
		consider(commands);
	else if (ci_add_mask(start, n) != CI_OTHER || ci_annotation(start, n) != CI_OTHER)
		return;
	release(commands, out);
}

/* A CR ends a line, as GitHub's runner reads it, and is a part of no command. */
static const char *
line_end(const char *data, size_t n)
{
	const char *end = memchr(data, '\n', n);
	const char *before = memchr(data, '\r', end ? (size_t)(end - data) : n);

	return before ? before : end;
}

void
commands_feed(struct commands *commands, const char *data, size_t n, struct buffer *out)
{
	const char *end = data + n;

	while (data < end) {
		const char *stop = line_end(data, (size_t)(end - data));

		while (!commands->inside && data < end && data != stop)
			hold(commands, *data++, out);
		if (!commands->inside && data == stop && commands->line.len > 0)
			consider(commands);
		if (!commands->inside && data == stop)
			release(commands, out);
		/* The rest of the line, and its end. */
		n = (size_t)((stop ? stop + 1 : end) - data);
		mask_feed(commands->o.mask, &commands->stream, data, n, out);
		if (stop)
			commands->inside = false;
		data += n;
	}
}

void
commands_flush(struct commands *commands, struct buffer *out)
{
	if (commands->line.len > 0)
		consider(commands);
	release(commands, out);
	commands->inside = false;
	mask_flush(&commands->stream, out);
}
