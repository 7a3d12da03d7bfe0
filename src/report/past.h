#ifndef NOXMK_REPORT_PAST_H
#define NOXMK_REPORT_PAST_H

/* `noxmk history`: one session in all the runs that are kept. */

#include <stdbool.h>
#include <stddef.h>

/*
 * Prints on standard output in which runs the session of that target was, with verdict and time;
 * the median of the times in which it passed, and between which the middle half of them lies; since
 * which run it has been slower or faster, if it has; and how often it failed or was flaky. json:
 * that as one JSON object:
 *
 *   {"schema":1,"target":"lint","runs":[{"run","started","verdict","reason","flaky","duration",
 *    "recheck"}],
 *    "verdicts":{"passed":9,…},"flaky":1,"median":1.5,"low":1.4,"high":1.7,
 *    "change":{"run":"…","before":1.1,"after":1.6}}
 *
 * recheck: as in the record, or null. median, low, high, change: null where too little is known.
 * state: the state folder. 0, or -1 after a warning where there is no such session in any run.
 */
int past_print(int state, const char *target, bool json);

/*
 * Where a series of n times, the oldest first, has changed for good: the place of the first time
 * that is another, or 0: nowhere.
 */
size_t past_change(const double *times, size_t n);

#endif
