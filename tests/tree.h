#ifndef NOXMK_TESTS_TREE_H
#define NOXMK_TESTS_TREE_H

/*
 * A tree of real processes, for the suite of what looks at them. The test and all processes of its
 * tree have steps in common: who is to wait for another waits for a step.
 */

#include <stdbool.h>
#include <stdnoreturn.h>
#include <sys/types.h>

/*
 * Before and after each test; the tree is killed then. Of a test that fails Check kills the process
 * group, which the tree is in.
 */
void tree_setup(void);
void tree_teardown(void);

/* Forks the top of the tree, its subreaper. 0 there; in the test its pid, once it is at step 1. */
pid_t tree_fork(void);
void tree_kill(void);

void tree_reach(int step);
void tree_wait_for(int step);

/* A number that each of them may set and read, and room for some pids. */
pid_t *tree_pids(void);

noreturn void tree_sleep(void);
noreturn void tree_burn(void);

/* A child that leads that life. */
pid_t tree_start(void (*life)(void));

/* Threads of the calling process, which burn or sleep. */
void tree_threads(int n, bool burn);

/* Memory that was written to. */
char *tree_touch(size_t size);

#endif
