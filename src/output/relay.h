#ifndef NOXMK_OUTPUT_RELAY_H
#define NOXMK_OUTPUT_RELAY_H

/*
 * What a session writes comes by a pipe, and the relay copies it into the log. Thus a full disk or
 * a lost folder costs the log and not the session, secrets do not reach the log (commands.h), and
 * one session cannot fill the disk. It works in bounded memory, however long the lines are.
 *
 * Of a log that would exceed its limit the head and the tail are kept, half of the limit each:
 *
 *   …head…
 *   [noxmk: 123456 bytes cut out here: log-limit]
 *   …tail…
 */

#include <stdbool.h>
#include <sys/types.h>

#include "output/commands.h"

struct relay;

/*
 * A relay into that log (of joblog_open; -1: to standard error), which gets at most limit bytes (0:
 * no limit). When a command is found, the log has all that was written before it. Log and mask stay
 * the caller's. NULL with errno set when there can be no pipe. relay_close frees.
 */
struct relay *relay_open(int log, const struct commands_options *, long long limit) UNUSED_RESULT;

/*
 * The end of the pipe that the session writes to. It stays open here, too: else a session that
 * closes its output would leave the other end readable for good, and poll(2) would not wait.
 */
int relay_end(const struct relay *);

/* The other end; when it is readable, relay_copy copies what is there, if not all at once. */
int relay_fd(const struct relay *);
void relay_copy(struct relay *);

/* Copies what the session has written elsewhere, to a terminal. */
void relay_take(struct relay *, const char *data, size_t n);

/*
 * Copies what is left in the pipe, puts the log's tail in order and frees; what other processes
 * still write is lost. Returns how many bytes could not be written, with errno set, or 0.
 */
long long relay_close(struct relay *);

#endif
