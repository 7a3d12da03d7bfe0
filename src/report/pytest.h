#ifndef NOXMK_REPORT_PYTEST_H
#define NOXMK_REPORT_PYTEST_H

/*
 * What pytest reports, in any of its styles (--tb), with xdist or without. Each test that fails has
 * a block: the finding is the innermost place of it in a file of the project, with the lines that
 * begin with "E" as the message. What has no such block is found in the short summary, without a
 * line. What a test has printed is no report, and is passed over.
 *
 *   =================== FAILURES ===================
 *   ___________________ test_add ___________________
 *   >       assert core.add(1, 2) == 3
 *   E       AssertionError: assert '3' == 3
 *
 *   tests/test_core.py:6: AssertionError
 *   =========== short test summary info ============
 *   FAILED tests/test_core.py::test_add - AssertionError: assert '3' == 3
 */

#include "base/util.h"
#include "report/finding.h"
#include "report/traceback.h"

/* All zero: nothing was read yet. */
struct pytest {
	enum { PYTEST_NONE, PYTEST_QUIET, PYTEST_FAILURES, PYTEST_SUMMARY } section;
	char *name;            /* of the block's test; NULL: in no block */
	bool captured;         /* what the test has printed */
	bool in_message;       /* the last line began with E */
	bool syntax;           /* the message is a SyntaxError's: its last line counts */
	size_t indent;         /* of the message's first line */
	unsigned lines;        /* of the message */
	struct buffer message;
	char *file;            /* of the innermost place, or NULL */
	unsigned line;
	struct traceback traceback; /* --tb=native */
	struct indices known;  /* hashes of the names of tests with a finding */
};

/* Reads the next line. Is it pytest's, and nobody else's? */
bool pytest_line(struct pytest *, const struct finder *, const char *line);

/* No more lines come, or not of pytest: what is found is told, and all is zero again. */
void pytest_end(struct pytest *, const struct finder *);

#endif
