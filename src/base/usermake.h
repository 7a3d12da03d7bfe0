#ifndef NOXMK_BASE_USERMAKE_H
#define NOXMK_BASE_USERMAKE_H

/* What a user who types `make` in the current folder would get. */

#include <stdbool.h>

/* The program: $MAKE, or make. Borrowed. */
const char *usermake_program(void);

/*
 * The makefile that make reads here, by name, or NULL; the string is constant. *includes: it
 * includes nox.mk, by name or as `noxmk include` has it.
 */
const char *usermake_makefile(bool *includes);

#endif
