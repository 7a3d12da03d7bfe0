#ifndef NOXMK_PLAN_OVERLAY_H
#define NOXMK_PLAN_OVERLAY_H

/*
 * Lays the configuration over a plan that has its targets, nox's groups and requires= by now:
 * claims, order, options, groups, defaults. What nox itself says is put into the same terms:
 * allow_parallel=False runs alone, and an environment's folder is an exclusive resource.
 */

#include "plan/config.h"
#include "plan/plan.h"

/*
 * 0, or -1 after one warning that names the file, the key and what is wrong with it. The targets of
 * the added groups are the names in the configuration, which no other target has.
 */
int overlay_apply(struct plan *, const struct config *) UNUSED_RESULT;

#endif
