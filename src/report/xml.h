#ifndef NOXMK_REPORT_XML_H
#define NOXMK_REPORT_XML_H

/* Text in the documents that we write: JUnit, SVG and HTML. */

#include "base/util.h"

/*
 * Appends so many bytes as the content of an element. Sequences for terminals (output/escape.h) are
 * left out; what is neither a character that may be shown nor a line end or tab becomes U+FFFD. In
 * what a CI could take for a command of its own (output/ci.h) one character is a reference.
 */
void xml_add(struct buffer *, const char *text, size_t n);

/* The same as that of an attribute, in double quotes: with references for line ends and tabs. */
void xml_add_quoted(struct buffer *, const char *text);

#endif
