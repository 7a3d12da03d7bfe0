#ifndef NOXMK_BASE_OUTLET_H
#define NOXMK_BASE_OUTLET_H

/*
 * Standard output and standard error of a process that must not wait for their readers: a pager, a
 * terminal that is stopped, a CI's agent that hangs. Between outlet_open and outlet_close nothing
 * that is written to stdout and stderr blocks. What nobody reads for now is kept, up to a limit if
 * there is one; what comes beyond that is cut, and once there is room again a line says so:
 *
 *   [noxmk: 123456 bytes are not shown here: nobody read what came before in time]
 *
 * Lines of at most PIPE_BUF bytes stay whole, whoever else writes there. Descriptors 1 and 2
 * themselves, which others have as well, stay as they are.
 */

#include <poll.h>
#include <stdbool.h>

#include "base/util.h"

/* is_all: nothing is cut, however much is kept. */
void outlet_open(bool is_all);

/*
 * Waits so many milliseconds at most until what is kept has been read; the rest is lost. -1 if
 * something could not be written though a reader was there, with errno set, else 0.
 */
int outlet_close(int milliseconds);

/*
 * The same, but the rest is left to a process of its own, which lives until it has been read,
 * nobody can read it any more, or an hour is over.
 */
int outlet_hand_over(int milliseconds);

/*
 * Waits so many milliseconds at most until what is kept has been read. False if some of it has not:
 * it stays kept.
 */
bool outlet_settle(int milliseconds);

/* How many bytes have been written to standard output so far, read or not. */
size_t outlet_taken(void);

/*
 * From now on all that goes to a terminal has that text in front of it, in one piece with it: it
 * wipes what is below the cursor. Borrowed.
 */
void outlet_wipes(const char *wipe);

/* To be flushed when one of these can be written to. */
enum { OUTLETS = 2 };
void outlet_poll(struct pollfd fds[OUTLETS]);
void outlet_flush(void);

/* Has standard output something that nobody has read yet, or has a part been cut? */
bool outlet_is_behind(void);

/* Is so much kept that whoever can wait should write no more? */
bool outlet_is_full(void);

/* In a forked child, which lives on: what is kept is its parent's to write. */
void outlet_forked(void);

#endif
