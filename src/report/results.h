#ifndef NOXMK_REPORT_RESULTS_H
#define NOXMK_REPORT_RESULTS_H

/*
 * A run as one JSON document, for programs: all that its other reports are made of. It is described
 * by report.schema.json, which is installed; a change that could break a reader of it raises
 * "schema". Times named "began" and "ended" are seconds from the run's start.
 */

#include <jansson.h>

#include "report/story.h"
#include "state/history.h"

/* history: of what is expected of sessions. A new reference. */
json_t *results_of(const struct story *, const struct history *) UNUSED_RESULT;

/* Appends the document, with a line end. */
void results_add(struct buffer *out, const struct story *, const struct history *);

#endif
