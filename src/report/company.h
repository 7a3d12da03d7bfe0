#ifndef NOXMK_REPORT_COMPANY_H
#define NOXMK_REPORT_COMPANY_H

/*
 * The company of a session: the others of its run that ran while it did, in its last attempt. One
 * that failed in company may have failed by it. To know, it is run once more, alone (recheck.h),
 * which its record has as "recheck" (record.h).
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "state/record.h"

/*
 * May it be the company's fault that the session failed? Not if nox itself did not come as far as
 * the session, or if it was stopped.
 */
bool company_may_matter(const struct record *);

/*
 * The targets of its company among these records: a new list, in which those that ran beside it the
 * longest come first.
 */
json_t *company_of(const struct record *, const struct record *records, size_t n) UNUSED_RESULT;

/* Have any two of these sessions run at the same time? */
bool company_was_there(const struct record *records, size_t n);

/*
 * What the record's "recheck" is to be: how that went, as its own record says, in so many seconds;
 * beside: the company of the session when it failed. A new reference.
 */
json_t *company_recheck(const struct record *recheck, double seconds, const json_t *beside)
    UNUSED_RESULT;

/* Adds to the record's "recheck" the hazards with its company, whose reference it takes. */
void company_blame(struct record *, json_t *hazards);

/* What the recheck has shown, in words, or NULL where there was none. The caller frees. */
char *company_words(const struct record *) UNUSED_RESULT;

/* The session's reason and these words; NULL if there are neither. The caller frees. */
char *company_reason(const struct record *) UNUSED_RESULT;

/* The seconds that the rechecks of these sessions took. */
double company_rechecked(const struct record *records, size_t n);

/* One line on standard output names those that failed in company, and had no recheck, if any. */
void company_hint(const struct record *records, size_t n);

#endif
