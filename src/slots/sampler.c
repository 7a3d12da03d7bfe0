#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/util.h"
#include "slots/sampler.h"
#include "state/samples.h"

/* Seconds from one look to the next; the last one from then on. */
static const double pauses[] = { 0.05, 0.1, 0.25 };

/* The part of a processor that looking may take. */
#define COST_MOST 0.004

/* The looks that count for what is in use now. */
enum { RECENT = 2 };

/* Of a process with fewer pages nobody asks how many it has in common with its forks. */
enum { NOTEWORTHY = 2048 };

struct process {
	pid_t pid;
	struct process_stat stat;
	unsigned looks;  /* since it has begun to run its program */
	struct process_pages pages;
	size_t forks;    /* which go on with its memory, or it with theirs */
	double own_part; /* see process_own_part */
};

struct processes {
	struct process *v;
	size_t n, room;
};

struct sampler {
	pid_t top;
	int client;
	struct stat jobserver;          /* which file it is, unless client is -1 */
	double due;
	unsigned looks, runnable[RECENT], most;
	unsigned long long memory;
	double began, cpu;              /* when; processor seconds that were seen so far */
	unsigned long long last_memory; /* bytes at the last look */
	struct samples samples;
	struct processes before, now;   /* as the last look has seen them, and as this one does */
	struct indices queue, threads;  /* scratch: pids that are to be looked at; one's threads */
};

struct sampler *
sampler_open(pid_t top, int jobserver)
{
	struct sampler *sampler = xcalloc(1, sizeof(*sampler));

	sampler->top = top;
	sampler->client = jobserver >= 0 && fstat(jobserver, &sampler->jobserver) == 0 ? 0 : -1;
	sampler->began = clock_monotonic();
	sampler->due = sampler->began + pauses[0];
	return sampler;
}

void
sampler_close(struct sampler *sampler)
{
	if (!sampler)
		return;
	free(sampler->before.v);
	free(sampler->now.v);
	free(sampler->queue.v);
	free(sampler->threads.v);
	free(sampler);
}

/* Linear: to read of one process takes longer than to pass a thousand. */
static struct process *
find(const struct processes *list, pid_t pid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].pid == pid)
			return &list->v[i];
	return NULL;
}

/* The next one of the list, which is filled in by the caller. */
static struct process *
add(struct processes *list)
{
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->v = xreallocarray(list->v, list->room, sizeof(*list->v));
	}
	return &list->v[list->n++];
}

/*
 * Its runnable threads. A process whose processor time stands still and whose main thread sleeps
 * has none, or hardly: it is asked about no other. Time that others have waited in vain for a
 * processor does not grow either, but one of theirs gets a turn sooner or later.
 */
static unsigned
count_runnable(struct sampler *sampler, const struct process *process, const struct process *old)
{
	const struct process_stat *stat = &process->stat;
	unsigned n = 0;

	if (stat->threads <= 1)
		return stat->state == 'R';
	if (old && old->stat.time == stat->time && stat->state != 'R')
		return 0;
	for (size_t i = 0; i < sampler->threads.n; i++)
		n += process_thread_state(process->pid, (pid_t)sampler->threads.v[i]) == 'R';
	return n;
}

/*
 * Has the process the jobserver open? A tool opens it early, so a few descriptors are enough: as
 * many as readdir(3) gets at once, lest a server with thousands of connections delays us.
 */
static bool
has_open(pid_t pid, const struct stat *file)
{
	enum { DESCRIPTORS = 256 };
	char path[64];
	DIR *folder;
	struct dirent *entry;
	struct stat st;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	for (int i = 0; folder && !found && i < DESCRIPTORS && (entry = readdir(folder)); i++)
		found = fstatat(dirfd(folder), entry->d_name, &st, 0) == 0 &&
			st.st_ino == file->st_ino && st.st_dev == file->st_dev;
	if (folder)
		closedir(folder);
	return found;
}

/* At the first, second, fourth, eighth … look at a process things are looked at that cost more. */
static bool
is_rare(unsigned looks)
{
	return (looks & (looks - 1)) == 0;
}

/* Puts its children, and its threads, into the lists. */
static void
list_relatives(struct sampler *sampler, const struct process *process)
{
	struct indices *threads = &sampler->threads;

	threads->n = 0;
	if (process->stat.threads <= 1) {
		process_thread_children(process->pid, process->pid, &sampler->queue);
		return;
	}
	process_threads(process->pid, threads);
	for (size_t i = 0; i < threads->n; i++)
		process_thread_children(process->pid, (pid_t)threads->v[i], &sampler->queue);
}

/* Looks at one process, which may be gone by now. Returns its runnable threads. */
static unsigned
look_at(struct sampler *sampler, pid_t pid)
{
	const struct process *old = find(&sampler->before, pid);
	struct process_stat stat;
	struct process *process;

	/* The kernel may name a child twice when another one ends meanwhile. */
	if (find(&sampler->now, pid) || !process_stat(pid, &stat))
		return 0;
	if (old && old->stat.started != stat.started)
		old = NULL;
	process = add(&sampler->now);
	*process = old ? *old : (struct process){ .pid = pid, .own_part = 1 };
	process->stat = stat;
	if (old && (old->stat.stack != stat.stack || old->stat.code != stat.code))
		process->looks = 0; /* it runs another program now */
	process->looks++;
	if (is_rare(process->looks) || (old && old->stat.pages != stat.pages))
		process->pages = process_pages(pid);
	if (sampler->client == 0 && is_rare(process->looks))
		sampler->client = has_open(pid, &sampler->jobserver);
	list_relatives(sampler, process);
	return count_runnable(sampler, process, old);
}

/* Have the two one stack? Then both have it from a fork, and no exec has come after that. */
static bool
are_forks(const struct process *a, const struct process *b)
{
	return a->stat.stack == b->stat.stack && a->stat.code == b->stat.code && a->stat.stack != 0;
}

/*
 * Its pages that are not of files. Forks go on with their parent's until one of them writes there,
 * so each is asked about its part, when there is one more or less, and rarely else. Of a fork that
 * is new nothing counts: most are about to run another program, and a vfork(2) has all of its
 * parent's memory till then.
 */
static unsigned long long
count_own(struct process *process, size_t forks)
{
	unsigned long long pages = process->pages.resident - process->pages.shared;

	if (forks > 0 && process->looks == 1)
		return 0;
	if (forks > 0 && pages >= NOTEWORTHY &&
	    (forks != process->forks || is_rare(process->looks)))
		process->own_part = process_own_part(process->pid);
	process->forks = forks;
	return forks > 0 ? (unsigned long long)((double)pages * process->own_part) : pages;
}

/*
 * Pages of memory of all processes. What they have of files counts once for each program, as much
 * as the process of it that has most: python's workers all have python's. The size of its code
 * tells programs apart.
 */
static unsigned long long
count_pages(const struct processes *list)
{
	unsigned long long pages = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct process *one = &list->v[i];
		bool has_most = true;
		size_t forks = 0;

		for (size_t k = 0; k < list->n; k++) {
			const struct process *other = &list->v[k];

			forks += k != i && are_forks(one, other);
			if (other->stat.code == one->stat.code &&
			    (other->pages.shared > one->pages.shared ||
				(other->pages.shared == one->pages.shared && k < i)))
				has_most = false;
		}
		pages += count_own(one, forks) + (has_most ? one->pages.shared : 0);
	}
	return pages;
}

/*
 * Processor seconds that the session has used: those of who is there, and of whom they and the top
 * have waited for. Who ends after its parent was looked at is in neither sum, and comes to light at
 * the next look; so the sum is told to grow only.
 */
static double
count_cpu(const struct sampler *sampler)
{
	struct process_stat stat;
	unsigned long long ticks = process_stat(sampler->top, &stat) ? stat.reaped : 0;

	for (size_t i = 0; i < sampler->now.n; i++)
		ticks += sampler->now.v[i].stat.time + sampler->now.v[i].stat.reaped;
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* So much was used by now, in all, since the last look. */
static void
note(struct sampler *sampler, double cpu)
{
	double more = cpu > sampler->cpu ? cpu - sampler->cpu : 0;

	samples_add(&sampler->samples, clock_monotonic() - sampler->began, &(struct sample){
	    .cpu = more, .width = sampler_last(sampler), .memory = sampler->last_memory });
	sampler->cpu += more;
}

static void
look(struct sampler *sampler)
{
	unsigned last = sampler_last(sampler);
	struct processes before = sampler->before;
	unsigned runnable = 0, both;

	sampler->before = sampler->now;
	sampler->now = before;
	sampler->now.n = sampler->queue.n = 0;
	process_children(sampler->top, &sampler->queue);
	for (size_t i = 0; i < sampler->queue.n; i++)
		runnable += look_at(sampler, (pid_t)sampler->queue.v[i]);
	sampler->last_memory = count_pages(&sampler->now) *
	    (unsigned long long)sysconf(_SC_PAGESIZE);
	if (sampler->last_memory > sampler->memory)
		sampler->memory = sampler->last_memory;
	both = sampler->looks > 0 && last < runnable ? last : runnable;
	if (sampler->looks == 1 || both > sampler->most)
		sampler->most = both;
	sampler->runnable[sampler->looks++ % RECENT] = runnable;
	note(sampler, count_cpu(sampler));
}

void
sampler_look(struct sampler *sampler)
{
	double began, pause, least;

	if (clock_monotonic() < sampler->due)
		return;
	began = clock_processor();
	look(sampler);
	least = pauses[sampler->looks < countof(pauses) ? sampler->looks : countof(pauses) - 1];
	/* Not by the wall: we may have had to wait for a processor. */
	pause = (clock_processor() - began) / COST_MOST;
	sampler->due = clock_monotonic() + (pause > least ? pause : least);
}

double
sampler_due(const struct sampler *sampler)
{
	return sampler->due;
}

unsigned
sampler_in_use(const struct sampler *sampler)
{
	unsigned most = 0;

	for (size_t i = 0; i < RECENT && i < sampler->looks; i++)
		if (sampler->runnable[i] > most)
			most = sampler->runnable[i];
	return sampler->looks > 0 ? most : 1;
}

unsigned
sampler_last(const struct sampler *sampler)
{
	return sampler->looks > 0 ? sampler->runnable[(sampler->looks - 1) % RECENT] : 0;
}

unsigned
sampler_most(const struct sampler *sampler)
{
	return sampler->most;
}

unsigned long long
sampler_memory(const struct sampler *sampler)
{
	return sampler->memory;
}

int
sampler_client(const struct sampler *sampler)
{
	return sampler->looks > 0 ? sampler->client : -1;
}

json_t *
sampler_end(struct sampler *sampler, double cpu)
{
	note(sampler, cpu);
	return samples_json(&sampler->samples);
}
