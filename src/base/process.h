#ifndef NOXMK_BASE_PROCESS_H
#define NOXMK_BASE_PROCESS_H

/* What proc(5) tells of processes. */

#include <sys/types.h>

#include "base/util.h"

/* Adds the children of all its threads. */
void process_children(pid_t, struct indices *);

/* Adds all processes below that one. */
void process_descendants(pid_t, struct indices *);

/*
 * Its command line, "sleep 30". One that is about to end has none any more: its name in brackets,
 * as ps(1) has it. The caller frees.
 */
char *process_name(pid_t) UNUSED_RESULT;

/* The path of our own program; empty where /proc does not tell. The caller frees. */
char *process_own_program(void) UNUSED_RESULT;

#endif
