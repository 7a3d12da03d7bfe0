#ifndef NOXMK_SHARD_BUNDLE_H
#define NOXMK_SHARD_BUNDLE_H

/*
 * Sessions that have to run on one machine, since they leave something in its checkout for each
 * other: what one requires or comes after (requires=, needs, after, callers that notify it, what it
 * reads of another), and what `together` names. A resource keeps nobody together: each machine has
 * its own.
 */

#include "order/workload.h"
#include "shard/divide.h"

/*
 * So many processors a machine is taken to have of which the history does not tell, whichever we
 * are on: what one machine divides and what another one runs must not depend on where it is thought
 * out.
 */
enum { BUNDLE_PROCESSORS = 4 };

/* Why one session stays with another. */
struct bundle_bond {
	size_t session, other; /* of the workload */
	const char *what;      /* "requires", "comes after" or "stays with" */
	const char *by;        /* where that is declared */
};

struct bundles {
	struct divide_bundle *v; /* in the order of their first sessions */
	const char **labels;     /* of each, what it runs on; "" is any machine */
	size_t n;
	size_t *of;              /* of each session of the workload its bundle */
	struct bundle_bond *bonds; /* of all bundles, session by session; borrowed texts */
	size_t nbonds;
};

/*
 * The workload stays the caller's, and has to live as long. processors: of a machine. -1 after a
 * warning where sessions that belong together run on different machines. bundles_clear frees, after
 * either.
 */
int bundles_make(struct bundles *, const struct workload *, unsigned processors) UNUSED_RESULT;
void bundles_clear(struct bundles *);

#endif
