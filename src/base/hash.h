#ifndef NOXMK_BASE_HASH_H
#define NOXMK_BASE_HASH_H

/*
 * FNV-1a in 32 and in 64 bits, by Fowler, Noll and Vo (draft-eastlake-fnv): short and even enough
 * for tables and names. It holds nobody off who looks for two texts of one hash.
 */

#include <stdint.h>

#define HASH_BEGIN 2166136261u
#define HASH64_BEGIN 0xcbf29ce484222325u

static inline uint32_t
hash_add(uint32_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * 16777619u;
}

static inline uint64_t
hash64_add(uint64_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * 0x100000001b3;
}

static inline uint32_t
hash_text(const char *text)
{
	uint32_t hash = HASH_BEGIN;

	for (; *text; text++)
		hash = hash_add(hash, *text);
	return hash;
}

#endif
