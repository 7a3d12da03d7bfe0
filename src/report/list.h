#ifndef NOXMK_REPORT_LIST_H
#define NOXMK_REPORT_LIST_H

/* `make nox-list`: what there is to run. */

#include "plan/planfile.h"

/*
 * Prints every target of the plan with what it is, on standard output: sessions, then groups. A `*`
 * marks the default sessions, as in nox -l.
 */
void list_print(struct planfile *);

#endif
