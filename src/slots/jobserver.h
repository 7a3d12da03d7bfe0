#ifndef NOXMK_SLOTS_JOBSERVER_H
#define NOXMK_SLOTS_JOBSERVER_H

/*
 * make's jobserver: a pipe or FIFO that holds a byte for each job that may still be started.
 * MAKEFLAGS says where: "R,W" (descriptors) or "fifo:PATH" (make 4.4). Descriptors are only
 * believed when both are ends of one pipe, since make closes them in recipes without a `+`, and
 * something else may have their numbers then.
 *
 * The inherited descriptors are shared with make, flags and all. We open the pipe anew.
 */

#include "base/util.h"

struct jobserver;

/* auth: of struct makeflags, or NULL. NULL, silently, when there is none that we can reach. */
struct jobserver *jobserver_open(const char *auth) UNUSED_RESULT;
void jobserver_close(struct jobserver *);

/*
 * For a make that was started with closed streams: its pipe has taken their numbers, and what we
 * print would become tokens. Gives the pipe other ones, in our MAKEFLAGS too, and nothing to the
 * streams. To be called before anything is printed.
 */
void jobserver_leave_streams(void);

/* Never waits. The token, which is to be given back just so; -1 when there is none to take now. */
int jobserver_take(struct jobserver *);

/* Gives a token back. False when nobody is left who could take it. */
bool jobserver_give(struct jobserver *, int token) UNUSED_RESULT;

/* By this it can be told from others: the number of its pipe. */
unsigned long long jobserver_number(const struct jobserver *);

/* Readable when there is a token to take, and hangs up when nobody is left who could give one. */
int jobserver_fd(const struct jobserver *);

/* The descriptor that tokens are given by, for a process that closes all the others. */
int jobserver_give_fd(const struct jobserver *);

/* Closes that one: make sees the end of the pipe when nobody has it open any more. */
void jobserver_stop_giving(struct jobserver *);

#endif
