#ifndef NOXMK_REPORT_EXCERPTS_H
#define NOXMK_REPORT_EXCERPTS_H

/*
 * What a page has of the logs of a run: of each its start and its end, as much as there is room
 * for, and what tools have found, with the lines that say so. All logs together have room for so
 * many bytes that the page of some 50 sessions stays below 1 MB; those of sessions that are not
 * well come first.
 */

#include <jansson.h>

#include "report/story.h"

/*
 * A list with an object or null for each record:
 *
 *   {"href":"../lint.log","parts":[{"left_out":0,"text":"…"},{"left_out":9000,"text":"…"}],
 *    "findings":[{"part":1,"line":3,"where":"src/core.py:7:1","message":"F401 …"}]}
 *
 * href: the log as a browser finds it, or null. left_out: the bytes in front of the part that are
 * not there. line: of the part, from 0 on. The text is UTF-8; escape sequences stay in it. links:
 * the URL of the run's folder with a slash behind it, or NULL. A new reference.
 */
json_t *excerpts_of(const struct story *, const char *links) UNUSED_RESULT;

#endif
