#ifndef NOXMK_REPORT_JUNIT_H
#define NOXMK_REPORT_JUNIT_H

/*
 * A run as JUnit XML, which Jenkins, GitLab and others show: junit.xml in the run folder, a test
 * case for each session, by the schema of Jenkins' xunit plugin (junit-10.xsd). Failed and aborted
 * sessions are failures, cancelled ones and those that did not run are errors; behind each of these
 * is the end of its log. Each failed attempt of a flaky one is a flakyFailure. What XML cannot hold
 * is replaced: see junit_add.
 */

#include "base/util.h"
#include "state/record.h"

/* Warns when the file cannot be written: the run is no worse for that. */
void junit_write(int rundir, const struct record *, size_t n);

/*
 * Appends that text as the content of an element, or of an attribute in double quotes. Sequences
 * for terminals (ESC [ …, ECMA-48) are left out; what is neither a character that may be shown nor
 * a line end or tab becomes U+FFFD.
 */
void junit_add(struct buffer *, const char *text, size_t n);

#endif
