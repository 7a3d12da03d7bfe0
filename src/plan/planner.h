#ifndef NOXMK_PLAN_PLANNER_H
#define NOXMK_PLAN_PLANNER_H

/*
 * Makes a plan: targets for the sessions, the groups that nox has words for, the order that
 * requires= asks for, and then all that the configuration says (overlay.h). Pure: facts in, plan
 * out, no file and no process.
 */

#include "plan/plan.h"

/*
 * NULL after one warning when the configuration is wrong. words: names that the including makefile
 * keeps for itself; a session or group that would get one becomes nox-NAME. The plan keeps pointers
 * into facts, which must outlive it. plan_free frees.
 */
struct plan *planner_make(const struct facts *, const struct strings *words) UNUSED_RESULT;

#endif
