#include <stdbool.h>
#include <string.h>

#include "output/escape.h"

enum { ESC = '\033', BEL = '\a' };

/* ESC and one of these begin what BEL or ESC \ ends: a link, or the name of a window. */
#define STRING_BEGINS "]PX^_"

/* Where the run of bytes within from..to that begins at `at` ends. */
static size_t
span(const char *text, size_t n, size_t at, char from, char to)
{
	while (at < n && text[at] >= from && text[at] <= to)
		at++;
	return at;
}

static bool
is_control(char byte)
{
	return (unsigned char)byte < ' ';
}

static size_t
string_length(const char *text, size_t n)
{
	size_t at = 2;

	while (at < n && !is_control(text[at]))
		at++;
	if (at + 1 < n && text[at] == ESC && text[at + 1] == '\\')
		return at + 2;
	return at + (at < n && text[at] == BEL);
}

size_t
escape_length(const char *text, size_t n)
{
	const char *kind = n > 1 ? text + 1 : "";
	char first = *kind == '[' ? '@' : '0';
	size_t at;

	if (n == 0 || text[0] != ESC)
		return 0;
	if (*kind != '\0' && strchr(STRING_BEGINS, *kind))
		return string_length(text, n);
	at = *kind == '[' ? span(text, n, 2, ' ', '?') : span(text, n, 1, ' ', '/');
	return at + (at < n && text[at] >= first && text[at] <= '~');
}
