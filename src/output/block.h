#ifndef NOXMK_OUTPUT_BLOCK_H
#define NOXMK_OUTPUT_BLOCK_H

/*
 * The log of a session that has ended, for a CI's page, below a line that says how it went:
 *
 *   lint passed 1.2s                             the title of what the forge folds, if it does that
 *   --- tests failed 3.4s: 1 test failed         where it does not, and of what is to stay open
 *
 * Folded are the logs of attempts that were not the last one, and of a session that passed. The
 * text goes through the filter, so that nothing in it ends what is folded, or begins such a thing.
 *
 *   GitHub, Forgejo, Gitea   ::group::TITLE … ::endgroup::
 *   GitLab                   ESC[0Ksection_start:UNIX:NAME[collapsed=true] CR ESC[0KTITLE …
 *                            ESC[0Ksection_end:UNIX:NAME CR ESC[0K   with the session's own times;
 *                            without the brackets it is open
 *   others                   --- TITLE
 */

#include "output/ci.h"
#include "state/record.h"

/* Has it a log that tells more than its line (screen.h)? A skipped one has not. */
bool block_is_wanted(const struct record *);

/*
 * On standard output. folder: the run folder's path, for people. room: of the page, in bytes; the
 * less there is the shorter the log. How many lines are seen.
 */
long long block_print(enum ci_forge, int rundir, const struct record *, const char *folder,
    long long room);

#endif
