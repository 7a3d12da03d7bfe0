#ifndef NOXMK_REPORT_WORK_H
#define NOXMK_REPORT_WORK_H

/* What sessions did with their time, by their steps (record.h). */

#include <jansson.h>

#include "report/table.h"

/* STEP_OTHER: nox's session without its steps; STEP_NOX: nox's own start and end. */
enum step_kind { STEP_ENVIRONMENT, STEP_INSTALL, STEP_RUN, STEP_OTHER, STEP_NOX, STEP_KINDS };

struct work {
	double seconds[STEP_KINDS];
};

/* "environment", "install", "run", "other", "nox". */
const char *work_name(enum step_kind);

/* Of a step as the record has it: one of the first three. */
enum step_kind work_kind(const json_t *step);

/* Adds a session. False: nox has not told of it. */
bool work_add(struct work *, const struct record *);

/* Adds so many seconds of a session, as its whole time was divided. False: likewise. */
bool work_add_share(struct work *, const struct record *, double seconds);

/* Of all sessions of the table. */
struct work work_of(const struct table *);

#endif
