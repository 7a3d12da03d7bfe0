#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "support.h"
#include "tree.h"

static struct common {
	pid_t pids[8];
	volatile int step;
} *common;

static pid_t top;

void
tree_setup(void)
{
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	ck_assert_ptr_ne(common, MAP_FAILED);
}

void
tree_kill(void)
{
	struct indices all = { 0 };

	if (top <= 0)
		return;
	/* A top that is stopped starts no more, and what it has started does not get away. */
	kill(top, SIGSTOP);
	process_becomes(top, 'T');
	process_descendants(top, &all);
	for (size_t i = 0; i < all.n; i++)
		kill((pid_t)all.v[i], SIGKILL);
	free(all.v);
	kill(top, SIGKILL);
	waitpid(top, NULL, 0);
	top = 0;
}

void
tree_teardown(void)
{
	tree_kill();
	munmap(common, sizeof(*common));
}

pid_t
tree_fork(void)
{
	top = fork();
	if (top == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		return 0;
	}
	ck_assert_int_gt(top, 0);
	tree_wait_for(1);
	return top;
}

void
tree_reach(int step)
{
	common->step = step;
}

void
tree_wait_for(int step)
{
	for (int i = 0; i < 10000 && common->step < step; i++)
		poll(NULL, 0, 10);
	ck_assert_int_ge(common->step, step);
}

pid_t *
tree_pids(void)
{
	return common->pids;
}

void
tree_sleep(void)
{
	for (;;)
		pause();
}

void
tree_burn(void)
{
	for (;;)
		;
}

pid_t
tree_start(void (*life)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		life();
		_exit(0);
	}
	return pid;
}

static void *
in_thread(void *life)
{
	if (life)
		tree_burn();
	tree_sleep();
}

void
tree_threads(int n, bool burn)
{
	pthread_t thread;

	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, in_thread, burn ? common : NULL) != 0)
			_exit(1);
}

char *
tree_touch(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		_exit(1);
	memset(memory, 1, size);
	return memory;
}
