#ifndef NOXMK_UNMADE_H
#define NOXMK_UNMADE_H

/*
 * Goals that make would call done though nothing has run for them: their session is gone, or there
 * is no plan, and a folder has the same name, or the makefiles name them without a recipe.
 */

struct unmade_options {
	char *const *goals;   /* NULL-ended; none of them is a target of the plan */
	const char *folder;   /* the one that make works in */
	const char *makefile; /* the first one there */
	const char *noxfile;  /* seen from the current folder */
	char *const *make;    /* the command, NULL-ended */
};

/* -1 after a warning for each goal that nothing is made for, else 0. */
int unmade_check(const struct unmade_options *);

#endif
