#ifndef NOXMK_AUDIT_DEPENDENCE_H
#define NOXMK_AUDIT_DEPENDENCE_H

/*
 * What depends on the order of sessions, or on their company: the verdict of one of them, or what
 * is left in the project. It is the same in the runs in the noxfile's order, and differs in another
 * one. What differs between those is not repeatable, and no fault of anybody's company.
 *
 * A dependence is an object, as `noxmk audit --equivalence --json` prints it:
 *
 *   {"of":"verdict","session":"tests","on":"order","run":"in the opposite order",
 *    "usual":"passed","there":"failed","how":"breaks","others":["lint"],"hazards":[…],
 *    "log":"…"}
 *   {"of":"files","session":null,"on":"order","run":"shuffled","paths":["out.txt"],
 *    "others":["one","two"]}
 *
 * how: "needs": it takes the others before it to be as usual; "breaks": it is as there after
 * them; "beside": they ran at the same time. others of files: the sessions that have written them.
 * hazards: between the session and the others, as of overlap.h, and log, that of the session
 * there, are for the caller to fill in.
 */

#include "audit/outcome.h"

struct dependences {
	json_t *found;    /* a list of them */
	json_t *sessions; /* targets whose verdict is not repeatable */
	json_t *paths;    /* of what is not repeatable, words of word.h */
};

/*
 * Of runs of the same sessions, the first of which is in the noxfile's order, and another one at
 * least. dependence_clear frees.
 */
struct dependences dependence_find(const struct outcome *runs, size_t n) UNUSED_RESULT;
void dependence_clear(struct dependences *);

/* On standard output: for people, each, and a last line with their number; for programs. */
void dependence_print(const struct dependences *, const struct outcome *runs, size_t n);
void dependence_print_json(const struct dependences *, const struct outcome *runs, size_t n);

#endif
