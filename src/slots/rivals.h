#ifndef NOXMK_SLOTS_RIVALS_H
#define NOXMK_SLOTS_RIVALS_H

/* The claims of others that are in the way of one: see lock.h. Claims are as in plan.jsonl. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "slots/around.h"

/* Another claim that is in our way, or would be if the amounts did not fit. */
struct rival {
	unsigned long ticket;
	bool holds, whole; /* whole: no amount of ours would fit beside it */
	size_t claim;      /* which of ours it is in the way of */
	json_t *text;      /* what its file says; NULL: nothing that we could read */
	int error;         /* why its file cannot be opened; 0: it can */
};

struct rivals {
	struct rival *v;
	size_t n;
};

/*
 * Adds the other claim, which lives and holds or came before ours, to the rivals: once for each of
 * our claims that it is in the way of. Amounts that it takes are added to taken, which has a place
 * for each of ours.
 */
void rivals_compare(struct rivals *, const json_t *ours, struct rival other, long long *taken);

/*
 * Leaves only those rivals that are in our way. An amount above the capacity fits when nobody else
 * has any. Who waits for a session that waits for us is overtaken.
 */
void rivals_drop_fitting(struct rivals *, const json_t *ours, const long long *taken,
    struct around *);

/* What lock_blocker tells: a new reference, or NULL. */
json_t *rivals_blocker(const struct rivals *, const json_t *ours);

void rivals_clear(struct rivals *);

#endif
