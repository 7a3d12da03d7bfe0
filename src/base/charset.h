#ifndef NOXMK_BASE_CHARSET_H
#define NOXMK_BASE_CHARSET_H

/* The bytes that names and numbers are made of, whatever the locale. */

#include <stdbool.h>

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Is the text made of bytes of the set only? An empty text is not. */
bool charset_covers(const char *set, const char *text);

#endif
