#ifndef NOXMK_SHARD_SHARDS_H
#define NOXMK_SHARD_SHARDS_H

/*
 * The sessions of some goals as shards, a machine each, by how long they took before and how wide
 * they are. Each session is in just one. What has a label (`runs-on`) is divided for itself, among
 * as many of the shards as is best; shards without a label come first, then label by label, and
 * those of one label by their time, the longest first.
 *
 * The division depends on the plan, the goals and the history only, and on nothing else of the
 * machine. Its hash is FNV-1a (64 bits) over a line for each shard with its targets, so that
 * machines know whether they have found the same. It guards against mistakes, not against enemies.
 */

#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>

#include "order/workload.h"
#include "shard/bundle.h"
#include "state/history.h"
#include "state/shard.h"

struct shard {
	const char *label; /* or "" */
	json_t *sessions;  /* target -> its line of the plan, in the plan's order */
	long long ms;      /* of all its processors, or of its longest chain: divide.h */
};

struct shards {
	struct workload *work;
	struct bundles bundles;
	struct shard *v;
	size_t n;
	char hash[SHARD_HASH + 1];
};

/*
 * The active sessions (planfile_expand) in so many shards. NULL after a warning where there cannot
 * be so few. shards_free frees.
 */
struct shards *shards_new(const json_t *active, const struct history *, size_t n) UNUSED_RESULT;

/*
 * The same in as few as there can be, so that none takes longer than that many seconds, `cost`
 * included, which each machine takes besides. NULL after warnings where that cannot be: of each
 * bundle that takes longer alone, and what helps; or that nobody knows how long sessions take.
 */
struct shards *shards_within(const json_t *active, const struct history *, double seconds,
    double cost) UNUSED_RESULT;

void shards_free(struct shards *);

/* Of how many of these sessions, or of all, the history knows how long they take. */
size_t shards_known(const struct shards *, const json_t *sessions);

/* Seconds that the sessions of a shard take on a machine, if they start in a good order. */
double shards_expect(const struct history *, const json_t *sessions) UNUSED_RESULT;

/* Adds the line of a shard with these sessions, target -> line, to that hash; how it is printed. */
uint64_t shards_hash_add(uint64_t hash, const json_t *sessions);
#define SHARDS_HASH "%016" PRIx64

/* "2/4@HASH" of that shard, from 0 on. The caller frees. */
char *shards_name(const struct shards *, size_t shard) UNUSED_RESULT;

#endif
