#ifndef NOXMK_BASE_PROCESS_H
#define NOXMK_BASE_PROCESS_H

/* What proc(5) tells of processes. Of one that is gone it tells nothing, which is no error here. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/* Adds the children of the process, of all its threads, or of one of these. */
void process_children(pid_t, struct indices *);
void process_thread_children(pid_t, pid_t thread, struct indices *);

/* Adds all processes below that one: its children, theirs, and so on. */
void process_descendants(pid_t, struct indices *);
void process_signal_descendants(pid_t, int signal);

/* Adds all of that session (setsid(2)) that run, and those below them, some maybe twice. */
void process_session(pid_t session, struct indices *);

/* Children of ours that somebody has stopped since the last call go on. */
void process_wake_children(void);

/* A descriptor of it, pidfd_open(2): readable once it has ended. -1 with errno set. */
int process_open(pid_t) UNUSED_RESULT;

/*
 * Reaps a child that is about to end: after so many milliseconds it is killed. One that is traced
 * may not be ours to reap; then *status, which may be NULL, says that it was killed.
 */
void process_end_child(pid_t, int *status, int milliseconds);

/*
 * Adds our parent, its parent, and so on. One that says by its command line, "PROCESS_LENT … PID",
 * for whom it stands in (keeper.h) has that process for its parent.
 */
#define PROCESS_LENT "noxmk-keeper"
void process_ancestors(struct indices *);

/* Has that process the file open? False if we may not know. */
bool process_has_open(pid_t, dev_t, ino_t);

/* Adds its threads. The main one has the number of the process. */
void process_threads(pid_t, struct indices *);

/* What /proc/PID/stat says of a process. */
struct process_stat {
	char state; /* of the main thread, by its letter in proc(5) */
	pid_t parent;
	unsigned threads;
	unsigned long long time;    /* of processors, by all threads, in clock ticks */
	unsigned long long reaped;  /* that of its children that it has waited for, and of theirs */
	unsigned long long started; /* in clock ticks: it differs for two that had one pid */
	unsigned long long pages;   /* of its memory, roughly; process_pages says it exactly */
	unsigned long long code;    /* bytes of the program's code */
	unsigned long long stack;   /* address: exec(2) draws lots, a fork has its parent's */
};

/* False when it is gone. */
bool process_stat(pid_t, struct process_stat *);

/* Is it stopped, by a signal or by whoever traces it? */
bool process_is_stopped(pid_t);

/* Is a thread of it alive? Of one that has ended, and is not reaped yet, there is none. */
bool process_runs(pid_t);

/* The state of a thread by that letter; X when it is gone. */
char process_thread_state(pid_t, pid_t thread);

/* Pages of memory that a process has, and those of files or made to be shared among them. */
struct process_pages {
	unsigned long long resident, shared;
};

/* All are 0 when it is gone. */
struct process_pages process_pages(pid_t);

/*
 * Its part of the resident pages that are not shared so: 1 when all are its own, a half when there
 * are two forks and neither has written anything since. The kernel looks at every page: this takes
 * a millisecond for each 100 MiB.
 */
double process_own_part(pid_t);

/*
 * The command line of the process, "sleep 30". A process that is about to end has none any more;
 * then its name in brackets, as in ps(1): "[sleep]". The caller frees.
 */
char *process_name(pid_t) UNUSED_RESULT;

/* The path of our own program; empty where /proc does not tell. The caller frees. */
char *process_own_program(void) UNUSED_RESULT;

/* Is that file our own program, by whatever name? */
bool process_is_own_program(const char *path);

/*
 * A file that was installed with us: PREFIX/below, for a program that is PREFIX/bin/noxmk; in this
 * tree PREFIX is build. It need not be there. The caller frees.
 */
char *process_installed(const char *below) UNUSED_RESULT;

/* Where programs are looked for if there is no PATH. */
#define PROCESS_PATH "/usr/local/bin:/usr/bin:/bin"

/*
 * Where PATH has a program of that name first, as execvp(3) looks for it, but for those to which
 * is_ours (or NULL) says yes. NULL if nowhere; the caller frees.
 */
char *process_find(const char *name, bool (*is_ours)(const char *path)) UNUSED_RESULT;

#endif
