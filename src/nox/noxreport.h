#ifndef NOXMK_NOX_NOXREPORT_H
#define NOXMK_NOX_NOXREPORT_H

/*
 * nox's report of one session, .TARGET.report: nox writes it, or the shim, which tells more. Its
 * room is reserved before nox starts, so that a disk that is full by then costs no verdict. The
 * shim also notes there at what the session is: that stays of one that is killed.
 */

#include "base/util.h"

/* Makes the file in that folder, without a report. 0, or -1 with errno set. */
int noxreport_reserve(int folder, const char *target) UNUSED_RESULT;

/* Its path, absolute since nox takes a relative one from the noxfile's folder. The caller frees. */
char *noxreport_path(int folder, const char *target) UNUSED_RESULT;

/* Reads the report, or the notes, into an empty buffer, which stays so if there is neither. */
void noxreport_read(int folder, const char *target, struct buffer *);
void noxreport_remove(int folder, const char *target);

/*
 * What stands in for a report that could not be written, instead of what is in the buffer: this
 * result, and that it is so.
 */
void noxreport_stand_in(const char *result, struct buffer *);

/* Keeps it in that folder for people. */
void noxreport_keep(int folder, const char *target, const struct buffer *);

#endif
