#ifndef NOXMK_REPORT_LINK_H
#define NOXMK_REPORT_LINK_H

#include "base/util.h"

/*
 * The URL of an open folder, with a slash at its end, as seen from a page in the file of that path,
 * or, with NULL, in the current folder: it names nothing that lies above both. NULL where that
 * cannot be told. The caller frees.
 */
char *link_to(int folder, const char *page) UNUSED_RESULT;

#endif
