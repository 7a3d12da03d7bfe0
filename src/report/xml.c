#include <string.h>

#include "output/ci.h"
#include "output/escape.h"
#include "output/utf8.h"
#include "report/xml.h"

/* The characters U+FFFE and U+FFFF are none for XML. */
static size_t
character_length(const char *text, size_t n)
{
	bool is_none = n >= 3 && !memcmp(text, "\xef\xbf", 2) && (unsigned char)text[2] >= 0xbe;

	return utf8_length((unsigned char)*text) > n || is_none ? 0 : utf8_next(text);
}

/* What a byte has to be instead; a parser would make blanks of line ends and tabs of attributes. */
static const struct entity {
	char byte;
	const char *within, *quoted; /* in an element, and in an attribute */
} entities[] = {
	{ '<', "&lt;", "&lt;" }, { '>', "&gt;", "&gt;" }, { '&', "&amp;", "&amp;" },
	{ '"', "&quot;", "&quot;" }, { '\n', "\n", "&#10;" }, { '\t', "\t", "&#9;" },
	{ '\r', "\n", "&#10;" },
};

static const char *
entity_of(char byte, bool quoted)
{
	for (size_t i = 0; i < countof(entities); i++)
		if (entities[i].byte == byte)
			return quoted ? entities[i].quoted : entities[i].within;
	return NULL;
}

/* Would a CI take what begins with that character for a command? The document may go to its log. */
static bool
begins_command(struct ci_line *line, const char *text, size_t n)
{
	bool is_blank = line->n == 0 && n > 0 && ci_blank(text, n) == CI_FOUND;

	return !is_blank && !utf8_is_joiner(text, n) && *ci_guard(line, *text);
}

static void
add(struct buffer *out, const char *text, size_t n, bool quoted)
{
	struct ci_line line = { 0 };

	for (size_t i = 0, length; i < n; i += length) {
		const char *entity = entity_of(text[i], quoted);

		length = escape_length(text + i, n - i);
		if (length > 0)
			continue;
		length = character_length(text + i, n - i);
		if (text[i] == '\n' || text[i] == '\r')
			line = (struct ci_line){ 0 };
		else if (begins_command(&line, text + i, length) && !entity && length == 1) {
			buffer_printf(out, "&#%d;", text[i]);
			continue;
		}
		if (entity || length == 0) {
			length = 1 + (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n');
			buffer_addstr(out, entity ? entity : "\xef\xbf\xbd");
		} else {
			buffer_add(out, text + i, length);
		}
	}
}

void
xml_add(struct buffer *out, const char *text, size_t n)
{
	add(out, text, n, false);
}

void
xml_add_quoted(struct buffer *out, const char *text)
{
	add(out, text, strlen(text), true);
}
