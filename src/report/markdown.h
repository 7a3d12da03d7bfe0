#ifndef NOXMK_REPORT_MARKDOWN_H
#define NOXMK_REPORT_MARKDOWN_H

/*
 * The summary in Markdown, for the file that GITHUB_STEP_SUMMARY names, which the forge shows above
 * the log. What others wrote, names and reasons, is text in it and nothing else:
 *
 *   | session | verdict | time | reason |
 *   |---|---|--:|---|
 *   | lint | passed | 1.2s | |
 *   | tests&#45;3&#46;12 | **failed** | 3.4s | 1 test failed |
 *
 *   - conflict: both write &#46;coverage
 *
 *   2 sessions: 1 passed, 1 failed; 3.5s wall time
 */

#include <stdbool.h>

#include <jansson.h>

#include "base/util.h"
#include "state/record.h"

struct markdown {
	struct buffer text;
	size_t left_out; /* rows beyond what the file may have */
};

/* Does a CI read us that has such a file? */
bool markdown_is_wanted(void);

/* A row for the session. remark: what is said of it, or NULL. */
void markdown_add(struct markdown *, const struct record *, const char *remark);

/* Where sessions that ran at the same time met, as of audit/overlap.h; NULL: nobody watched. */
void markdown_add_overlaps(struct markdown *, const json_t *overlaps);

/* The last lines. total: what the run has come to. The text is the caller's to free. */
void markdown_end(struct markdown *, const char *total);

/*
 * Adds it all to the end of that file, with these lines. Warns where it cannot,
 * or where the forge would not take the file any more. Frees.
 */
void markdown_write(struct markdown *, const char *total);

#endif
