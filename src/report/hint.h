#ifndef NOXMK_REPORT_HINT_H
#define NOXMK_REPORT_HINT_H

#include <stddef.h>

#include "state/record.h"

/*
 * If it was the first run of a project, and sessions ran at the same time, a line at a terminal
 * says that `noxmk audit` finds out which of them must not. Not after an audit, nor in a CI.
 */
void hint_print(int state, const struct record *records, size_t n);

#endif
