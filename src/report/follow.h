#ifndef NOXMK_REPORT_FOLLOW_H
#define NOXMK_REPORT_FOLLOW_H

/*
 * `noxmk log -f`: the log of a session on standard output, from its start on, as it grows, until
 * the session has ended.
 */

#include <stdbool.h>

/*
 * Shows it as joblog_print does. A session that is still to begin is waited for, which a line on
 * standard error says. If it is tried again, the next attempt's log follows behind a line that says
 * so. It ends, too, when the run is over without that session, whoever was killed, and when nobody
 * reads any more. A signal that would end us does.
 *
 * 0, or -1 after a warning when there is no log, or it cannot be read or shown.
 */
int follow_print(int rundir, const char *target, bool raw);

#endif
