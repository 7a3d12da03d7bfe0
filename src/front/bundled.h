#ifndef NOXMK_FRONT_BUNDLED_H
#define NOXMK_FRONT_BUNDLED_H

/*
 * `noxmk make`: make with the nox.mk that was installed with this program, for a project whose
 * makefile does not include it, or that has none.
 */

/*
 * Becomes that make, with these words, NULL-ended. A makefile that the folder has itself is not
 * read, which is said on standard error. Does not return but with an exit code, after a warning.
 */
int bundled_make(char *const *words);

/* Prints the path of that nox.mk, as a makefile can include it. An exit code. */
int bundled_print(void);

#endif
