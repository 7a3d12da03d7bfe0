#ifndef NOXMK_AUDIT_DECLARED_H
#define NOXMK_AUDIT_DECLARED_H

/*
 * Which sessions the plan keeps in order or apart already, in every make that runs them: what is
 * between two of these is no hazard.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

struct declared {
	size_t n;
	bool *apart; /* n times n, the same both ways */
};

/*
 * sessions: their lines of the plan (planfile.h), n of them; NULL for one that the plan does not
 * have. declared_clear frees.
 */
struct declared declared_of(const json_t *const *sessions, size_t n) UNUSED_RESULT;
void declared_clear(struct declared *);

/*
 * The order in which nox runs these, which come in that of the noxfile: each after those that it
 * waits for. Positions, n of them. The caller frees.
 */
size_t *declared_order(const json_t *const *sessions, size_t n) UNUSED_RESULT;

/* Does one of the two wait for the other, or can they not run at the same time? */
bool declared_has(const struct declared *, size_t a, size_t b);

#endif
