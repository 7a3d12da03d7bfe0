#ifndef NOXMK_NOX_STEPS_H
#define NOXMK_NOX_STEPS_H

/* What a session has done, step by step: from the shim's report into the record (record.h). */

#include <jansson.h>

#include "output/mask.h"

/*
 * The steps of that session's entry in a report, as the record has them; NULL: it has none. now:
 * Unix time, at which one that had not ended was cut off.
 */
json_t *steps_read(const json_t *entry, double now) UNUSED_RESULT;

/* The step in which the session was cut off, the last of them; NULL: none. Borrowed. */
const json_t *steps_cut(const json_t *steps);

/* Takes secrets out of their commands, and then cuts what is too long. */
void steps_hide(json_t *steps, struct mask *);

#endif
