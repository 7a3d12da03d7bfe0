#include <string.h>

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

void
xml_add(struct buffer *out, const char *text, size_t n)
{
	static const struct {
		char byte;
		const char *entity;
	} entities[] = { { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { '"', "&quot;" },
		{ '\n', "\n" }, { '\t', "\t" }, { '\r', "\n" } };

	for (size_t i = 0, length; i < n; i += length) {
		const char *entity = NULL;

		length = escape_length(text + i, n - i);
		if (length > 0)
			continue;
		for (size_t k = 0; k < countof(entities); k++)
			if (text[i] == entities[k].byte)
				entity = entities[k].entity;
		length = character_length(text + i, n - i);
		if (entity || length == 0) {
			length = 1 + (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n');
			buffer_addstr(out, entity ? entity : "\xef\xbf\xbd");
		} else {
			buffer_add(out, text + i, length);
		}
	}
}
