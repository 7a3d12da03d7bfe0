#ifndef NOXMK_REPORT_XML_H
#define NOXMK_REPORT_XML_H

/* Text in the documents that we write: JUnit, SVG and HTML. */

#include "base/util.h"

/*
 * Appends so many bytes as the content of an element, or of an attribute in double quotes.
 * Sequences for terminals (output/escape.h) are left out; what is neither a character that may be
 * shown nor a line end or tab becomes U+FFFD.
 */
void xml_add(struct buffer *, const char *text, size_t n);

#endif
