#ifndef NOXMK_BASE_USERMAKE_H
#define NOXMK_BASE_USERMAKE_H

/* What a user who types `make` in the current folder would get. */

#include <stdbool.h>

#include "base/util.h"

/* The program: $MAKE, or make. Borrowed. */
const char *usermake_program(void);

/*
 * The makefile that make reads here, by name, or NULL; the string is constant. *includes: it
 * includes nox.mk, by name or as `noxmk include` has it.
 */
const char *usermake_makefile(bool *includes);

/*
 * Adds what a user of the project would call: that program, with our nox.mk if the folder's
 * makefile does not include it. share: PREFIX/share/noxmk. The words are the caller's to free. Has
 * the makefile its own settings, as it includes nox.mk?
 */
bool usermake_add_command(struct strings *argv, const char *share);

#endif
