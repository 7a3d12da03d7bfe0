#ifndef NOXMK_AUDIT_SUSPECTS_H
#define NOXMK_AUDIT_SUSPECTS_H

/*
 * Why does a session fail beside others, and not alone? By its hazards with these, as the traces of
 * that run show them or, if it was not traced, those that earlier audits have left. What they show
 * is learned (lesson.h). One that fails alone, too, may do so by what these have left in the tree,
 * which proves nothing: nothing is learned of it.
 */

#include "plan/planfile.h"

struct suspects {
	int state, rundir;
	struct planfile *plan;
	const char *target;
	const json_t *company; /* targets */
	bool fails_alone;
};

/* As overlap.h has them, the worst first: a new list, which is empty where nothing is known. */
json_t *suspects_of(const struct suspects *) UNUSED_RESULT;

#endif
