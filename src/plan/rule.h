#ifndef NOXMK_PLAN_RULE_H
#define NOXMK_PLAN_RULE_H

/*
 * sessions.mk: the plan as text that make reads. Its last line is "# end", without which nox.mk
 * takes it for one that is cut off.
 *
 * Nothing that a noxfile or a user chooses freely gets in: sessions, groups and tags appear as
 * slugs only. Their names and descriptions live in plan.jsonl, and what the plan rests on in
 * inputs.json.
 */

#include "base/util.h"
#include "plan/plan.h"

/* Appends to out. */
void rule_write(const struct plan *, struct buffer *out);

#endif
