#ifndef NOXMK_PLAN_USE_H
#define NOXMK_PLAN_USE_H

/*
 * How a session uses a resource that it claims: for itself, beside other readers, or an amount of
 * it. In files (plan.jsonl, locks) by name: {"resource":"db","use":"exclusive"}.
 */

#include <jansson.h>

enum use { EXCLUSIVE, SHARED, AMOUNT };

const char *use_name(enum use);

/* The use that a claim's JSON names; one that we do not know is EXCLUSIVE, which is safe. */
enum use use_of(const json_t *claim);

#endif
