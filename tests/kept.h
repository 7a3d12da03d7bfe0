#ifndef NOXMK_TESTS_KEPT_H
#define NOXMK_TESTS_KEPT_H

/* A kept run for the suites of reports. The functions that return one: its folder's descriptor. */

#include <jansson.h>

#include "report/report.h"
#include "state/record.h"

#define KEPT_RUN "20261123T000000.000Z-c0ffee01"
#define KEPT_FOLDER ".nox/.noxmk/runs/" KEPT_RUN

/* It has ended, without a record: b requires a, c and d share db, e is on its own. */
int kept_begin(void);

/* With all records. Two at once: a and c; then b, and d for want of a slot and of db; then e. */
int kept_put_all(void);

/* Started and ended in seconds from the run's start. waits: of the record, as JSON, or NULL. */
struct record kept_record(const char *target, enum verdict, double started, double ended,
    const char *waits);

/* Writes the record and clears it. */
void kept_put(int run, struct record);

/* What report_print prints, which returns that. The caller frees. */
char *kept_printed(const struct report_options *, int expected);

/* What it prints of the run in that format, which is JSON; and a number in that, which is there. */
json_t *kept_parsed(const char *format);
double kept_number(const json_t *object, const char *key);

#endif
