#ifndef NOXMK_BASE_MAKEFLAGS_H
#define NOXMK_BASE_MAKEFLAGS_H

/*
 * What make's command line says of how much may run at once. A recipe sees it in MAKEFLAGS:
 *
 *   " -j4 --jobserver-auth=…"   four jobs, counted by make's jobserver
 *   " -j"                       no limit and no jobserver: we count, as many as the processors
 *   ""                          one job at a time
 *   " -l2.5"                    no new job while the load is higher, if one is at work
 */

#include <stdbool.h>

struct makeflags {
	unsigned slots;  /* at least 1 */
	bool unlimited;  /* by make: a bare -j, so slots are counted by us */
	double load;     /* 0: any */
};

/* makeflags: NULL if there is no make around us. jobs: slots under bare -j; 0: our processors. */
struct makeflags makeflags_read(const char *makeflags, unsigned jobs);

/* Is the system too busy for more than one needs? */
bool makeflags_is_loaded(const struct makeflags *);

#endif
