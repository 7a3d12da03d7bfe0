#ifndef NOXMK_SLOTS_QUEUE_H
#define NOXMK_SLOTS_QUEUE_H

/*
 * The queue of those that wait for a slot of the pool (pool.h). The lowest rank comes first, and of
 * equal ones the process of the lowest number, mostly who was started first. Thousands may wait, so
 * each watches only the one that is right before it: when that one goes, however it does, it looks
 * again who is before it now.
 *
 *   .queue.now   a struct place for each that has come to wait, in order of arrival; zeros for one
 *                that has left
 *
 * The file only says where to look. That one waits shows by a name (name.h), which the kernel frees
 * with its process. Whoever meets the place of one that was killed marks it. Where the file cannot
 * be written or read, all wait as well, in any order.
 */

#include <stdbool.h>

#include "base/util.h"

struct queue;

/*
 * folder: where the file is, borrowed. run: what the names of this run begin with, borrowed.
 * queue_close leaves the queue.
 */
struct queue *queue_open(int folder, const char *run, unsigned rank) UNUSED_RESULT;
void queue_close(struct queue *);

/* Does nobody wait who comes before us? Else try again when the descriptor is readable. */
bool queue_is_first(struct queue *);

/* Have those that come after us wait until we leave. More than once is as good as once. */
void queue_join(struct queue *);

/* -1 while we are the first, or when we cannot be told: then the clock has to do. */
int queue_fd(const struct queue *);

#endif
