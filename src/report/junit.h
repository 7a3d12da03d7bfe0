#ifndef NOXMK_REPORT_JUNIT_H
#define NOXMK_REPORT_JUNIT_H

/*
 * A run as JUnit XML, which Jenkins, GitLab and others show: junit.xml in the run folder, a test
 * case for each session by the schema of Jenkins' xunit plugin (junit-10.xsd). One that is cut in
 * parts is one case (whole.h), but where not all of them are there each has its own, by its own
 * name. Failed and aborted sessions are failures, cancelled ones and those that did not run are
 * errors; behind each of these is the end of its log. Each failed attempt of a flaky one is a
 * flakyFailure, of one that has failed in the end a rerunFailure beside the failure.
 */

#include "base/util.h"
#include "report/table.h"

/*
 * Writes the file. info: the run info, of which the properties are made; overlaps: where sessions
 * met, as of audit/overlap.h, for one more property each, or NULL. False after a warning: it
 * cannot be written.
 */
bool junit_write(int rundir, const struct table *, const json_t *info, const json_t *overlaps);

/* Appends the document. */
void junit_add_run(struct buffer *, int rundir, const struct table *, const json_t *info,
    const json_t *overlaps);

#endif
