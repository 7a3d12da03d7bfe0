#ifndef NOXMK_PLAN_HAZARDS_H
#define NOXMK_PLAN_HAZARDS_H

/*
 * Hazards that were seen, as edges: with `hazards = "learn"` in [tool.noxmk] sessions that are in
 * conflict keep the order in which nox runs them. HAZARDS_NAME in the state folder has those that
 * audits and runs have taught (audit/lesson.h):
 *
 *   {"schema":1,"pairs":[["tests","lint",".coverage"],["tests","docs",null,"failed"]]}
 *
 * the second of the two comes after the first, because of that; null: nobody knows of what. The
 * last word says that one of them has failed where that was otherwise.
 */

#include "plan/plan.h"

#define HAZARDS_NAME "hazards.json"

/* The variable that names one more such file, from elsewhere; it is only read. */
#define HAZARDS_SEED "NOXMK_HAZARDS"

/* The last word. */
#define HAZARDS_FAILED "failed"

/* How what declares such an edge begins. */
#define HAZARDS_BY "learned: "

/*
 * Adds an edge for each pair, as the file has them, whose sessions the plan does not order yet.
 * Pairs of others, or what is none, add nothing.
 */
void hazards_apply(struct plan *, const json_t *pairs);

/* Is the edge from that session of the plan's file to the other one such an edge? */
bool hazards_made(const json_t *session, const char *other);

#endif
