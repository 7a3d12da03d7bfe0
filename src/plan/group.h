#ifndef NOXMK_PLAN_GROUP_H
#define NOXMK_PLAN_GROUP_H

/*
 * The table [tool.noxmk.group]: targets that stand for several sessions, beside the groups that nox
 * itself knows (ci, base names, tags).
 */

#include "plan/config.h"
#include "plan/match.h"
#include "plan/plan.h"

/*
 * Adds the groups of the configuration behind those that the plan has. Their members are sessions,
 * however match.h finds them, and all members of other groups, whether these come from the
 * configuration or from nox. 0, or -1 after one warning; then none is added.
 */
int group_all(struct plan *, const struct config *, const struct match *) UNUSED_RESULT;

#endif
