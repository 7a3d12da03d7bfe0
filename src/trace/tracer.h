#ifndef NOXMK_TRACE_TRACER_H
#define NOXMK_TRACE_TRACER_H

/*
 * Writes down what files and sockets a session touches, as TARGET.trace (state/trace.h).
 *
 * The keeper of the session is told by the kernel of each call that names a file (calls.h), before
 * it is done; the thread that makes it waits meanwhile. The keeper looks what is there, and lets
 * the call go on as it was: a session that is traced does what it would do else, but for what
 * filter.h says. So it is no sandbox: another thread may change the path after we have looked.
 *
 * Where the kernel does not tell in this way, it may by ptrace(2): stops.h.
 *
 * Whoever may be told of calls must be so until the last process of the session is gone, or these
 * calls would fail. Where the session may leave processes behind, a process of their own answers
 * for them, until they end, and writes nothing down any more.
 */

#include <jansson.h>

#include "base/keeper.h"
#include "state/trace.h"

struct tracer;

/* Borrowed until tracer_close, but for root and argv. */
struct tracer_options {
	int rundir;
	const char *target, *session;
	const char *root;    /* the project: an absolute path; it is copied */
	const char *script;  /* the program of that name is called nox */
	json_t *argv;        /* words as of word.h; tracer_open takes the reference */
	struct trace_hider hider; /* of secrets in paths and names */
};

/* Is a session of this helper to be traced? Its environment says so: "1", or "ptrace" for that. */
bool tracer_is_wanted(void);

/* From now on it is, in the way that the environment names, if any. */
void tracer_want(void);

/* For one attempt of the session, before its start. */
struct tracer *tracer_open(const struct tracer_options *) UNUSED_RESULT;
void tracer_close(struct tracer *);

/* What the keeper takes to trace what it starts. NULL is taken, and then returned. */
struct keeper_watcher *tracer_watcher(struct tracer *);

#endif
