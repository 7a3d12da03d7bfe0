#ifndef NOXMK_TRIAL_EQUIVALENCE_H
#define NOXMK_TRIAL_EQUIVALENCE_H

/*
 * `noxmk audit --equivalence`: does it matter in which order sessions run, or beside whom? Runs
 * them in each of these ways, and from the same start each time, in a copy of the project.
 */

#include <stdbool.h>

struct equivalence {
	const char *share;    /* PREFIX/share/noxmk */
	char *const *targets; /* as of traced.h */
	bool json;            /* the result is for programs */
};

/* An exit code: 0, or 1 if something depends on that. A signal that ends us, ends us at last. */
int equivalence_run(const struct equivalence *);

#endif
