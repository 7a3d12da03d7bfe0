/*
 * Anything at all on its way to a terminal or a CI. The input's first byte: in which pieces it
 * comes, and who reads it.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/filter.h"

static void
filter(enum ci ci, const uint8_t *data, size_t size, size_t piece, struct buffer *out)
{
	struct filter *filter = filter_open(ci);

	buffer_addstr(out, "");
	for (size_t i = 0; i < size; i += piece)
		filter_feed(filter, (const char *)data + i, size - i < piece ? size - i : piece,
		    out);
	filter_flush(filter, out);
	filter_close(filter);
}

/* ESC [ digits and separators m: its length, or 0. */
static size_t
style_length(const char *text)
{
	size_t n;

	if (text[0] != '\033' || text[1] != '[')
		return 0;
	n = 2 + strspn(text + 2, "0123456789;:");
	return text[n] == 'm' ? n + 1 : 0;
}

static bool
is_annotation(const char *line)
{
	return ci_annotation(line, strlen(line)) == CI_FOUND;
}

/* Of a line without its colours: nothing in it is a command. */
static void
check_line(const char *line, enum ci ci)
{
	line += strspn(line, " \t");
	REQUIRE(strncmp(line, "noxmk: ", 7) != 0);
	if (ci == CI_NONE)
		return;
	REQUIRE(*line != ':' || (ci == CI_ANNOTATIONS && is_annotation(line)));
	REQUIRE(!strstr(line, "##[") && !strstr(line, "##vso") && !strstr(line, "##teamcity"));
}

static void
check_shown(const struct buffer *shown, enum ci ci)
{
	char *plain = malloc(shown->len + 1), *rest, *line;
	size_t n = 0, skip;

	REQUIRE(plain && strlen(shown->data) == shown->len);
	for (const char *p = shown->data; *p; p += skip) {
		unsigned char byte = (unsigned char)*p;

		skip = style_length(p);
		if (skip > 0)
			continue;
		skip = 1;
		REQUIRE(strchr("\n\r\t", byte) || (byte >= ' ' && byte != 0x7f));
		/* C1 controls, in UTF-8. */
		REQUIRE(!(byte == 0xc2 && (unsigned char)p[1] < 0xa0));
		plain[n++] = *p;
	}
	plain[n] = '\0';
	for (rest = plain; (line = strsep(&rest, "\r\n"));)
		check_line(line, ci);
	free(plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole = { 0 }, pieces = { 0 };
	enum ci ci;

	if (size == 0)
		return 0;
	ci = data[0] % 3;
	filter(ci, data + 1, size - 1, size, &whole);
	filter(ci, data + 1, size - 1, 1 + data[0] / 3, &pieces);
	REQUIRE(whole.len == pieces.len && !memcmp(whole.data, pieces.data, whole.len));
	check_shown(&whole, ci);
	buffer_free(&whole);
	buffer_free(&pieces);
	return 0;
}
