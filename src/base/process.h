#ifndef NOXMK_BASE_PROCESS_H
#define NOXMK_BASE_PROCESS_H

/* What proc(5) tells of processes. Of one that is gone it tells nothing, which is no error here. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/* Adds the children of the process, of all its threads. */
void process_children(pid_t, struct indices *);

/* Adds all processes below that one: its children, theirs, and so on. */
void process_descendants(pid_t, struct indices *);

/*
 * The command line of the process, "sleep 30". A process that is about to end has none any more;
 * then its name in brackets, as in ps(1): "[sleep]". The caller frees.
 */
char *process_name(pid_t) UNUSED_RESULT;

/* The path of our own program; empty where /proc does not tell. The caller frees. */
char *process_own_program(void) UNUSED_RESULT;

/* Is that file our own program, by whatever name? */
bool process_is_own_program(const char *path);

#endif
