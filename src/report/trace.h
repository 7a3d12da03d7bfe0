#ifndef NOXMK_REPORT_TRACE_H
#define NOXMK_REPORT_TRACE_H

/*
 * A run as a trace in Chrome's JSON format ("Trace Event Format", complete events), which Perfetto
 * and chrome://tracing open. The process "sessions" has a thread for each lane (lanes.h), in which
 * the sessions are slices, category "session", and in these their steps, category "environment",
 * "install" or "run", each with what it waited for, category "wait". The process "waiting" has what
 * sessions waited for before they started. The process "use" has counters of what all sessions
 * used together (load.h): processors, runnable threads, memory in MiB, and job slots.
 */

#include "report/story.h"

/* Appends the document. */
void trace_add(struct buffer *out, const struct story *);

#endif
