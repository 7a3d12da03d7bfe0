#ifndef NOXMK_AUDIT_HAZARD_H
#define NOXMK_AUDIT_HAZARD_H

/*
 * What people are told: clashes of the same sessions in one place are one hazard, .coverage or all
 * that is below build/.
 */

#include "audit/clash.h"

struct hazard_member {
	size_t actor;        /* position of the session */
	unsigned roles;      /* a set of enum clash_role */
	const char *program; /* or NULL */
};

struct hazard {
	char *what;  /* for people: ".coverage", "build/lib", "~/.cache/x", "port 8765/tcp" */
	char *place; /* the same for ever, and for machines: the part of a path that names it */
	enum level level;
	enum noise rule;       /* why it is harmless; NOISES: it is not */
	enum clash_kind kind;  /* of the worst of them */
	struct indices clashes;
	struct hazard_member *members; /* in the order of the sessions */
	size_t nmembers, npaths;
};

struct hazards {
	struct hazard *v; /* the worst first */
	size_t n;
};

/*
 * Sorts the clashes by path, and makes hazards of them; paths are shown as from root or home, which
 * may be NULL. hazard_clear frees.
 */
struct hazards hazard_find(struct clashes *, const char *root, const char *home) UNUSED_RESULT;
void hazard_clear(struct hazards *);

/* Of clashes that are sorted so: where those end that have the path, level and rule of that one. */
size_t hazard_path_end(const struct clashes *, size_t at);

#endif
