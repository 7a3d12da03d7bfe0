#ifndef NOXMK_STATE_SHARD_H
#define NOXMK_STATE_SHARD_H

/*
 * What NOXMK_SHARD says: "2/4", the second of four shards, or "2/4@9f86d081884c7d65" with the hash
 * of the division that it is a part of (shard/shards.h), so that a machine that divides otherwise
 * is found out.
 */

#include <stdbool.h>

/* More machines than anybody has for one project. */
enum { SHARDS_MOST = 1000, SHARD_HASH = 16 };

struct shard_choice {
	unsigned number, of;         /* from 1 on */
	char hash[SHARD_HASH + 1];   /* or "" */
};

/* False: it says no such thing. */
bool shard_choice_read(const char *text, struct shard_choice *);

#endif
