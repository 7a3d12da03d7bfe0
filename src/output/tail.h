#ifndef NOXMK_OUTPUT_TAIL_H
#define NOXMK_OUTPUT_TAIL_H

/*
 * What a session has written last, out of its log (joblog.h), for people who look at it in passing:
 * lines that have something in them, without escape sequences; of a line that is written over, its
 * last state. They may have anything else in them.
 */

#include <stdbool.h>

#include "base/util.h"

/* The last line, "" if there is none. log: a descriptor, or -1. The caller frees. */
char *tail_line(int log) UNUSED_RESULT;

/* So many lines tell most people why a session has failed. */
enum { TAIL_LINES = 15 };

/* The last lines of a log that has ended, in order. tail_close frees. */
struct tail {
	struct strings lines;
	bool whole; /* the session has written no others */
	char *text; /* that they are of */
};

/* most: so many lines at most. log: as above; without one it is not whole. */
struct tail tail_open(int log, size_t most) UNUSED_RESULT;
void tail_close(struct tail *);

#endif
