#ifndef NOXMK_OUTPUT_JOBLOG_H
#define NOXMK_OUTPUT_JOBLOG_H

/*
 * TARGET.log in a run folder: what one session was and wrote.
 *
 *   $ python3 -u …/shim.py -f noxfile.py -s lint …      the command, as a shell would take it
 *   …                                                   all that it wrote, byte for byte
 *
 *   [noxmk: masked: PYPI_TOKEN, A_SECRET]               only if ***, for their values, is in it
 *   [exited with status 1.]                             or [killed by signal 9.]
 *
 * Standard output and errors come through one pipe (relay.h), so nothing is reordered. There is
 * always a line end of ours before these last lines: what the session wrote, whether its last line
 * has an end or not, lies between the first line and that. The last line is always the status.
 */

#include <stdbool.h>

#include "output/ci.h"
#include "output/mask.h"

/*
 * Makes a log with its first line, which goes through the mask. The descriptor, which joblog_close
 * closes, or -1 after a warning.
 */
int joblog_open(int rundir, const char *target, char *const argv[], struct mask *);

/*
 * Adds the last lines and closes. status: as of spawn_status. Warns if something is lost.
 */
void joblog_close(int log, const char *target, const char *status, const struct mask *);

/*
 * Moves the log out of the way of the next attempt's. Its new name, TARGET.log.N, which the caller
 * frees, or NULL after a warning.
 */
char *joblog_set_aside(int rundir, const char *target, size_t number) UNUSED_RESULT;

/* Opens the log for reading; the caller closes. -1 when there is none, and nothing is printed. */
int joblog_find(int rundir, const char *target) UNUSED_RESULT;

/*
 * A whole log on standard output: through the filter (filter.h) if that is a terminal or a CI
 * reads; else, or if it is to be raw, byte for byte. 0, or -1 after a warning when there is no such
 * log or it cannot be read; that a reader of ours went away is no failure.
 */
int joblog_print(int rundir, const char *target, bool raw);

/*
 * The end of a log, at most so many KiB of it, through the filter on standard output. Warns if
 * there is no such log.
 */
void joblog_print_end(int rundir, const char *target, int kib);

/*
 * The file, a log, for a CI's page, through the filter: whole, or, if it has more bytes than that,
 * its first and its last ones, to whole lines where there are any, with a line between them that
 * says how much is left out and the path of it all. How many lines that is. Warns if there is no
 * such file.
 */
long long joblog_print_cut(int rundir, const char *file, const char *path, long long head,
    long long tail);

/* The last line that the session wrote, "" if there is none: tail.h. The caller frees. */
char *joblog_last_line(int rundir, const char *target) UNUSED_RESULT;

/* Copies what is new in a growing log to standard output, through filter.h and lines.h. */
struct joblog_follower;

/*
 * From the log's present end on. target: in front of each line, or NULL where no other session is
 * shown. joblog_follower_close copies what is left and frees, and takes NULL.
 */
struct joblog_follower *joblog_follower_open(int log, const char *target, enum ci);
void joblog_follower_copy(struct joblog_follower *);
void joblog_follower_close(struct joblog_follower *);

/* From its start on, and shown as by joblog_print. */
struct joblog_follower *joblog_follower_open_all(int log, bool raw);

/*
 * Copies some of what is new: so little that a pipe which can be written to has room for it. 1, 0
 * when there is no more by now, or -1 with errno set when it cannot be read or written.
 */
int joblog_follower_step(struct joblog_follower *);

/* Frees, but what has not been copied is not shown. */
void joblog_follower_leave(struct joblog_follower *);

/*
 * A line for the CI among these, or, with NULL, at once. It is written as it is if raw, else
 * through the filter, which lets an annotation pass.
 */
void joblog_tell_ci(struct joblog_follower *, bool raw, const char *line, size_t n);

/* joblog_follower_copy is due when the log has grown, and after so many milliseconds (-1: no). */
int joblog_follower_timeout(const struct joblog_follower *);

#endif
