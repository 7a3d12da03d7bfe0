#ifndef NOXMK_PLAN_OVERLAY_H
#define NOXMK_PLAN_OVERLAY_H

/*
 * Onto a plan that has its targets, nox's groups and requires=: what the configuration declares
 * (claims, order, options, groups, defaults) and what nox's own words amount to in these terms:
 * allow_parallel=False is alone, an environment's folder is an exclusive resource.
 */

#include "plan/config.h"
#include "plan/plan.h"

/*
 * 0, or -1 after one warning that names the file, the key and what is wrong with it. The groups
 * that it adds have the names that the configuration gives them: no other target has.
 */
int overlay_apply(struct plan *, const struct config *) UNUSED_RESULT;

#endif
