#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "output/relay.h"

enum {
	PIECE = 1 << 16,  /* bytes that are read at once */
	PIPE = 1 << 20,   /* bytes that the pipe holds, if the kernel lets us have so many */
	ROUNDS = 16,      /* pieces that are copied before the caller can do other things */
	ROOM = 64 * 1024, /* bytes of a log that are given back on a full disk */
	MARK = 80,        /* bytes of the line for what is cut out; no limit is below two of them */
};

struct relay {
	int log, ends[2];    /* ends of the pipe: we read the first */
	struct commands_options options; /* the caller's */
	struct commands *commands;
	struct buffer clear; /* the piece without secrets */
	off_t base;          /* where the session's output begins in the log */
	off_t head, tail;    /* how many bytes of the output are kept of either; head 0: all */
	off_t total;         /* bytes of output so far */
	off_t lost;          /* of them, those that could not be written */
	int error;           /* errno of the first that could not */
	char piece[PIECE];
};

int
relay_end(const struct relay *r)
{
	return r->ends[1];
}

int
relay_fd(const struct relay *r)
{
	return r->ends[0];
}

/*
 * On a full disk the log gives back some of its space, at most half of the output: the record and
 * the log's last line, which say how the session ended, matter more.
 */
static void
make_room(struct relay *r)
{
	off_t size = lseek(r->log, 0, SEEK_END), kept = size - ROOM;

	if (kept < r->base + (size - r->base) / 2)
		kept = r->base + (size - r->base) / 2;
	if (size > kept && ftruncate(r->log, kept) == 0)
		r->lost += size - kept;
}

static void
fail(struct relay *r)
{
	if (r->error != 0)
		return;
	r->error = errno ? errno : EIO;
	if (r->error == ENOSPC || r->error == EDQUOT)
		make_room(r);
}

/* At that offset of the output. Returns how many bytes; if they are fewer than n, error is set. */
static size_t
write_at(struct relay *r, off_t offset, const char *data, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t written = pwrite(r->log, data + done, n - done,
		    r->base + offset + (off_t)done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			fail(r);
			break;
		}
		done += (size_t)written;
	}
	return done;
}

/* Behind the head the place of the tail is a ring, in which the oldest bytes are overwritten. */
static void
put(struct relay *r, const char *data, size_t n)
{
	if (r->log < 0 && fwrite(data, 1, n, stderr) == n)
		return;
	while (n > 0) {
		off_t offset = r->total, room = (off_t)n;

		if (r->head > 0 && offset >= r->head) {
			offset = r->head + (r->total - r->head) % r->tail;
			room = r->head + r->tail - offset;
		} else if (r->head > 0) {
			room = r->head - offset;
		}
		if (room > (off_t)n)
			room = (off_t)n;
		r->lost += room;
		if (r->error == 0)
			r->lost -= (off_t)write_at(r, offset, data, (size_t)room);
		r->total += room;
		data += room;
		n -= (size_t)room;
	}
}

static void
put_clear(struct relay *r)
{
	put(r, r->clear.data, r->clear.len);
	r->clear.len = 0;
}

static void
found(void *data, bool is_annotation, const char *line, size_t n)
{
	struct relay *r = data;

	put_clear(r);
	r->options.found(r->options.data, is_annotation, line, n);
}

struct relay *
relay_open(int log, const struct commands_options *options, long long limit)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	struct commands_options ours = *options;

	*r = (struct relay){ .log = log, .options = *options,
		.base = log < 0 ? 0 : lseek(log, 0, SEEK_END) };
	if (limit > 0) {
		r->head = limit / 2 > MARK ? limit / 2 : MARK;
		r->tail = r->head;
	}
	if (pipe2(r->ends, O_CLOEXEC) < 0) {
		free(r);
		return NULL;
	}
	fcntl(r->ends[0], F_SETFL, O_NONBLOCK);
	fcntl(r->ends[1], F_SETPIPE_SZ, PIPE);
	ours.found = found;
	ours.data = r;
	r->commands = commands_open(&ours);
	return r;
}

void
relay_take(struct relay *r, const char *data, size_t n)
{
	commands_feed(r->commands, data, n, &r->clear);
	put_clear(r);
}

/* Copies at most that many bytes. Returns how many; 0 when there is nothing more for now. */
static size_t
copy_piece(struct relay *r, size_t most)
{
	ssize_t n;

	do
		n = read(r->ends[0], r->piece, most < PIECE ? most : PIECE);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	relay_take(r, r->piece, (size_t)n);
	return (size_t)n;
}

void
relay_copy(struct relay *r)
{
	for (int i = 0; i < ROUNDS && copy_piece(r, PIECE) > 0; i++)
		;
}

static void
reverse(char *data, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		char c = data[i];

		data[i] = data[n - 1 - i];
		data[n - 1 - i] = c;
	}
}

static bool
read_at(struct relay *r, off_t offset, char *data, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(r->log, data + done, n - done,
		    r->base + offset + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got < 0 ? errno : EIO;
			fail(r);
			return false;
		}
		done += (size_t)got;
	}
	return true;
}

/* Reverses a part of the output in the log: pieces from both ends are exchanged, reversed. */
static bool
reverse_part(struct relay *r, off_t from, off_t to)
{
	char *other = xcalloc(1, PIECE);
	bool done = true;

	while (done && to - from > 1) {
		size_t n = to - from < 2 * (off_t)PIECE ? (size_t)(to - from) / 2 : PIECE;

		done = read_at(r, from, r->piece, n) && read_at(r, to - (off_t)n, other, n);
		if (!done)
			break;
		reverse(r->piece, n);
		reverse(other, n);
		done = write_at(r, from, other, n) == n &&
		       write_at(r, to - (off_t)n, r->piece, n) == n;
		from += (off_t)n;
		to -= (off_t)n;
	}
	free(other);
	return done;
}

/*
 * The tail's ring becomes a line: it begins `start` bytes into its place, and is rotated there by
 * reversing the whole and then each of the two parts.
 */
static void
unroll(struct relay *r)
{
	off_t end = r->head + r->tail, start;
	long long cut = r->total - end + MARK;
	char line[MARK];
	int n;

	if (r->head == 0 || r->total <= end || r->error != 0)
		return;
	start = (r->total - r->head) % r->tail;
	if (!reverse_part(r, r->head, end) || !reverse_part(r, r->head, end - start) ||
	    !reverse_part(r, end - start, end))
		return;
	memset(line, ' ', MARK);
	n = snprintf(line, MARK, "\n[noxmk: %lld bytes cut out here: log-limit]", cut);
	line[n] = ' ';
	line[MARK - 1] = '\n';
	write_at(r, r->head, line, MARK);
}

/* Only what is there now: a process that goes on writing must not keep us here for ever. */
static void
drain(struct relay *r)
{
	int there = 0;
	size_t n = 1;

	if (ioctl(r->ends[0], FIONREAD, &there) < 0)
		return;
	for (size_t left = (size_t)there; left > 0 && n > 0; left -= n)
		n = copy_piece(r, left);
}

long long
relay_close(struct relay *r)
{
	long long lost;

	if (!r)
		return 0;
	drain(r);
	commands_flush(r->commands, &r->clear);
	put_clear(r);
	if (r->log >= 0) {
		unroll(r);
		lseek(r->log, 0, SEEK_END);
	}
	close(r->ends[0]);
	close(r->ends[1]);
	lost = r->lost;
	errno = r->error;
	commands_close(r->commands);
	buffer_free(&r->clear);
	free(r);
	return lost;
}
