#ifndef NOXMK_TRACE_LISTENER_H
#define NOXMK_TRACE_LISTENER_H

/*
 * What the kernel tells by: seccomp_unotify(2). One call at a time is received and answered; all
 * others wait. When nobody has the listener any more, such calls fail with ENOSYS.
 *
 * So that this does not happen when the keeper, who answers, is killed, a copy of the listener lies
 * in a socket that the helper has: calls then wait until their processes are killed, or somebody
 * picks it up.
 */

#include <stdbool.h>
#include <stddef.h>

#include "trace/calls.h"

struct seccomp_notif;
struct seccomp_notif_resp;

struct listener {
	int fd; /* -1: none */
	struct seccomp_notif *call;        /* the one that was received last */
	bool waits;                        /* it has not been let go */
	struct seccomp_notif_resp *answer;
	size_t call_size, answer_size;     /* as the kernel has them */
	int ends[2];                       /* of the socket */
};

/* Before the fork. False when this kernel has no such thing. */
bool listener_prepare(struct listener *);

/* For the helper, when the keeper has gone: those that are left go on, without being watched. */
void listener_close(struct listener *);

/* A copy of it is put into the socket. */
void listener_lay_down(const struct listener *);

/* Waits for a call. False when there was none for us after all: who made it was killed. */
bool listener_receive(struct listener *);

/* The one that was received. */
struct made listener_call(const struct listener *);

/*
 * Lets the call that was received go on as if nobody had been told. False when nobody waits for
 * that any more: its process may have been killed, and another one may have its number by now.
 */
bool listener_let_go(struct listener *);

/* Does it still wait? */
bool listener_waits(const struct listener *);

/* Is there still anybody of whom we are told? */
bool listener_is_used(const struct listener *);

#endif
