#ifndef NOXMK_SHARD_GATHER_H
#define NOXMK_SHARD_GATHER_H

/*
 * What the folders of several machines have of what was to run, and what is wrong with them:
 * machines that are missing or there twice, of another commit or another division.
 */

#include <jansson.h>

#include "shard/merge.h"
#include "shard/piece.h"

struct gathering {
	const struct merge_options *o;
	struct piece *pieces;
	size_t n;
	json_t *owners;   /* target -> which piece was to run it */
	json_t *expected; /* target -> anything: all that were to run */
	unsigned faults;  /* each was warned of */
};

/* Opens the folders, and compares them with each other and with what is expected. */
void gather(struct gathering *, const struct merge_options *);
void gather_clear(struct gathering *);

#endif
