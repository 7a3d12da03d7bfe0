#ifndef NOXMK_REPORT_JUNIT_H
#define NOXMK_REPORT_JUNIT_H

/*
 * A run as JUnit XML, which Jenkins, GitLab and others show: junit.xml in the run folder, a test
 * case for each session, in parts or not (whole.h), by the schema of Jenkins' xunit plugin
 * (junit-10.xsd). Failed and aborted sessions are failures, cancelled ones and those that did not
 * run are errors; behind each of these is the end of its log. Each failed attempt of a flaky one is
 * a flakyFailure, of one that has failed in the end a rerunFailure beside the failure. What XML
 * cannot hold is replaced: see junit_add.
 */

#include "base/util.h"
#include "state/record.h"

/*
 * Writes the file. info: the run info, of which the properties are made; overlaps: where sessions
 * met, as of audit/overlap.h, for one more property each, or NULL. False after a warning: it
 * cannot be written.
 */
bool junit_write(int rundir, const struct record *, size_t n, const json_t *info,
    const json_t *overlaps);

/* Appends the document. */
void junit_add_run(struct buffer *, int rundir, const struct record *, size_t n,
    const json_t *info, const json_t *overlaps);

/*
 * Appends that text as the content of an element, or of an attribute in double quotes. Sequences
 * for terminals (ESC [ …, ECMA-48) are left out; what is neither a character that may be shown nor
 * a line end or tab becomes U+FFFD.
 */
void junit_add(struct buffer *, const char *text, size_t n);

#endif
