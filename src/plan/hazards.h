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
 * last word says that one of them has failed where that was otherwise. The name of a session that
 * is cut stands for all of its parts (parts.h); twice the same: its parts are in each other's way.
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
 * The pairs of that file, all of them sound: a new reference. NULL when it has none that can be
 * trusted, after one warning. shown: what people call the file. ours: it is ours (base/file.h), and
 * may be missing; else it is anybody's.
 */
json_t *hazards_read(int dirfd, const char *name, bool ours, const char *shown) UNUSED_RESULT;

/*
 * Adds an edge for each pair whose sessions the plan does not order yet in every make that runs
 * both; pairs of others, and of those that it orders the other way, add nothing. Parts of one
 * session get a claim instead: they need no order, and an edge would keep them on one machine.
 */
void hazards_apply(struct plan *, const json_t *pairs);

/* Was the edge from that session of the plan's file to the other one learned? */
bool hazards_made(const json_t *session, const char *other);

/* Was that claim of a session of the plan's file learned? */
bool hazards_claimed(const json_t *claim);

#endif
