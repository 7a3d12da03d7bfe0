/*
 * pytest | mypy | … [ARGUMENT…] FILE: a tool that computes on the simulated machine (machine.c),
 * whose socket is $SIMULATED_MACHINE. The file says what kind of a tool it is, and seconds of
 * one processor; see struct tool.
 *
 * To be waiting for the simulated machine is to be runnable, and must look like it to who reads
 * the state of processes in /proc, on a machine that has not as many processors. So a process that
 * computes is one of SCHED_DEADLINE (sched(7)) that yields at once whatever it has of its budget:
 * the kernel holds it back until its next period, and shows it as R all the time. It costs nothing
 * meanwhile. The machine wakes it by giving it a normal policy: Linux 6.18 sometimes forgets to
 * wake it when the next period begins. Needs CAP_SYS_NICE.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

#define PERIOD 100000000ULL /* nanoseconds: who is killed may live on for as long */
#define BUDGET 50000ULL     /* of these; the kernel admits 1,900 such processes */
#define BEAT 0.1            /* seconds in which one that is not always busy computes once */

enum kind {
	NARROW,  /* one process */
	AUTO,    /* as many workers as it is told, or else as there are processors */
	ASK,     /* as many as it is told, or else one */
	OWN,     /* `most`, whatever it is told */
	ELASTIC, /* one job for each slot of the jobserver, or else for each processor */
};

static const char *const kinds[] = { "narrow", "auto", "ask", "own", "elastic" };

/* In the order of the file: "KIND WORK MOST BOOT SPAWN START LONG BUSY TAIL". */
struct tool {
	enum kind kind;
	double work;    /* that its workers share */
	unsigned most;  /* workers beyond that find nothing to do; of jobs that there are */
	double boot;    /* before its workers start */
	double spawn;   /* for each worker, one after the other */
	double start;   /* in each worker */
	double longest; /* its longest test, of which half is done when all else is */
	double busy;    /* the share of its time in which a worker needs a processor */
	double tail;    /* when all workers have ended */
};

static int machine = -1;
static pid_t leader; /* names the pools */

static void
set_policy(const struct attributes *attributes)
{
	if (syscall(SYS_sched_setattr, 0, attributes, 0) < 0)
		err(1, "sched_setattr");
}

static void
connect_to_machine(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("SIMULATED_MACHINE");

	if (!path || strlen(path) >= sizeof(address.sun_path))
		errx(1, "SIMULATED_MACHINE is no socket");
	strcpy(address.sun_path, path);
	if (machine >= 0)
		close(machine);
	machine = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (machine < 0 || connect(machine, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", path);
}

/* Looks runnable until the machine answers. */
static void
wait_runnable(enum answer *answer)
{
	static const struct attributes runnable = { .size = sizeof(runnable),
		.policy = SCHED_DEADLINE, .runtime = BUDGET, .deadline = PERIOD, .period = PERIOD },
		normal = { .size = sizeof(normal), .policy = SCHED_OTHER };
	ssize_t size;

	set_policy(&runnable);
	while ((size = recv(machine, answer, sizeof(*answer), MSG_DONTWAIT)) < 0) {
		if (errno != EAGAIN)
			err(1, "recv");
		sched_yield();
	}
	if (size != sizeof(*answer))
		errx(1, "the simulated machine has gone");
	set_policy(&normal); /* it could not fork otherwise, and would die late */
}

/* Takes part in a pool of work, in so many seconds of a processor at most. */
static enum answer
compute(const char *pool, double seconds, double most)
{
	struct request request = { .seconds = seconds, .most = most };
	enum answer answer = ANSWER_EMPTY;

	snprintf(request.pool, sizeof(request.pool), "%s", pool);
	if (write(machine, &request, sizeof(request)) != sizeof(request))
		err(1, "the simulated machine");
	wait_runnable(&answer);
	return answer;
}

static void
sleep_for(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	nanosleep(&time, NULL); /* what a test that waits for something does */
}

/* The same in beats: computes a share of the time, sleeps the rest. seconds: both together. */
static void
take_part(const char *pool, double seconds, double busy)
{
	if (seconds <= 0)
		return;
	if (busy >= 1)
		compute(pool, seconds, seconds);
	else
		while (compute(pool, seconds * busy, BEAT * busy) == ANSWER_MORE)
			sleep_for(BEAT * (1 - busy));
}

/* Work of this process alone. */
static void
work(double seconds, double busy)
{
	static unsigned count;
	char pool[32];

	snprintf(pool, sizeof(pool), "%d-%u", (int)getpid(), count++);
	take_part(pool, seconds, busy);
}

static unsigned
count_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		err(1, "sched_getaffinity");
	return (unsigned)CPU_COUNT(&set);
}

static unsigned
told(const char *name, unsigned otherwise)
{
	const char *number = getenv(name);

	return number && atoi(number) > 0 ? (unsigned)atoi(number) : otherwise;
}

static unsigned
count_workers(const struct tool *tool)
{
	unsigned n;

	switch (tool->kind) {
	case AUTO:
		return told("PYTEST_XDIST_AUTO_NUM_WORKERS", count_processors());
	case ASK:
		n = told("MYPY_NUM_WORKERS", 1);
		return n < tool->most ? n : tool->most;
	case OWN:
		return tool->most;
	default:
		return 1;
	}
}

/* One of n workers. */
static void
be_worker(const struct tool *tool, unsigned i, unsigned n)
{
	unsigned useful = n < tool->most ? n : tool->most;
	double half = tool->longest / 2 < tool->work ? tool->longest / 2 : tool->work;
	double alone = half * (1 - 1.0 / useful);
	char pool[32];

	work(tool->start, 1);
	snprintf(pool, sizeof(pool), "%d", (int)leader);
	if (i < useful)
		take_part(pool, tool->work - alone, tool->busy);
	if (i == 0)
		work(alone, tool->busy);
}

static pid_t
fork_worker(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		connect_to_machine();
	return pid;
}

/* -1: there is none to wait for. */
static int
wait_worker(void)
{
	int status;

	if (wait(&status) < 0)
		return -1;
	if (status != 0)
		errx(1, "a worker has failed");
	return 0;
}

static void
run_workers(const struct tool *tool, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		work(n > 1 ? tool->spawn : 0, 1);
		if (fork_worker() == 0) {
			be_worker(tool, i, n);
			_exit(0);
		}
	}
	while (wait_worker() == 0)
		;
}

/* make's jobserver, as nox.mk(5) tells the tools of it; -1: there is none. */
static int
open_jobserver(void)
{
	static const char word[] = "--jobserver-auth=fifo:";
	const char *flags = getenv("MAKEFLAGS");
	const char *found = flags ? strstr(flags, word) : NULL;
	char path[256];
	int fd;

	if (!found || sscanf(found + strlen(word), "%255s", path) != 1)
		return -1;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* One job more, if there is a slot: the first has the tool's own, each other one a token. */
static bool
begin_job(int jobserver, unsigned running, unsigned width, char *tokens, double seconds, int done)
{
	if (running > 0 && jobserver >= 0 && read(jobserver, &tokens[running], 1) != 1)
		return false;
	if (jobserver < 0 && running >= width)
		return false;
	if (fork_worker() == 0) {
		work(seconds, 1);
		(void)!write(done, "", 1);
		_exit(0);
	}
	return true;
}

/* As ninja does: as many jobs as there are slots in make's jobserver, or else processors. */
static void
run_jobs(const struct tool *tool)
{
	int jobserver = open_jobserver(), ends[2];
	unsigned left = tool->most, running = 0, width = count_processors();
	char *tokens = calloc(tool->most + 1, 1), byte;

	if (!tokens || pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	while (left > 0 || running > 0) {
		struct pollfd fds[] = { { .fd = ends[0], .events = POLLIN },
			{ .fd = jobserver, .events = POLLIN } };

		while (left > 0 && begin_job(jobserver, running, width, tokens,
		    tool->work / tool->most, ends[1])) {
			left--;
			running++;
		}
		if (poll(fds, left > 0 && jobserver >= 0 ? 2 : 1, -1) < 0)
			err(1, "poll");
		if (!fds[0].revents || read(ends[0], &byte, 1) != 1)
			continue;
		wait_worker();
		if (--running > 0 && jobserver >= 0 && write(jobserver, &tokens[running], 1) != 1)
			err(1, "a token is lost");
	}
}

static void
read_tool(struct tool *tool, const char *file)
{
	FILE *in = fopen(file, "r");
	char kind[16];

	if (!in || fscanf(in, "%15s %lf %u %lf %lf %lf %lf %lf %lf", kind, &tool->work, &tool->most,
	    &tool->boot, &tool->spawn, &tool->start, &tool->longest, &tool->busy,
	    &tool->tail) != 9)
		errx(2, "%s does not describe a tool", file);
	fclose(in);
	for (tool->kind = NARROW; strcmp(kinds[tool->kind], kind) != 0; tool->kind++)
		if (tool->kind == ELASTIC)
			errx(2, "%s: %s is no kind of a tool", file, kind);
}

int
main(int argc, char *argv[])
{
	struct tool tool = { 0 };
	unsigned n;

	read_tool(&tool, argv[argc - 1]);
	leader = getpid();
	connect_to_machine();
	work(tool.boot, 1);
	n = count_workers(&tool);
	if (tool.kind == ELASTIC)
		run_jobs(&tool);
	else if (tool.kind == NARROW || (tool.kind == ASK && n == 1))
		be_worker(&tool, 0, 1);
	else
		run_workers(&tool, n);
	work(tool.tail, 1);
	return 0;
}
