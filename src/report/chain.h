#ifndef NOXMK_REPORT_CHAIN_H
#define NOXMK_REPORT_CHAIN_H

/*
 * What a run's wall time went by: the session that ended last, the one whose end that had waited
 * for (cause.h), and so on.
 */

#include "report/table.h"

/*
 * One line on standard output for a run of more than two sessions, if these took at least half of
 * its time, with their share of it. wall: seconds of the run.
 */
void chain_print(const struct table *, double wall);

#endif
