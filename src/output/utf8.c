#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/util.h"
#include "output/utf8.h"

#define CUT "…"

/* What has the character before it shown as an emoji: by most terminals two columns wide, then. */
#define AS_EMOJI "\ufe0f"

size_t
utf8_length(unsigned char byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return 2;
	if (byte >= 0xe0 && byte <= 0xef)
		return 3;
	return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

static uint32_t
decode(const char *bytes, size_t n)
{
	uint32_t c = (unsigned char)bytes[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	return c;
}

struct characters {
	uint32_t first, last;
};

/* Surrogates, line ends, and what Unicode calls default ignorable, with all controls of bidi. */
static const struct characters unseen[] = { { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
	{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xd800, 0xdfff },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff } };

/* Of these, the joiners and the variation selectors; and the marks that stand before a number. */
static const struct characters joiners[] = { { 0x200c, 0x200d }, { 0xfe00, 0xfe0f },
	{ 0xe0100, 0xe01ef }, { 0x600, 0x605 }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f },
	{ 0x890, 0x891 }, { 0x8e2, 0x8e2 }, { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f } };

static bool
is_among(uint32_t c, const struct characters *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= list[i].first && c <= list[i].last)
			return true;
	return false;
}

bool
utf8_is_joiner(const char *bytes, size_t n)
{
	return n > 1 && is_among(decode(bytes, n), joiners, countof(joiners));
}

bool
utf8_is_printable(const char *bytes, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	uint32_t c = decode(bytes, n);

	return c >= least[n] && c <= 0x10ffff &&
	       (!is_among(c, unseen, countof(unseen)) || is_among(c, joiners, countof(joiners)));
}

size_t
utf8_next(const char *text)
{
	size_t n = utf8_length((unsigned char)*text);

	if ((unsigned char)*text < 0x80)
		return *text >= ' ' && *text < 0x7f;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	return n > 0 && utf8_is_printable(text, n) ? n : 0;
}

/* Sets the bytes of the text's first character, and returns its columns. */
static int
measure(const char *text, size_t *n)
{
	int columns;

	*n = utf8_next(text);
	columns = *n > 1 ? wcwidth((wchar_t)decode(text, *n)) : 1;
	*n += *n == 0;
	if (columns == 1 && !strncmp(text + *n, AS_EMOJI, strlen(AS_EMOJI)))
		return 2;
	return columns < 0 ? 1 : columns;
}

/* wcwidth(3) knows what the locale knows: for the time being, all of Unicode. It is loaded once. */
static locale_t
begin_unicode(void)
{
	static locale_t unicode;

	if (!unicode)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	return unicode ? uselocale(unicode) : NULL;
}

static void
end_unicode(locale_t before)
{
	if (before)
		uselocale(before);
}

/* As utf8_columns, of the first bytes. */
static int
columns_of(const char *text, size_t len)
{
	int columns = 0;
	size_t n;

	for (size_t i = 0; i < len; i += n)
		columns += measure(text + i, &n);
	return columns;
}

int
utf8_columns(const char *text)
{
	locale_t before = begin_unicode();
	int columns = columns_of(text, strlen(text));

	end_unicode(before);
	return columns;
}

/* How many bytes at the start have at most so many columns, with what combines with the last. */
static size_t
head_of(const char *text, int columns)
{
	size_t n, i = 0;

	for (; text[i]; i += n) {
		int width = measure(text + i, &n);

		if (width > columns)
			break;
		columns -= width;
	}
	return i;
}

/* Where an end of at most so many columns begins, but not with what combines. */
static size_t
tail_of(const char *text, int columns)
{
	int left = columns_of(text, strlen(text));
	size_t n, i = 0;

	for (; text[i]; i += n) {
		int width = measure(text + i, &n);

		if (left <= columns && width > 0)
			break;
		left -= width;
	}
	return i;
}

char *
utf8_cut(const char *text, int columns)
{
	locale_t before = begin_unicode();
	char *cut;

	if (columns_of(text, strlen(text)) <= columns)
		cut = xstrdup(text);
	else
		cut = xasprintf("%.*s" CUT "%s", (int)head_of(text, columns / 2), text,
		    text + tail_of(text, columns - 1 - columns / 2));
	end_unicode(before);
	return cut;
}
