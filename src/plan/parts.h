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

/* The target of a part, by that of the session and the part's number. */
#define PART_TARGET "%s.part-%u"

/* The kind of a group of all parts of one session. */
#define GROUP_PARTS "parts"

/* Do the words or variables of the options say which part it is? */
bool parts_are_told(const struct options *);

/*
 * Makes *facts of the plan's own, with parts in the place of each session that the configuration
 * cuts, or leaves it as it is: none is cut. The plan needs no more than its targets. facts_free
 * frees. -1 after a warning: a section would cut a part.
 */
int parts_cut(const struct plan *, const struct config *, struct facts **facts) UNUSED_RESULT;

/*
 * Puts its numbers into the words and variables of each part, and the group's name beside. What is
 * left in one piece, by `parts = 1`, is part 1 of 1.
 */
void parts_tell(struct plan *);

#endif
