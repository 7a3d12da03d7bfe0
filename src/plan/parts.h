#ifndef NOXMK_PLAN_PARTS_H
#define NOXMK_PLAN_PARTS_H

/*
 * Sessions that the configuration cuts in parts (`parts`, in options.h), each of which does a share
 * of the session's work. A part is a session of the plan: its target is TARGET.part-2, all of them
 * are the group TARGET, and to nox, which knows nothing of parts, each is the session itself. Which
 * one it is its words say (`part-args`) or its variables (`env`), with {part}, from 1 on, and
 * {parts}, how many there are.
 */

#include "plan/config.h"
#include "plan/plan.h"

/* The kind of a group of all parts of one session. */
#define GROUP_PARTS "parts"

/* Do the words or variables of the options say which part it is? */
bool parts_are_told(const struct options *);

/*
 * The plan's facts, with parts in the place of each session that the configuration cuts; NULL: it
 * cuts none. The plan needs no more than its targets. facts_free frees.
 */
struct facts *parts_cut(const struct plan *, const struct config *) UNUSED_RESULT;

/*
 * Puts its numbers into the words and variables of each part, and the group's name beside. What is
 * left in one piece, by `parts = 1`, is part 1 of 1.
 */
void parts_tell(struct plan *);

#endif
