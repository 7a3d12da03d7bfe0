#ifndef NOXMK_OUTPUT_UTF8_H
#define NOXMK_OUTPUT_UTF8_H

/* Characters in UTF-8 (RFC 3629), whatever the locale is. */

#include <stdbool.h>
#include <stddef.h>

/* How many bytes a character has that begins with this one, which is not ASCII; 0: none does. */
size_t utf8_length(unsigned char byte);

/*
 * May so many bytes, as the first one wants, be shown? Not if they are overlong, a surrogate, a
 * control (C1), one that turns lines round, or one that nobody sees, unless it only joins others.
 */
bool utf8_is_printable(const char *bytes, size_t n);

/*
 * Is that character one that only joins others, as in an emoji, and is not seen by itself, or not
 * by all programs?
 */
bool utf8_is_joiner(const char *bytes, size_t n);

/* The bytes of the character that a text begins with, if all may be shown; else 0. */
size_t utf8_next(const char *text);

/* The columns of a terminal that a text without control characters takes. */
int utf8_columns(const char *text);

/*
 * The text, or, where it takes more than so many columns (at least 1), its start and its end with
 * "…" between them. The caller frees.
 */
char *utf8_cut(const char *text, int columns);

#endif
