#ifndef NOXMK_TRACE_TRACEE_H
#define NOXMK_TRACE_TRACEE_H

/*
 * What a thread whose call waits for us has in its memory, and where it is. It may be killed at any
 * time: then there is nothing to be known, and what was read may be another's, whom the kernel has
 * given its number since. The caller asks the kernel whether the call still waits.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/util.h"

/* UNREADABLE: it is there, and we may not look. GONE: the call fails, or nobody waits for it. */
enum tracee_read { TRACEE_READ, TRACEE_GONE, TRACEE_UNREADABLE };

/* So many bytes at that address. */
enum tracee_read tracee_bytes(pid_t, uint64_t address, void *, size_t);

/* The string there, of at most PATH_MAX bytes with its NUL. */
enum tracee_read tracee_string(pid_t, uint64_t address, char text[PATH_MAX]);

/* Where the link /proc/PID/NAME of it leads: "" if that is no path. */
enum tracee_read tracee_link(pid_t, const char *name, char path[PATH_MAX]);

/* The folder that it is in (AT_FDCWD), or the file that it has open: "" if that has no path. */
enum tracee_read tracee_folder(pid_t, int dirfd, char path[PATH_MAX]);

/*
 * What people call the program: its name, or that of the script or the module that it interprets.
 * The caller frees; NULL if it is gone.
 */
char *tracee_program(pid_t) UNUSED_RESULT;

/* Has it the same files as we, by the same names? */
bool tracee_is_near(pid_t);

/* Is that socket of UDP? */
bool tracee_is_udp(pid_t, int socket);

#endif
