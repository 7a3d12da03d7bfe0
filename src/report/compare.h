#ifndef NOXMK_REPORT_COMPARE_H
#define NOXMK_REPORT_COMPARE_H

/* `noxmk compare`: two runs side by side. */

#include <stdbool.h>

/*
 * Prints each session of both runs, with verdict and time in each, and what has changed between
 * them; what has changed most stands first. json: that as one JSON object:
 *
 *   {"schema":1,"before":{"run":"…","started":1795396700.0,"wall":3.0},"after":{…},
 *    "sessions":[{"target":"tests","before":{"verdict":"passed","duration":2.0},"after":{…},
 *    "more":3.0,"turned":"broken"}]}
 *
 * before, after: null where the session was not in that run; duration: null where it has not run.
 * more: seconds that it took longer in the second run, or null; turned: "broken", "mended" or null.
 * before, after: the runs, as story_find has them. 0, or -1 after a warning.
 */
int compare_print(const char *before, const char *after, bool json);

#endif
