#ifndef NOXMK_TRACE_FILTER_H
#define NOXMK_TRACE_FILTER_H

/*
 * The filter by which the kernel tells of the calls of calls.h: seccomp_unotify(2), or seccomp(2)
 * and ptrace(2).
 *
 * Two things are other behind it: io_uring_setup(2) fails with ENOSYS, since what io_uring does no
 * filter sees; and unless we are privileged, no program gets rights by being executed (sudo),
 * since the kernel wants no_new_privs (prctl(2)) then.
 */

#include <stdbool.h>

/*
 * Installs it for the calling thread and all that this starts from now on; the thread cannot get
 * rid of it. Returns the listener, from which somebody who has no such filter is to read: until
 * then the calls wait. *asks: does it tell also of calls that only ask (calls.h)? Where the kernel
 * does not hand over fast enough it does not. -1 with errno set: there is no such thing here
 * (EBUSY: somebody else listens already).
 */
int filter_install(bool *asks);

/*
 * The same for somebody who traces the calling process by ptrace(2). While nobody does, those calls
 * fail with ENOSYS. -1 with errno set: there is no such thing here.
 */
int filter_install_stops(void);

#endif
