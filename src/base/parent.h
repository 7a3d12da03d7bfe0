#ifndef NOXMK_BASE_PARENT_H
#define NOXMK_BASE_PARENT_H

/*
 * Our parent: make, whose recipe we are. When somebody sends INT or HUP to make alone, make does
 * not tell us, but waits until we end (4.3 and 4.4.1). While it waits it no longer catches that
 * signal, and /proc shows that. When make dies, the kernel sends us TERM.
 */

#include <sys/types.h>

struct parent {
	pid_t pid;
	unsigned long long caught; /* the signals that it caught at first: 1 << signal - 1 */
};

/* Call this before anything that may take time: what make is told earlier goes unseen. */
struct parent parent_open(void);

/* From now on we are not told when it dies. */
void parent_close(void);

/* It has turned out that make was dead before parent_open: what we have is another parent. */
void parent_set_dead(struct parent *);

/* The signal that has told make to end, KILL when it is dead, 0 when it goes on. */
int parent_stopped_by(const struct parent *);

/* The same, but waits so many milliseconds for make to be told. */
int parent_stopped_within(const struct parent *, int milliseconds);

#endif
