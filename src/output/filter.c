#include <stdlib.h>
#include <string.h>

#include <bsd/vis.h>

#include "output/ci.h"
#include "output/filter.h"
#include "output/utf8.h"

enum { ESCAPE = '\033', SEQUENCE_MAX = 64, START_MAX = 16 };

#define OURS "noxmk: "
#define NOT_OURS "| "

struct filter {
	enum ci ci;
	bool styled;             /* a colour or the like has been set and not ended */
	bool inside;             /* the line has more than blanks and colours by now */
	bool disguised;          /* it has colours in front, or blanks that ASCII does not have */
	bool returned;           /* the last byte was a CR, which may yet be half of a CR LF */
	bool afresh;             /* a CR has begun the line anew, and there is nothing in it */
	char start[START_MAX];   /* held back: how the line begins, as ours do, or an annotation */
	size_t nstart;
	struct ci_line line;
	char held[SEQUENCE_MAX]; /* the start of a sequence or a character */
	size_t n;                /* of the bytes held */
};

struct filter *
filter_open(enum ci ci)
{
	struct filter *filter = xcalloc(1, sizeof(*filter));

	filter->ci = ci;
	return filter;
}

void
filter_close(struct filter *filter)
{
	free(filter);
}

static void
put_guarded(struct filter *filter, const char *text, size_t n, bool guarded, struct buffer *out)
{
	/* Some readers pass over what is not seen, also within what begins a command. */
	const char *guard = filter->ci == CI_NONE || utf8_is_joiner(text, n) ? "" :
	    ci_guard(&filter->line, *text);

	if (guarded)
		buffer_addstr(out, guard);
	buffer_add(out, text, n);
}

/* What was held back goes out. ours: it would look so without a mark; passed: as it is. */
static void
release(struct filter *filter, bool ours, bool passed, struct buffer *out)
{
	if (ours && filter->nstart > 0)
		buffer_addstr(out, NOT_OURS);
	for (size_t i = 0; i < filter->nstart; i++)
		put_guarded(filter, filter->start + i, 1, !passed, out);
	filter->inside = filter->inside || filter->nstart > 0;
	filter->nstart = 0;
}

/* One of the line's first characters, which is held back while it may yet be one of two things. */
static void
hold(struct filter *filter, char byte, struct buffer *out)
{
	enum ci_match annotation = CI_OTHER;
	bool ours;

	filter->start[filter->nstart++] = byte;
	ours = filter->nstart <= strlen(OURS) && !memcmp(OURS, filter->start, filter->nstart);
	if (filter->ci == CI_ANNOTATIONS && !filter->disguised)
		annotation = ci_annotation(filter->start, filter->nstart);
	if (ours ? OURS[filter->nstart] == '\0' : annotation != CI_MAYBE)
		release(filter, ours, annotation == CI_FOUND, out);
}

/* One character, which may be shown. */
static void
put(struct filter *filter, const char *text, size_t n, struct buffer *out)
{
	filter->afresh = false;
	if (!filter->inside && filter->nstart == 0 && ci_blank(text, n) == CI_FOUND) {
		filter->disguised = filter->disguised || n > 1;
		buffer_add(out, text, n);
		return;
	}
	if (!filter->inside && n == 1) {
		hold(filter, *text, out);
		return;
	}
	release(filter, false, false, out);
	filter->inside = true;
	put_guarded(filter, text, n, true, out);
}

static void
put_visible(struct filter *filter, const char *bytes, size_t n, struct buffer *out)
{
	for (size_t i = 0; i < n; i++) {
		char text[8];

		vis(text, (unsigned char)bytes[i], VIS_OCTAL, 0);
		put(filter, text, strlen(text), out);
	}
}

static void
end_line(struct filter *filter, char end, struct buffer *out)
{
	release(filter, false, false, out);
	buffer_add(out, &end, 1);
	filter->inside = filter->disguised = filter->returned = false;
	filter->afresh = end == '\r';
	filter->line = (struct ci_line){ 0 };
}

/* The held bytes are whole, and may be shown or not; or they will never be whole. */
static void
put_held(struct filter *filter, bool shown, struct buffer *out)
{
	size_t n = filter->n;

	filter->n = 0;
	if (!shown) {
		put_visible(filter, filter->held, n, out);
	} else if (filter->held[0] == ESCAPE) {
		/* "no", a colour, "xmk: " would look like ours. */
		release(filter, true, false, out);
		filter->disguised = true;
		buffer_add(out, filter->held, n);
	} else {
		put(filter, filter->held, n, out);
	}
}

/* The byte behind those of a sequence that are held. False if it does not belong to them. */
static bool
go_on_escape(struct filter *filter, char byte, struct buffer *out)
{
	bool fits = filter->n == 1 ? byte == '[' : strchr("0123456789;:m", byte) && byte;

	/* That the old state of a progress bar is to be erased is clear (EL, ECMA-48). */
	if (byte == 'K' && filter->afresh && filter->n > 1) {
		filter->n = 0;
		return true;
	}

	if (!fits || filter->n == SEQUENCE_MAX) {
		put_held(filter, false, out);
		return false;
	}
	filter->held[filter->n++] = byte;
	if (byte == 'm') {
		/* ESC [ m and ESC [ 0 m are back to normal. */
		filter->styled = filter->n != 3 && !(filter->n == 4 && filter->held[2] == '0');
		put_held(filter, true, out);
	}
	return true;
}

/* Likewise for a character. */
static bool
go_on_character(struct filter *filter, char byte, struct buffer *out)
{
	if (((unsigned char)byte & 0xc0) != 0x80) {
		put_held(filter, false, out);
		return false;
	}
	filter->held[filter->n++] = byte;
	/* A line that begins with what is not seen looks like another. */
	if (filter->n == utf8_length((unsigned char)filter->held[0]))
		put_held(filter, utf8_is_printable(filter->held, filter->n) &&
		    (filter->inside || !utf8_is_joiner(filter->held, filter->n)), out);
	return true;
}

static void
feed(struct filter *filter, char byte, struct buffer *out)
{
	if (filter->n > 0 && (filter->held[0] == ESCAPE ? go_on_escape(filter, byte, out) :
							  go_on_character(filter, byte, out)))
		return;
	if (byte == '\r') {
		filter->returned = true;
		return;
	}
	if (filter->returned && byte != '\n')
		end_line(filter, '\r', out);
	if (byte == '\n')
		end_line(filter, '\n', out);
	else if (byte == ESCAPE || utf8_length((unsigned char)byte) > 0)
		filter->held[filter->n++] = byte;
	else if (byte == '\t' || (byte >= ' ' && byte < 0x7f))
		put(filter, &byte, 1, out);
	else
		put_visible(filter, &byte, 1, out);
}

void
filter_feed(struct filter *filter, const char *data, size_t n, struct buffer *out)
{
	for (size_t i = 0; i < n; i++)
		feed(filter, data[i], out);
}

void
filter_flush(struct filter *filter, struct buffer *out)
{
	put_held(filter, false, out);
	if (filter->returned)
		end_line(filter, '\r', out);
	release(filter, false, false, out);
	if (filter->styled)
		buffer_addstr(out, "\033[0m");
	filter->styled = false;
}
