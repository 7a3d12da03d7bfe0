#ifndef NOXMK_OUTPUT_PAGE_H
#define NOXMK_OUTPUT_PAGE_H

/*
 * The page of a CI, which all helpers of a run write to at once. A helper that has the turn is the
 * only one that does, so that the log of a session stands there in one piece. How far the page has
 * come, and when something was written there last, is in a file beside the copies of the run:
 *
 *   .page.now    struct page_state; flock(2) on it is the turn
 *
 * Nobody waits for ever: the one whose turn it is may wait for a reader that hangs.
 */

#include <stdbool.h>

#include "base/util.h"

struct page;

/* What is written down of it. */
struct page_state {
	long long lines; /* so many were written to it by now */
	long long bytes; /* likewise */
	double last;     /* the monotonic second at which something was */
};

/*
 * folder: the runtime folder, or the run folder where there is none. NULL where no CI reads, and
 * where the file cannot be had; the functions take that: there is no turn to wait for then.
 * page_close frees.
 */
struct page *page_open(int folder) UNUSED_RESULT;
void page_close(struct page *);

/* In a forked child, which may outlive us: the turn is not its. */
void page_forked(struct page *);

/* Milliseconds to wait for the turn, for the room of a whole log. */
enum { PAGE_PATIENT = 5000 };

/* Waits so many milliseconds at most for the turn; has it come? */
bool page_begin(struct page *, int milliseconds);

/*
 * So many lines have been written, and nothing else is to follow: waits until they have been read,
 * and ends the turn. False if nobody reads: then it is nobody else's until we end.
 */
bool page_end(struct page *, long long lines);

/*
 * The same around a line that is written in any case: waits for the turn for a moment only, and for
 * no reader.
 */
void page_begin_line(struct page *);
void page_end_line(struct page *);

/* Something was written out of turn, while it came. */
void page_note(const struct page *);

/*
 * How many bytes of logs the page may still have: GitLab shows 4 MiB of it by default, and there
 * has to be room for the summary.
 */
enum { PAGE_BYTES = 3 << 20 };
long long page_room(const struct page *);

/* Nothing yet: { 0 }. */
struct page_state page_state(const struct page *);

#endif
