#ifndef NOXMK_SESSION_HEARTBEAT_H
#define NOXMK_SESSION_HEARTBEAT_H

/*
 * A line on a CI's page that tells what runs, when nothing has been written there for long: people
 * see that it goes on, and a CI that ends what is silent does not end it. One helper of the run
 * writes it, whichever looks first.
 *
 *   noxmk: nothing new for 60s: 3 run (tests 4m02s, lint 1m01s, docs 5.0s), 2 wait
 */

#include <jansson.h>

#include "output/page.h"
#include "plan/planfile.h"

struct heartbeat;

struct heartbeat_options {
	struct page *page;   /* NULL: there is none, and nothing is written */
	int rundir;
	int table;           /* of what the sessions do: now.h */
	const json_t *goals; /* a list: whose sessions are told of */
	double every;        /* seconds of silence; 0: nothing is written */
};

/* The options are borrowed until heartbeat_close. NULL where nothing is to be written. */
struct heartbeat *heartbeat_open(const struct heartbeat_options *) UNUSED_RESULT;
void heartbeat_close(struct heartbeat *);

/* Some times a second, or less often. plan: of the run. Both may be NULL. */
void heartbeat_look(struct heartbeat *, struct planfile *plan);

#endif
