#ifndef NOXMK_SLOTS_CLIENTS_H
#define NOXMK_SLOTS_CLIENTS_H

/*
 * Finds out whether a session's tools are clients of make's jobserver, which the order of the next
 * run wants to know: such a session fills what slots are free. inotify(7) tells that somebody has
 * opened the jobserver's pipe, proc(5) whether that is a process of this session.
 */

#include <sys/types.h>

#include "base/util.h"
#include "slots/slot.h"

struct clients;

/*
 * NULL when the session's tools cannot reach make's jobserver (slot_jobserver), or when the system
 * has no more inotify instances. Borrows the slot. clients_close frees.
 */
struct clients *clients_open(const struct slot *) UNUSED_RESULT;
void clients_close(struct clients *);

/*
 * Has a process below that one been a client so far? 1, 0, or -1: nobody can know. Ask again when
 * the descriptor (-1: never) is readable.
 */
int clients_found(struct clients *, pid_t session);
int clients_fd(const struct clients *);

#endif
