#ifndef NOXMK_BASE_MAKEFLAGS_H
#define NOXMK_BASE_MAKEFLAGS_H

/*
 * MAKEFLAGS, by which make tells its recipes of its command line. Blanks separate its words; make
 * puts a backslash before a blank or a backslash within a word. (It doubles dollars for its own
 * makefiles, but not for the environment of a recipe.) First come the options, then, after a lone
 * "--", the variables:
 *
 *   " -j4 --jobserver-auth=…"   four jobs, counted by make's jobserver
 *   " -j"                       no limit and no jobserver: we count, as many as the processors
 *   ""                          one job at a time
 *   " -l2.5"                    no new job while the load is higher, if one is at work
 *   " -- ARGS=-k\ fast"         a variable
 */

#include <stdbool.h>

#include "base/util.h"

struct makeflags {
	unsigned slots;   /* at least 1 */
	bool unlimited;   /* by make: a bare -j, so slots are counted by us */
	double load;      /* 0: any */
	char *auth;       /* where its jobserver is: "3,4" or "fifo:PATH"; NULL: it has none */
	char *tools_auth; /* the same, among the variables, for tools: toolenv.h; NULL: none */
};

/*
 * text: NULL if there is no make around us. jobs: slots under bare -j; 0: our processors.
 * makeflags_clear frees what is in it.
 */
struct makeflags makeflags_read(const char *text, unsigned jobs) UNUSED_RESULT;
void makeflags_clear(struct makeflags *);

/* Is the system too busy for more than one needs? */
bool makeflags_is_loaded(const struct makeflags *);

/* Does make's command line set that variable? text: NULL if there is no make around us. */
bool makeflags_sets(const char *text, const char *variable);

/*
 * The same text for a make that is a client of the jobserver with these two descriptors, whatever
 * it said of -j and of a jobserver. The caller frees.
 */
char *makeflags_with_jobserver(const char *text, int take, int give) UNUSED_RESULT;

#endif
