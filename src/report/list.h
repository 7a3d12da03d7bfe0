#ifndef NOXMK_REPORT_LIST_H
#define NOXMK_REPORT_LIST_H

/* What can be read off a plan or a log without running anything. Print on standard output. */

#include <jansson.h>

#include "plan/planfile.h"

/* `make nox-list`: every target with what it is; `*` marks the default sessions, as nox -l does. */
int list_targets(struct planfile *, const json_t *unused_goals);

/*
 * `make -n`: the goals' sessions in the order that make starts them, when each is expected to
 * start and end at the -j of MAKEFLAGS, and what it waits for. 1 after a warning when a goal is
 * unknown.
 */
int show_order(struct planfile *, const json_t *goals);

/* One session's log, as it is. -1 after a warning. */
int list_log(int run, const char *target);

#endif
