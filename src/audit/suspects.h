#ifndef NOXMK_AUDIT_SUSPECTS_H
#define NOXMK_AUDIT_SUSPECTS_H

/*
 * Why does a session fail beside others, and not alone? By its hazards with these, as the traces of
 * that run show them or, if it was not traced, those that earlier audits have left. What they show
 * is learned (lesson.h).
 */

#include "plan/planfile.h"

struct suspects {
	int state, rundir;
	struct planfile *plan;
	const char *target;
	const json_t *company; /* targets */
};

/* As overlap.h has them, the worst first: a new list, which is empty where nothing is known. */
json_t *suspects_of(const struct suspects *) UNUSED_RESULT;

#endif
