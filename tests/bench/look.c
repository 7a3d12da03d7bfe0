/*
 * look KIND PROCESSES STEPS LOOKS: so many processes do so much at once, and meanwhile the sampler
 * looks at them, or with LOOKS 0 does not. Prints JSON: the seconds that it took, the processor
 * time of the process that has looked, how often, and what it has seen.
 */

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "slots/sampler.h"

enum { THREADS = 8, PART = 4 << 20 };

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); /* the work */
}

static void
compute(void)
{
	volatile unsigned long x = 1;

	for (int i = 0; i < 1000000; i++)
		x = x * 2862933555777941757UL + 3037000493UL;
}

static void
start_another(void)
{
	static char *argv[] = { "true", NULL };
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
		waitpid(pid, NULL, 0);
}

static void
use_memory(void)
{
	char *memory = mmap(NULL, PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(memory, 1, PART);
	munmap(memory, PART);
}

static const struct kind {
	const char *name;
	void (*step)(void);
	int threads;
} kinds[] = {
	{ "sleep", nap, 1 }, { "compute", compute, 1 }, { "threads", compute, THREADS },
	{ "start", start_another, 1 }, { "memory", use_memory, 1 },
};

static const struct kind *kind;
static long steps;

static void *
work(void *data)
{
	for (long i = 0; i < steps / kind->threads; i++)
		kind->step();
	return data;
}

static void
lead(void)
{
	pthread_t threads[THREADS];

	for (int i = 1; i < kind->threads; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			errx(1, "pthread_create");
	work(NULL);
	for (int i = 1; i < kind->threads; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

int
main(int argc, char *argv[])
{
	struct sampler *sampler;
	struct rusage usage;
	struct pollfd ended = { .events = POLLIN };
	double began;
	int looks = 0, ends[2];
	pid_t top;

	for (size_t i = 0; argc == 5 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kind = &kinds[i];
	if (!kind)
		errx(2, "look sleep|compute|threads|start|memory PROCESSES STEPS LOOKS");
	steps = atol(argv[3]);
	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	began = clock_monotonic();
	top = fork();
	if (top == 0) {
		for (int i = 0; i < atoi(argv[2]); i++)
			if (fork() == 0)
				lead();
		while (wait(NULL) > 0)
			;
		_exit(0);
	}
	ended.fd = (int)syscall(SYS_pidfd_open, top, 0);
	/* With a jobserver that none of them has. */
	sampler = sampler_open(top, ends[0]);
	while (poll(&ended, 1, atoi(argv[4]) ? clock_until(sampler_due(sampler), -1) : -1) == 0) {
		sampler_look(sampler);
		looks++;
	}
	waitpid(top, NULL, 0);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"seconds\": %f, \"looks\": %d, \"width\": %u, \"memory\": %llu, \"cpu\": %f}\n",
	    clock_monotonic() - began, looks, sampler_most(sampler), sampler_memory(sampler),
	    (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
		(double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
	sampler_close(sampler);
	return 0;
}
