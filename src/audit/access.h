#ifndef NOXMK_AUDIT_ACCESS_H
#define NOXMK_AUDIT_ACCESS_H

/*
 * What a session's trace comes to: for each path what the session does there that others may
 * notice, or that depends on others. What is harmless by itself is left out (noise.h).
 */

#include "state/trace.h"

enum access_how {
	ACCESS_READS = 1,    /* its content counts */
	ACCESS_WRITES = 2,   /* it is changed, made or removed */
	ACCESS_MISSES = 4,   /* it was to be opened, and was not there */
	ACCESS_PROBES = 8,   /* only whether it is there, and what it is */
	ACCESS_LISTS = 16,   /* the names in that folder */
	ACCESS_TREE = 32,    /* writes: all below it, too */
	ACCESS_MADE = 64,    /* writes: it was not there before */
	ACCESS_FOLDER = 128, /* writes: it is a folder that was made */
	ACCESS_APPENDS = 256, /* writes: only at its end */
	ACCESS_RENAMED = 512, /* writes: it came whole, by renaming */
	ACCESS_GONE = 1024,  /* writes: it is not there afterwards */
	ACCESS_TOLD = 2048,  /* reads: of what it has not made itself */
	ACCESS_CLOSES = 8192, /* writes: no name in that folder can come or go meanwhile */
	ACCESS_BRIEF = 4096  /* only that: made under a name that had to be new, and gone */
};

struct access {
	const char *path; /* the trace's, or owned by `own` */
	unsigned how;     /* a set of these */
	const char *reader, *writer, *hash; /* or NULL; the trace's */
};

/* A session with all that it accesses, by path. */
struct actor {
	const char *target;
	const char *whole; /* of a part the session that it is of (plan/parts.h); or NULL */
	const struct trace *trace;
	struct access *accesses;
	size_t n;
	struct strings own; /* paths that the trace does not have */
};

/* rules: the set of rules (noise.h) that are on. The trace must outlive it; access_clear frees. */
struct actor access_of(const struct trace *, unsigned rules) UNUSED_RESULT;
void access_clear(struct actor *);

/* What its section, and whoever means all parts, calls the session: one that is cut as a whole. */
const char *access_session(const struct actor *);

/* Adds some more, whose texts are borrowed. */
void access_join(struct actor *, const struct access *more, size_t n);

/* What it does at that path, or NULL. */
const struct access *access_find(const struct actor *, const char *path);

#endif
