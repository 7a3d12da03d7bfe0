#ifndef NOXMK_PLAN_USE_H
#define NOXMK_PLAN_USE_H

/*
 * How a session uses a resource that it claims: for itself, beside other readers, or an amount of
 * it. In files (plan.jsonl, locks) by name: {"resource":"db","use":"exclusive"}.
 */

#include <jansson.h>
#include <stdbool.h>

enum use { EXCLUSIVE, SHARED, AMOUNT };

const char *use_name(enum use);

/* The use that a claim's JSON names; one that we do not know is EXCLUSIVE, which is safe. */
enum use use_of(const json_t *claim);

/*
 * What another session's claim is to ours: nothing, in its way whatever others do, or an amount of
 * the same resource, which is added to *taken, up to the largest number.
 */
enum meeting { APART, IN_WAY, AMOUNTS };
enum meeting use_meet(const json_t *ours, const json_t *other, long long *taken);

/* Does our amount fit beside what is taken? */
bool use_fits(const json_t *ours, long long taken);

#endif
