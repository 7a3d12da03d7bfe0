#ifndef NOXMK_TRACE_STORE_H
#define NOXMK_TRACE_STORE_H

/*
 * What a session has touched so far, as it becomes its trace (state/trace.h). Everything is told
 * before it is done: what a call will do is seen from what is there right before, and from what we
 * may do ourselves. That it fails for another reason is not seen.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "state/trace.h"
#include "trace/calls.h"

struct store;

/* root: the project, an absolute path, which is copied. */
struct store *store_open(const char *root) UNUSED_RESULT;
void store_close(struct store *);

/* What stat(2) says, in a trace's terms. */
struct trace_state store_state(const struct stat *);

/* Who does it. Its name is asked for only when somebody is the first. */
struct toucher {
	const char *(*name)(void *data); /* NULL: unknown */
	void *data;
};

/*
 * Somebody is about to touch that path, which is absolute. Returns what is there; of what a rename
 * makes of another path, `source` says what that is.
 */
enum trace_kind store_touch(struct store *, const char *path, const struct touch *,
    enum trace_kind source, const struct toucher *);

/* The same of a path that is taken as it is, whatever links lead there: in /proc. */
void store_note(struct store *, const char *path, const struct toucher *);

/* The strings are copied; the program is the toucher's. */
void store_socket(struct store *, const struct trace_socket *, const struct toucher *);

/* Is there no room for more? Then whatever is touched leaves no trace any more. */
bool store_is_full(const struct store *);

/* From now on nothing must be looked at any more: who answers may never do. */
void store_close_eyes(struct store *);

/*
 * Looks what is there by now, if that is allowed, and adds the lines of all paths and sockets.
 * False when there was more than a trace has room for.
 */
bool store_put(struct store *, struct buffer *, const struct trace_hider *);

#endif
