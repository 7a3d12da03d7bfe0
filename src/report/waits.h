#ifndef NOXMK_REPORT_WAITS_H
#define NOXMK_REPORT_WAITS_H

/* What a session waited for before it started, wait by wait, as timelines draw it. */

#include "report/lanes.h"
#include "report/story.h"

/* Seconds that are worth a wait, or a slice of another kind. */
#define WAITS_NOTEWORTHY 0.0005

struct wait {
	enum wait_kind kind;
	struct span span;   /* seconds from the run's start */
	const char *what;   /* the resource; "": see the kind */
	const char *holder; /* the session that had it; "": nobody is known */
};

struct waits {
	struct wait *v;
	size_t n;
};

/*
 * The waits of that record in their order, each from the end of the one before it: for the session
 * that an edge comes from, for the slot that make gives, then those that its helper tells of. None
 * where it has not run. The strings are the story's. free(v) frees.
 */
struct waits waits_before(const struct story *, size_t at) UNUSED_RESULT;

#endif
