#ifndef NOXMK_MAKEFILE_UNMADE_H
#define NOXMK_MAKEFILE_UNMADE_H

/*
 * Where there can be no plan: goals that make would call done though nothing has run for them, as a
 * folder has the name of the session, or the makefiles give it prerequisites but no recipe. They go
 * into sessions.mk, in the place of a plan, for nox.mk to refuse:
 *
 *   _noxmk.refused := tests docs
 *   # end
 */

#include <stdbool.h>

struct unmade_options {
	char *const *goals;   /* NULL-ended */
	const char *folder;   /* the one that make works in */
	const char *makefile; /* the first one there */
	const char *files;    /* all those that make has read, but for ours */
	const char *noxfile;  /* seen from the current folder */
	char *const *make;    /* the command, NULL-ended */
};

/* Is there such a goal, and have all been written? Says nothing. */
bool unmade_refuse(const struct unmade_options *);

#endif
