#ifndef NOXMK_REPORT_TELLING_H
#define NOXMK_REPORT_TELLING_H

/*
 * A run as `noxmk report` tells of it: a table of its sessions, its critical path with what each
 * session on it waited for, and where the time went.
 */

#include "report/remark.h"
#include "report/story.h"

/*
 * Appends that. columns: how long lines may be; 0: as long as they are. What others wrote is safe
 * to be shown.
 */
void telling_add(struct buffer *out, const struct story *, const struct remarks *, int columns);

/*
 * The same without the table: its critical path, where the time went, what it waited for, and what
 * would help; each begins with an empty line and one that says what follows. predictions: of
 * advice_of.
 */
void telling_explain(struct buffer *out, const struct story *, const json_t *predictions);

/* "9 sessions, 8 passed, 1 failed"; and "2026-11-29 00:12:01 UTC", or "?". */
void telling_add_counts(struct buffer *out, const struct story *);
void telling_add_date(struct buffer *out, double when);

#endif
