#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/vis.h>

#include "output/ci.h"
#include "output/filter.h"

enum { ESCAPE = '\033', SEQUENCE_MAX = 64 };

#define OURS "noxmk: "
#define NOT_OURS "| "

struct filter {
	bool ci;
	bool styled;             /* a colour or the like has been set and not ended */
	bool inside;             /* the line has more than blanks and colours by now */
	bool returned;           /* the last byte was a CR, which may yet be half of a CR LF */
	size_t ours;             /* of OURS so much began the line, and is held back */
	struct ci_line line;
	char held[SEQUENCE_MAX]; /* the start of a sequence or a character */
	size_t n;                /* of the bytes held */
};

struct filter *
filter_open(bool ci)
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

/* The line does not begin as ours do, or no more comes: what was held back for that goes out. */
static void
release(struct filter *filter, struct buffer *out)
{
	buffer_add(out, OURS, filter->ours);
	filter->inside = filter->inside || filter->ours > 0;
	filter->ours = 0;
}

/* One character, which may be shown. */
static void
put(struct filter *filter, const char *text, size_t n, struct buffer *out)
{
	char byte = *text;
	const char *guard = filter->ci ? ci_guard(&filter->line, byte) : "";

	if (!*guard && !filter->inside && byte == OURS[filter->ours]) {
		if (OURS[++filter->ours] == '\0') {
			buffer_addstr(out, NOT_OURS);
			release(filter, out);
		}
		return;
	}
	release(filter, out);
	buffer_addstr(out, guard);
	filter->inside = filter->inside || (byte != ' ' && byte != '\t');
	buffer_add(out, text, n);
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
end_line(struct filter *filter, struct buffer *out)
{
	release(filter, out);
	buffer_addstr(out, "\n");
	filter->inside = filter->returned = false;
	filter->line = (struct ci_line){ 0 };
}

/* How many bytes a character has that begins with this one; 0 if none does in UTF-8 (RFC 3629). */
static size_t
utf8_length(unsigned char byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return 2;
	if (byte >= 0xe0 && byte <= 0xef)
		return 3;
	return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/* A whole character may be overlong, a surrogate, a control (C1) or one that turns lines round. */
static bool
is_printable(const char *bytes, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = (unsigned char)bytes[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	return c >= least[n] && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff) && c >= 0xa0 &&
	       !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0x2028 &&
	       c != 0x2029;
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
		if (filter->ours > 0)
			buffer_addstr(out, NOT_OURS);
		release(filter, out);
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
	if (filter->n == utf8_length((unsigned char)filter->held[0]))
		put_held(filter, is_printable(filter->held, filter->n), out);
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
		end_line(filter, out);
	if (byte == '\n')
		end_line(filter, out);
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
		end_line(filter, out);
	release(filter, out);
	if (filter->styled)
		buffer_addstr(out, "\033[0m");
	filter->styled = false;
}
