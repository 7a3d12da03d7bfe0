#ifndef NOXMK_REPORT_LIST_H
#define NOXMK_REPORT_LIST_H

/*
 * `make nox-list`: what there is to run; and `noxmk list --json`, the same for programs: one JSON
 * object, which noxmk(1), LIST describes. Its schema counts up when a key changes its meaning or
 * goes; new keys may come.
 */

#include "plan/planfile.h"

/*
 * Prints every target on standard output with what it is: sessions, then groups, then those that do
 * not come from the noxfile; and the plan's notes. A `*` marks the default sessions, as in nox -l.
 */
void list_print(struct planfile *);

void list_print_json(struct planfile *);

/* Every target, and behind a tab what it is: a line each. */
void list_print_targets(struct planfile *);

#endif
