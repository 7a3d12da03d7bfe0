#ifndef NOXMK_PLAN_RULE_H
#define NOXMK_PLAN_RULE_H

/*
 * sessions.mk: the plan as text that make reads, and the quoting that keeps it harmless. Its last
 * line is "# end", without which nox.mk takes it for one that is cut off.
 *
 * Nothing that a noxfile chooses freely gets in: sessions, groups and tags appear as slugs only
 * (their names and descriptions live in plan.jsonl). What is left is the paths of the files that
 * the noxfile read, and `inputs`; both go through the two functions below.
 */

#include "base/util.h"
#include "plan/plan.h"

/*
 * inputs: the variables that decided this plan, as nox.mk spells them; nox.mk compares this text
 * with its own to see whether the plan still holds. Appends to out.
 */
void rule_write(const struct plan *, const char *inputs, struct buffer *out);

/* Text for the right side of `NAME := `, so that $(NAME) is the text; line ends become blanks. */
void rule_add_value(struct buffer *, const char *text);

/*
 * A path as target or prerequisite, from inside a variable. False, and nothing added, when make
 * 4.3 and 4.4 have no way to write it: one of % ; | \ or a control character in it, NAME(…), a
 * blank at its end, or nothing at all.
 */
bool rule_add_path(struct buffer *, const char *path) UNUSED_RESULT;

#endif
