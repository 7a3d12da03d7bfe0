#ifndef NOXMK_REPORT_FINDINGS_H
#define NOXMK_REPORT_FINDINGS_H

/*
 * What tools have reported, found in the text that a session has written: the formats of single
 * lines (grammar.h), pytest's blocks (pytest.h), Python's tracebacks (traceback.h), and what some
 * tools write over several lines. Commands to the CI (ci.h) are findings, too.
 *
 * Colours do not count. The text may be anything, and is read in linear time and bounded memory: of
 * a very long line only the start counts.
 */

#include <stddef.h>

#include "base/util.h"
#include "report/finding.h"

struct findings;

/* The finder is copied. findings_close reads what is left, and frees. */
struct findings *findings_open(const struct finder *) UNUSED_RESULT;
void findings_close(struct findings *);

/* Reads so many bytes of the log on; they may end within a line. */
void findings_feed(struct findings *, const char *data, size_t n);

#endif
