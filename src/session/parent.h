#ifndef NOXMK_SESSION_PARENT_H
#define NOXMK_SESSION_PARENT_H

/*
 * make, whose recipe we are. Of INT and HUP that somebody sends to make alone it tells us nothing:
 * it waits until we end (4.3 and 4.4.1). But while it waits so it no longer catches that signal,
 * which /proc shows. When it dies, we get TERM.
 */

#include <sys/types.h>

struct parent {
	pid_t pid;
	unsigned long long caught; /* signals that it caught at first: 1 << signal - 1 */
};

/* Call this first: before anything that may take time. */
struct parent parent_open(void);

/* Is it told to end? That signal; KILL when it is dead; 0 when it goes on. */
int parent_stopped_by(const struct parent *);

/* The same, when it may be told only in so many milliseconds. */
int parent_stopped_within(const struct parent *, int milliseconds);

#endif
