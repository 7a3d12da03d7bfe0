#ifndef NOXMK_SLOTS_JOBSERVER_H
#define NOXMK_SLOTS_JOBSERVER_H

/*
 * make's jobserver: a pipe or FIFO that holds a byte for each job that may still be started.
 * MAKEFLAGS says where: --jobserver-auth=R,W (descriptors), --jobserver-auth=fifo:PATH (make 4.4),
 * or the --jobserver-fds=R,W of old. Descriptors are only believed when both are ends of one pipe,
 * since make closes them in recipes without a `+`, and something else may have their numbers then.
 *
 * The inherited descriptors are shared with make, flags and all. We open the pipe anew.
 */

#include "base/util.h"

struct jobserver;

/* NULL, silently, when there is none that we can reach. */
struct jobserver *jobserver_open(const char *makeflags) UNUSED_RESULT;
void jobserver_close(struct jobserver *);

/* Never waits. The token, which is to be given back just so; -1 when there is none to take now. */
int jobserver_take(struct jobserver *);

/* False when that cannot be: there is nobody any more to give it to. */
bool jobserver_give(struct jobserver *, int token) UNUSED_RESULT;

/* Readable when there is a token to take, and hangs up when nobody is left who could give one. */
int jobserver_fd(const struct jobserver *);

/* What a process has to keep open besides, and what ends when it gives no more. */
int jobserver_give_fd(const struct jobserver *);
void jobserver_stop_giving(struct jobserver *);

#endif
