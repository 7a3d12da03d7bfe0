#ifndef NOXMK_OUTPUT_ESCAPE_H
#define NOXMK_OUTPUT_ESCAPE_H

/* Sequences for a terminal (ECMA-48), as sessions write them for colours, links and titles. */

#include <stddef.h>

/*
 * The bytes of the sequence that the text of so many bytes begins with, its ESC included; 0: it
 * begins with none. One that is not complete goes as far as what may belong to it: never beyond
 * the end of the line, nor into the next sequence.
 */
size_t escape_length(const char *text, size_t n);

#endif
