#ifndef NOXMK_AUDIT_GAP_H
#define NOXMK_AUDIT_GAP_H

/* What an audit could not see: where something is hidden, it must not say that all is well. */

#include "audit/analysis.h"

/* Does the trace have all that its session did? */
bool gap_is_whole(const struct trace *);

/* Is there any? */
bool gap_any(const struct analysis *);

/* A line for each, on standard output. */
void gap_print(const struct analysis *);

/* {"missing":["lint"],"left_out":0}: sessions without a trace, and how many were too many. */
json_t *gap_json(const struct analysis *) UNUSED_RESULT;

#endif
