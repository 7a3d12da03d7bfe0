#ifndef NOXMK_BASE_SPAWN_H
#define NOXMK_BASE_SPAWN_H

/* Starting programs, and how they ended. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/*
 * Starts argv[0], which is looked for in PATH. It reads from /dev/null, writes output and errors to
 * the two descriptors (which may be one), and has no other descriptor of ours; its signal mask is
 * that from before sig_open, and no signal is ignored. own_group: it has a session and a process
 * group of its own, which ^C does not reach. Returns the pid, or -1 with errno set when it could
 * not be started at all.
 */
pid_t spawn(char *const argv[], char *const envp[], int out, int err, bool own_group);

/*
 * The same, in our session and group, with other descriptors of ours: in, which it reads from
 * (-1: /dev/null), out, err, which may be out, and more, which is its number 3 (-1: none).
 */
struct spawn_files {
	int in, out, err, more;
};
pid_t spawn_with(char *const argv[], char *const envp[], const struct spawn_files *);

/* The calling process, a fork of ours, becomes that program; or returns with errno set. */
void spawn_become(char *const argv[], char *const envp[], const struct spawn_files *);

/*
 * Waits until that child of ours ends: its exit code, or 128+N when signal N has killed it. -1 with
 * errno set when it is no child of ours.
 */
int spawn_wait(pid_t pid) UNUSED_RESULT;

/*
 * The same for one in our group, while signals is the descriptor of sig_open: what would end us
 * ends that child, and *stop is that signal then, else 0. What the terminal sends it has by itself.
 */
int spawn_wait_stopping(pid_t pid, int signals, int *stop) UNUSED_RESULT;

/* A wait status as an exit code: 128+N when signal N has killed the process. */
int spawn_code(int status);

/* A wait status in words: "exited with status 1", "killed by signal 9". The caller frees. */
char *spawn_status(int status);

/*
 * Runs argv[0] to its end, in our group: its exit code as of spawn_wait, or -1 with errno set. What
 * it writes, if with_errors also to standard error, goes into an empty buffer.
 */
int spawn_capture(char *const argv[], char *const envp[], bool with_errors, struct buffer *out);

#endif
