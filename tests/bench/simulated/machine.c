/*
 * machine SOCKET PROCESSORS PENALTY: a machine of so many processors that computes nothing.
 *
 * Processes tell it what they would compute (machine.h), and it answers when that would be done. It
 * shares its processors equally among all that wait for an answer, none of which has more than one:
 * what a fair scheduler does, in time slices of no length. With twice as many as there are
 * processors all are slower by PENALTY, with three times by twice that, and so on.
 *
 * It works from event to event: the next one is when the first pool will be empty, or the first
 * process will have done what it wanted to do. So it costs next to nothing itself, however many
 * processors there are, and what it answers is late only by as much as it is woken late. It ends
 * when standard input does.
 */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

#define ALMOST_NOTHING 1e-6 /* seconds: rounding leaves that of a pool */

enum { LISTENER, INPUT, CLIENTS, MOST_FDS = 2048, MOST_POOLS = 4096, MOST_ABOVE = 16 };

struct pool {
	char name[sizeof(((struct request *)NULL)->pool)];
	double left;
	unsigned members;
};

struct process {
	pid_t pid;
	pid_t above[MOST_ABOVE]; /* its parent, that one's parent, and so on; 0: no more */
	double done;             /* since it came to the pool */
	struct pool *pool; /* NULL: it computes nothing just now */
	double left;
};

/* What those below a process have done. */
struct share {
	pid_t pid;
	double work;
};

static struct pollfd fds[MOST_FDS];
static struct process processes[MOST_FDS]; /* at the place of its descriptor in fds */
static struct pool pools[MOST_POOLS];
static struct share shares[MOST_POOLS];
static unsigned n_fds, n_pools, n_shares, n_runnable;
static double processors, penalty;
static struct usage usage;
static double now, since;

static double
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What each of the runnable processes has of a processor. */
static double
speed(void)
{
	double demand = n_runnable / processors;

	return demand <= 1 ? 1 : 1 / demand / (1 + penalty * (demand - 1));
}

/* All compute until now. */
static void
advance(void)
{
	double before = now, rate = speed(), seconds;

	now = clock_now();
	seconds = now - before;
	for (unsigned i = 0; i < n_pools; i++)
		pools[i].left -= seconds * rate * pools[i].members;
	for (unsigned i = CLIENTS; i < n_fds; i++) {
		processes[i].left -= seconds * rate;
		processes[i].done += seconds * rate;
	}
	usage.work += seconds * rate * n_runnable;
	if (n_runnable > processors)
		usage.excess += seconds * (n_runnable - processors);
}

static void
note_peak(void)
{
	if (n_runnable > usage.peak)
		usage.peak = n_runnable;
	if (now >= since + 1 && n_runnable > usage.later)
		usage.later = n_runnable;
}

static struct pool *
find_pool(const struct request *request)
{
	for (unsigned i = n_pools; i-- > 0;)
		if (strcmp(pools[i].name, request->pool) == 0)
			return &pools[i];
	if (n_pools == MOST_POOLS)
		errx(1, "too many pools");
	pools[n_pools].left = request->seconds;
	pools[n_pools].members = 0;
	strcpy(pools[n_pools].name, request->pool);
	return &pools[n_pools++];
}

static struct share *
find_share(pid_t pid)
{
	for (unsigned i = 0; i < n_shares; i++)
		if (shares[i].pid == pid)
			return &shares[i];
	if (n_shares == MOST_POOLS)
		errx(1, "too many processes");
	shares[n_shares] = (struct share){ .pid = pid };
	return &shares[n_shares++];
}

static void
leave(unsigned i)
{
	struct process *process = &processes[i];

	if (!process->pool)
		return;
	process->pool->members--;
	process->pool = NULL;
	n_runnable--;
	for (unsigned k = 0; k < MOST_ABOVE && process->above[k]; k++)
		find_share(process->above[k])->work += process->done;
}

/* If it has died meanwhile, the next poll says so. */
static void
wake(unsigned i)
{
	static const struct attributes normal = { .size = sizeof(normal), .policy = SCHED_OTHER };

	(void)syscall(SYS_sched_setattr, processes[i].pid, &normal, 0);
}

static void
answer(unsigned i, enum answer answer)
{
	(void)!write(fds[i].fd, &answer, sizeof(answer));
	wake(i);
}

/* Answers all that have done what they wanted to do, or whose pool is empty. */
static void
answer_all(void)
{
	for (unsigned i = CLIENTS; i < n_fds; i++) {
		struct process *process = &processes[i];
		bool empty = process->pool && process->pool->left <= ALMOST_NOTHING;

		if (!process->pool || (!empty && process->left > ALMOST_NOTHING))
			continue;
		leave(i);
		answer(i, empty ? ANSWER_EMPTY : ANSWER_MORE);
	}
}

static void
tell_work_below(unsigned i, pid_t pid)
{
	struct usage below = { .work = find_share(pid)->work };

	(void)!write(fds[i].fd, &below, sizeof(below));
}

/* A pool that is empty is still known by its name: others may come to it late. */
static void
tell_usage(unsigned i)
{
	usage.seconds = now - since;
	(void)!write(fds[i].fd, &usage, sizeof(usage));
	memset(&usage, 0, sizeof(usage));
	since = now;
	if (n_runnable == 0)
		n_pools = n_shares = 0;
}

/* False: it is gone. */
static bool
serve(unsigned i)
{
	struct request request;

	if (read(fds[i].fd, &request, sizeof(request)) != sizeof(request))
		return false;
	request.pool[sizeof(request.pool) - 1] = '\0';
	leave(i);
	if (!request.pool[0]) {
		if (request.seconds > 0)
			tell_work_below(i, (pid_t)request.seconds);
		else
			tell_usage(i);
		return true;
	}
	processes[i].pool = find_pool(&request);
	processes[i].pool->members++;
	processes[i].left = request.most;
	processes[i].done = 0;
	n_runnable++;
	note_peak();
	return true;
}

static void
forget(unsigned i)
{
	leave(i);
	close(fds[i].fd);
	fds[i] = fds[--n_fds];
	processes[i] = processes[n_fds];
}

/* 0: it has none that we can see. */
static pid_t
parent_of(pid_t pid)
{
	char path[32], text[256] = "", *end;
	int parent = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	if (fgets(text, sizeof(text), in) && (end = strrchr(text, ')')))
		sscanf(end, ") %*c %d", &parent);
	fclose(in);
	return parent;
}

static void
admit(void)
{
	int fd = accept4(fds[LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who;
	socklen_t size = sizeof(who);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		err(1, "accept");
	if (n_fds == MOST_FDS)
		errx(1, "too many processes");
	fds[n_fds] = (struct pollfd){ .fd = fd, .events = POLLIN };
	processes[n_fds] = (struct process){ .pid = who.pid };
	for (unsigned i = 0; i < MOST_ABOVE && who.pid > 1; i++)
		processes[n_fds].above[i] = who.pid = parent_of(who.pid);
	n_fds++;
}

/* Until the first event: when a pool will be empty, or a process will have done its share. */
static struct timespec *
time_to_wait(struct timespec *wait)
{
	double seconds = -1, rate = speed();

	for (unsigned i = CLIENTS; i < n_fds; i++) {
		const struct process *process = &processes[i];
		double whole, own;

		if (!process->pool)
			continue;
		whole = process->pool->left / rate / process->pool->members;
		own = process->left / rate;
		if (seconds < 0 || whole < seconds)
			seconds = whole;
		if (own < seconds)
			seconds = own;
	}
	if (seconds < 0)
		return NULL;
	wait->tv_sec = (time_t)seconds;
	wait->tv_nsec = (long)((seconds - (double)wait->tv_sec) * 1e9);
	return wait;
}

static void
work(void)
{
	struct timespec wait;

	while (!fds[INPUT].revents) {
		answer_all();
		note_peak();
		if (ppoll(fds, n_fds, time_to_wait(&wait), NULL) < 0 && errno != EINTR)
			err(1, "poll");
		advance();
		/* Downwards, as the last one takes the place of one that is gone. */
		for (unsigned i = n_fds; i-- > CLIENTS;)
			if (fds[i].revents && !serve(i))
				forget(i);
		if (fds[LISTENER].revents)
			admit();
	}
}

int
main(int argc, char *argv[])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct sched_param first = { .sched_priority = 1 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (argc != 4 || strlen(argv[1]) >= sizeof(address.sun_path))
		errx(2, "usage: machine SOCKET PROCESSORS PENALTY");
	strcpy(address.sun_path, argv[1]);
	processors = atof(argv[2]);
	penalty = atof(argv[3]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		err(1, "%s", argv[1]);
	/* Before the real processes, which would make it late; it works for microseconds. */
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
	fds[LISTENER] = (struct pollfd){ .fd = fd, .events = POLLIN };
	fds[INPUT] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	n_fds = CLIENTS;
	now = since = clock_now();
	work();
	for (unsigned i = CLIENTS; i < n_fds; i++) {
		shutdown(fds[i].fd, SHUT_RDWR);
		wake(i);
	}
	unlink(argv[1]);
	return 0;
}
