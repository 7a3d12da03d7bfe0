#ifndef NOXMK_REPORT_ANNOTATE_H
#define NOXMK_REPORT_ANNOTATE_H

/*
 * In a CI the end of a run says what tools have found where, for those sessions that failed: it is
 * read from their logs (findings.h). Where the forge shows annotations (ci_annotates), each finding
 * is one,
 *
 *   ::error file=src/core.py,line=7,col=12,title=lint%3A F401::`os` imported but unused
 *
 * and elsewhere a line of a table. Errors come before warnings, else all in the order of sessions
 * and logs; what is found twice, maybe in several sessions, is told once; and what a session has
 * told the CI itself is not told again. A forge shows ten errors and ten warnings of a step, and a
 * table has an end: how many more there are is one line.
 *
 * A log is read in bounded time: of a very long one the first and the last 16 MiB.
 */

#include <stddef.h>

#include "state/record.h"

/*
 * On standard output; nothing without a CI or a finding. The project is the current folder.
 * ci_commands: that key of the plan (ci_reads), or NULL.
 */
void annotate_print(int rundir, const struct record *, size_t n, const char *ci_commands);

#endif
