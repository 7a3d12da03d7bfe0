#ifndef NOXMK_BASE_SPAWN_H
#define NOXMK_BASE_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts argv[0] (sought in PATH) with standard input from /dev/null, output and errors to the two
 * descriptors (which may be one), the signal mask from before sig_open and default dispositions,
 * and no other descriptor of ours; in a session and process group of its own, which ^C does not
 * reach, or in ours. Returns the pid, or -1 with errno set when it could not be started at all.
 */
pid_t spawn(char *const argv[], char *const envp[], int out, int err, bool own_group);

/* A wait status in words: "exited with status 1", "killed by signal 9". The caller frees. */
char *spawn_status(int status);

#endif
