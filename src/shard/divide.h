#ifndef NOXMK_SHARD_DIVIDE_H
#define NOXMK_SHARD_DIVIDE_H

/*
 * Divides work among machines that are all alike, so that the longest one is as short as we can
 * find. What is to stay together is one bundle. This is number partitioning, P||Cmax, with a
 * further dimension for each resource that only one session of a machine can have at a time:
 *
 *   1. Longest first, each to the machine that is the least loaded then: LPT (Graham, "Bounds on
 *      multiprocessing timing anomalies", 1969).
 *   2. MULTIFIT (Coffman, Garey and Johnson, "An application of bin-packing to multiprocessor
 *      scheduling", 1978): the least capacity with which first-fit decreasing has room for all.
 *   3. The better one of the two goes on to a descent: of all moves of a bundle away from the
 *      longest machine, and of all swaps with another one, the best, as long as one helps; then
 *      again from places that are reached by a few random moves (iterated local search), with a
 *      bounded number of tries.
 *
 * It is pure, and counts in whole numbers, which come to the same on any kind of processor: so
 * machines that do not talk to each other find the same division.
 */

#include "base/util.h"

/* Milliseconds for which a bundle has that resource of its machine to itself. */
struct divide_use {
	size_t resource;
	long long ms;
};

struct divide_bundle {
	long long work;  /* milliseconds of all processors of a machine together */
	long long least; /* that it takes however many processors there are: its longest chain */
	struct divide_use *uses;
	size_t nuses;
};

/*
 * machine_of: room for the n bundles, the caller's: the machine of each, from 0 on. resources: how
 * many there are. The milliseconds of the longest machine: what its processors have to do, or what
 * its sessions wait for each other on a resource, or its longest chain.
 */
long long divide(const struct divide_bundle *, size_t n, size_t resources, size_t machines,
    size_t *machine_of);

/* Milliseconds below which no division into so many machines can come. */
long long divide_bound(const struct divide_bundle *, size_t n, size_t resources, size_t machines);

#endif
