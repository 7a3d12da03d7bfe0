#ifndef NOXMK_DECLARE_H
#define NOXMK_DECLARE_H

/*
 * Onto a plan that has its targets, nox's groups and requires=: what the configuration declares
 * (claims, order, options, groups, defaults) and what nox's own words amount to in these terms:
 * allow_parallel=False is alone, an environment's folder is an exclusive resource.
 */

#include "config.h"
#include "plan.h"

/*
 * 0, or -1 after one warning that names the file, the key and what is wrong with it. The groups
 * that it adds have the names that the configuration gives them: no other target has.
 */
int declare_all(struct plan *, const struct config *) UNUSED_RESULT;

#endif
