#ifndef NOXMK_TESTS_SUPPORT_H
#define NOXMK_TESTS_SUPPORT_H

/*
 * What the suites share. Every test of a case made by support_case starts in an empty scratch
 * folder of its own, with standard error going into a pipe that `warnings` reads.
 */

#include <check.h>
#include <jansson.h>
#include <sys/types.h>

#include "base/util.h"
#include "plan/facts.h"
#include "plan/plan.h"
#include "plan/planfile.h"

/* A case with the scratch folder and a time limit. */
TCase *support_case(Suite *, const char *name);

/* A test that ends with that exit code; left out where tests do not have processes of their own. */
void support_exit_test(TCase *, const TTest *, int code);

/*
 * A test of a program that cannot be started; left out under valgrind, where vfork(2) is a fork,
 * and so posix_spawn(3) succeeds and the child fails.
 */
void support_spawn_failure_test(TCase *, const TTest *);

/* Once each, by check_main: the folder that holds all scratch folders. */
void support_begin(void);
void support_end(void);

/* All that was written to standard error since the test began. */
const char *warnings(void);
#define assert_warned(text)                                                             \
	ck_assert_msg(strstr(warnings(), (text)) != NULL, "no \"%s\" in: %s", (text), warnings())
/* Onto the real standard error, for what is too long for Check's own messages. */
void diagnose(const char *fmt, ...) PRINTF(1, 2);
#define assert_silent() ck_assert_str_eq(warnings(), "")

/* Standard output between the two goes into a string, which the caller frees. */
void output_begin(void);
char *output_end(void);

/* Standard output is /dev/full until output_restore. */
void output_break(void);
void output_restore(void);

/* Whole files below the current folder. _json: ' stands for ". file_get: the caller frees. */
void file_put(const char *name, const char *text);
void file_put_json(const char *name, const char *text);
char *file_get(const char *name);
bool file_there(const char *name); /* a dangling link is there, too */
/* What may lie in the place of a file or folder of ours. */
enum odd { ODD_FIFO, ODD_FOLDER, ODD_ZEROS, ODD_DANGLING, ODD_HUGE, ODD_STRANGER, ODD_THINGS };
void odd_put(enum odd, const char *path); /* for others than root a stranger's is a huge one */

void file_await(const char *name); /* another process makes it */
pid_t file_pid(const char *name);  /* that a process has written */
int folder_make(const char *name); /* a descriptor of it; parents are made, too */
void folder_remove(const char *name); /* with all that is in it */
void assert_file(const char *name, const char *text);

/* tests/helper.c, built; absolute. */
const char *helper_path(void);

/* The state of a process by its letter in proc(5); X when it has ended, reaped or not. */
char process_state(pid_t);

/* Waits until it has that state; false after a hundred seconds. */
bool process_becomes(pid_t, char state);

/* The soft limit of a resource, and the old one back. No assertion in between for RLIMIT_FSIZE. */
void limit_set(int resource, unsigned long value);
void limit_restore(void);

/* SIGALRM again and again, which interrupts system calls (EINTR), and no more. */
void alarm_every(long microseconds, void (*handler)(int));
void alarm_end(void);

/* JSON where ' stands for ", so that it can be read in C. A new reference. */
json_t *json_of(const char *text);

/*
 * Facts, as the probe gives them, of sessions that need to be told only in part: "session" is by
 * default the name, everything else empty. queue: "[0,1]".
 */
json_t *facts_json(const char *sessions, const char *queue);
struct facts *facts_of(const char *sessions, const char *queue);

/* plan.jsonl for the facts in that folder, by way of planfile_write; a NULL python is none. */
void plan_put(int folder, struct facts *, const char *python, const struct strings *command);

/* The key that nox.mk would make for this process, were it a make: PID-STARTTIME-HEX. */
const char *own_key(void);

/* The suites: SUITES(X) is X(NAME) for each check_NAME.c, which has check_NAME_suite. */
#include "suites.h"
#define SUITE_PROTOTYPE(name) Suite *check_##name##_suite(void);
SUITES(SUITE_PROTOTYPE)

#endif
