#ifndef NOXMK_AUDIT_LEAVING_H
#define NOXMK_AUDIT_LEAVING_H

/*
 * What sessions leave in a project: each file and link with its content and mode, whenever it was
 * written. Left out are what tools keep for themselves (noise.h), environments, and the folders of
 * git and nox.
 */

#include "base/util.h"

struct leaving_file {
	char *path; /* as from the project */
	char *what; /* the mode and the content's hash, or where the link leads */
};

/* Sorted by path. */
struct leaving {
	struct leaving_file *v;
	size_t n, room;
};

/* Of that folder, by its path. Of what cannot be read it has why not. */
struct leaving leaving_of(const char *root) UNUSED_RESULT;
void leaving_clear(struct leaving *);

/* The paths at which the two differ, in order: those of the one or the other. free(v) frees. */
struct strings leaving_differ(const struct leaving *, const struct leaving *) UNUSED_RESULT;

/* Is the folder, by its path, an environment for a program's packages? */
bool leaving_is_environment(const char *path);

#endif
