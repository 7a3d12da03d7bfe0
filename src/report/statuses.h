#ifndef NOXMK_REPORT_STATUSES_H
#define NOXMK_REPORT_STATUSES_H

/*
 * On Forgejo and Gitea, whose pages show no annotations, each session becomes a status of the
 * commit, "noxmk: JOB/TARGET", by the forge's API. That is done by statuses.py, in nox's Python, so
 * that the helper need not speak HTTP.
 */

#include <jansson.h>

#include "plan/planfile.h"

/*
 * For all sessions with a record, and those of the goals. share: the folder of statuses.py. Does
 * nothing in another CI, or without a token in the environment. Takes some seconds at most; what
 * cannot be told in them is no failure, and one warning.
 */
void statuses_post(const char *share, int rundir, struct planfile *, const json_t *goals);

#endif
