#ifndef NOXMK_TRACE_SNAPSHOT_H
#define NOXMK_TRACE_SNAPSHOT_H

/*
 * What is in a folder at one time, for where nobody tells what a session does: two looks show what
 * it has made, changed and removed in between. What it reads, and what it does elsewhere, they do
 * not show.
 */

#include <stdbool.h>

#include "state/trace.h"

struct snapshot;

/* Of the folder and all below it, but for git's own and the state folder. It follows no links. */
struct snapshot *snapshot_take(const char *root) UNUSED_RESULT;
void snapshot_free(struct snapshot *);

/*
 * Adds a line for each path that differs; that was some time within so many seconds. False when
 * there were more files than a trace has room for.
 */
bool snapshot_put(const struct snapshot *before, const struct snapshot *after, double seconds,
    struct buffer *, const struct trace_hider *);

#endif
