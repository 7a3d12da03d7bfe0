#ifndef NOXMK_PLAN_GROUP_H
#define NOXMK_PLAN_GROUP_H

#include "plan/config.h"
#include "plan/match.h"
#include "plan/plan.h"

/*
 * The configuration's groups, behind those that the plan has already. A group's members are
 * sessions, however match.h finds them, and whole groups: others of the configuration, nox's, tags.
 * 0, or -1 after one warning.
 */
int group_all(struct plan *, const struct config *, const struct match *) UNUSED_RESULT;

#endif
