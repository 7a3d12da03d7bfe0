#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/name.h"
#include "slots/queue.h"
#include "state/runtime.h"

/* See runtime.h. */
#define QUEUE ".queue" RUNTIME_OF_NOW

struct place {
	unsigned rank;
	pid_t pid; /* 0: has left */
};

struct queue {
	const char *run;
	struct place ours;
	int file;   /* -1: there is none */
	off_t at;   /* of our place in it, once we have joined */
	int name;   /* what those behind us watch; -1 while we have not joined */
	int before; /* watches the one right before us; -1 when that is nobody, or fails */
};

struct queue *
queue_open(int folder, const char *run, unsigned rank)
{
	struct queue *queue = xcalloc(1, sizeof(*queue));

	*queue = (struct queue){ .run = run, .ours = { rank, getpid() }, .name = -1, .before = -1 };
	queue->file = file_open_lock(folder, QUEUE);
	return queue;
}

static void
mark_left(const struct queue *queue, off_t at)
{
	struct place nobody = { 0 };

	(void)!pwrite(queue->file, &nobody, sizeof(nobody), at);
}

/* First the mark, so that whoever is woken does not look for us again. */
void
queue_close(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->name >= 0)
		mark_left(queue, queue->at);
	fd_close(&queue->name);
	fd_close(&queue->before);
	fd_close(&queue->file);
	free(queue);
}

static char *
name_place(const struct queue *queue, struct place place)
{
	return xasprintf("%s/wait-%u-%d", queue->run, place.rank, (int)place.pid);
}

/* The name comes before the place: who finds the place without a name knows that we are gone. */
void
queue_join(struct queue *queue)
{
	char *name;

	if (queue->file < 0 || queue->name >= 0)
		return;
	name = name_place(queue, queue->ours);
	queue->name = name_take(name);
	free(name);
	if (queue->name < 0)
		return;
	queue->at = fd_append(queue->file, &queue->ours, sizeof(queue->ours));
	if (queue->at < 0)
		fd_close(&queue->name);
}

/* All places, n of them, which the caller frees. */
static struct place *
read_places(const struct queue *queue, size_t *n)
{
	struct stat st;
	struct place *places;
	ssize_t read = 0;

	if (fstat(queue->file, &st) < 0 || st.st_size > FILE_MOST)
		st.st_size = 0;
	places = xcalloc(1, (size_t)st.st_size);
	if (st.st_size > 0)
		read = pread(queue->file, places, (size_t)st.st_size, 0);
	*n = read > 0 ? (size_t)read / sizeof(*places) : 0;
	return places;
}

static bool
comes_before(struct place a, struct place b)
{
	return a.rank < b.rank || (a.rank == b.rank && a.pid < b.pid);
}

/* The one that is right before us, or NULL. */
static struct place *
find_before(const struct queue *queue, struct place *places, size_t n)
{
	struct place *last = NULL;

	for (size_t i = 0; i < n; i++)
		if (places[i].pid != 0 && comes_before(places[i], queue->ours) &&
		    (!last || comes_before(*last, places[i])))
			last = &places[i];
	return last;
}

/* False when it is gone, which is marked. */
static bool
watch(struct queue *queue, struct place *places, struct place *before)
{
	char *name = name_place(queue, *before);

	queue->before = name_watch(name);
	free(name);
	if (queue->before >= 0 || errno != ECONNREFUSED)
		return true;
	mark_left(queue, (before - places) * (off_t)sizeof(*before));
	before->pid = 0;
	return false;
}

bool
queue_is_first(struct queue *queue)
{
	struct place *places, *before;
	size_t n;

	if (queue->before >= 0 && !fd_is_readable(queue->before))
		return false;
	fd_close(&queue->before);
	places = read_places(queue, &n);
	while ((before = find_before(queue, places, n)) && !watch(queue, places, before))
		;
	free(places);
	return !before;
}

int
queue_fd(const struct queue *queue)
{
	return queue->before;
}
