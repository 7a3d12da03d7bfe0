#ifndef NOXMK_AUDIT_ALIAS_H
#define NOXMK_AUDIT_ALIAS_H

/*
 * Files that have several names (hard links): who changes one under one of them changes it under
 * all. Only what is changed in place is meant. A name that comes or goes, or that gets another
 * file, leaves the other names as they were.
 */

#include "audit/access.h"

/* Adds to each of the sessions what it has changed so, under all names that any of them knows. */
void alias_spread(struct actor *actors, size_t n);

#endif
