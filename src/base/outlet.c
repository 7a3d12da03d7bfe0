#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/outlet.h"

/* Bytes that are kept, and how many of them make it full. */
enum { MOST = 1 << 20, FULL = 1 << 16 };

/* Milliseconds in which the process that is left behind has written it all. */
enum { LEFT_BEHIND = 60 * 60 * 1000 };

/* So many times as long is waited where there can be no such process. */
enum { NO_PROCESS = 5 };

/* How to write without waiting. A file of its own: opened anew, since flags belong to the file. */
enum way { UNKNOWN, FILE_OF_ITS_OWN, SOCKET, PLAIN, IF_READY };

struct outlet {
	int fd;              /* 1 or 2 */
	int own;             /* what to write to; fd unless it was opened anew */
	enum way way;
	FILE *stream, *saved;
	const char *wipe;    /* what goes in front of all that is written, or NULL */
	bool is_all;         /* whatever is kept, nothing is cut */
	bool incomplete;     /* bytes were missing at some time */
	struct buffer kept;
	size_t written;      /* bytes of it */
	size_t cut;          /* bytes that are missing behind it */
	size_t taken;        /* all bytes that came */
	int error;           /* errno of what could not be written, but for EPIPE; or 0 */
};

/* Of this process, as stdout and stderr are. The stream is NULL while they are not open. */
static struct outlet outlets[OUTLETS];

/* A disk does not keep us waiting, or no file of ours would be safe from that. */
static void
find_way(struct outlet *o)
{
	char path[32];
	struct stat st;

	o->own = o->fd;
	o->way = PLAIN;
	if (fstat(o->fd, &st) < 0 || S_ISREG(st.st_mode))
		return;
	o->way = SOCKET;
	if (S_ISSOCK(st.st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd);
	o->own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	o->way = o->own < 0 ? IF_READY : FILE_OF_ITS_OWN;
	if (o->own < 0)
		o->own = o->fd;
}

/* Returns how many bytes were written; 0 when there is no room, -1 with errno set. */
static ssize_t
write_some(struct outlet *o, const char *data, size_t n)
{
	struct pollfd room = { .fd = o->own, .events = POLLOUT };
	ssize_t written;

	if (o->way == UNKNOWN)
		find_way(o);
	if (o->way == PLAIN)
		return fd_write_all(o->fd, data, n) < 0 ? -1 : (ssize_t)n;
	if (o->way == IF_READY && poll(&room, 1, 0) <= 0)
		return 0;
	if (o->way == IF_READY && n > PIPE_BUF)
		n = PIPE_BUF;
	do
		written = o->way == SOCKET ? send(o->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL) :
					     write(o->own, data, n);
	while (written < 0 && errno == EINTR);
	return written < 0 && errno == EAGAIN ? 0 : written;
}

/* As many whole lines as a pipe takes in one piece, or else a part of a line. */
static size_t
piece_of(const char *data, size_t n)
{
	const char *end;

	if (n <= PIPE_BUF)
		return n;
	end = memrchr(data, '\n', PIPE_BUF);
	return end ? (size_t)(end - data) + 1 : PIPE_BUF;
}

static void
forget(struct outlet *o)
{
	o->kept.len = o->written = o->cut = 0;
}

static void
note_error(struct outlet *o)
{
	if (errno != EPIPE)
		o->error = errno;
}

static void
flush_one(struct outlet *o)
{
	while (o->written < o->kept.len) {
		const char *rest = o->kept.data + o->written;
		ssize_t n = write_some(o, rest, piece_of(rest, o->kept.len - o->written));

		if (n == 0)
			return;
		/* Nobody will read it any more. */
		if (n < 0) {
			note_error(o);
			forget(o);
			return;
		}
		o->written += (size_t)n;
		if (o->written < o->kept.len)
			continue;
		o->kept.len = o->written = 0;
		if (o->cut > 0)
			buffer_printf(&o->kept, "\n[noxmk: %zu bytes are not shown here: nobody "
			    "read what came before in time]\n", o->cut);
		o->cut = 0;
	}
}

/* Room for n more bytes, without those that are written. */
static void
reserve(struct outlet *o, size_t n)
{
	if (o->written > o->kept.len / 2) {
		o->kept.len -= o->written;
		memmove(o->kept.data, o->kept.data + o->written, o->kept.len);
		o->written = 0;
	}
	buffer_reserve(&o->kept, n);
}

/* Writes or keeps it. 0 is an error. */
static ssize_t
take(struct outlet *o, const char *data, size_t n)
{
	size_t done = 0;
	ssize_t written = 1;

	o->taken += n;
	flush_one(o);
	while (o->kept.len == 0 && done < n && written > 0) {
		written = write_some(o, data + done, n - done);
		done += written > 0 ? (size_t)written : 0;
	}
	if (written < 0) {
		note_error(o);
		return 0;
	}
	if (done == n)
		return (ssize_t)n;
	/* What comes behind a cut is cut as well, until the line that says so is kept. */
	if (!o->is_all && (o->cut > 0 || o->kept.len - o->written + n - done > MOST)) {
		o->cut += n - done;
	} else {
		reserve(o, n - done);
		buffer_add(&o->kept, data + done, n - done);
	}
	o->incomplete |= o->cut > 0;
	return (ssize_t)n;
}

/* fopencookie(3). One write(2), so that nobody else's comes between. */
static ssize_t
take_from_stream(void *cookie, const char *data, size_t n)
{
	struct outlet *o = cookie;
	struct buffer both = { 0 };
	ssize_t taken;

	/* In the background the terminal is somebody else's. */
	if (!o->wipe || tcgetpgrp(o->fd) != getpgrp())
		return take(o, data, n);
	buffer_addstr(&both, o->wipe);
	buffer_add(&both, data, n);
	taken = take(o, both.data, both.len);
	buffer_free(&both);
	return taken > 0 ? (ssize_t)n : taken;
}

void
outlet_wipes(const char *wipe)
{
	for (int i = 0; i < OUTLETS; i++)
		if (outlets[i].stream && isatty(outlets[i].fd))
			outlets[i].wipe = wipe;
}

/* What stands for that outlet in the C library. */
static FILE **
stream_of(int i)
{
	return i == 0 ? &stdout : &stderr;
}

void
outlet_open(bool is_all)
{
	const cookie_io_functions_t functions = { .write = take_from_stream };

	for (int i = 0; i < OUTLETS; i++) {
		struct outlet *o = &outlets[i];
		FILE *stream = fopencookie(o, "w", functions);

		if (!stream)
			continue;
		setvbuf(stream, NULL, *stream_of(i) == stderr ? _IOLBF : _IOFBF, BUFSIZ);
		fflush(*stream_of(i));
		*o = (struct outlet){ .fd = i + 1, .own = i + 1, .stream = stream,
			.saved = *stream_of(i), .is_all = is_all };
		*stream_of(i) = stream;
	}
}

/* Nothing of it is to be written any more: its reader need not wait for us. */
static void
let_go(struct outlet *o)
{
	if (o->own > STDERR_FILENO)
		close(o->own);
	close(o->fd);
	o->own = -1;
}

/*
 * Until nothing is kept, with what is in the streams' own buffers, or the time is over. lets_go: of
 * each as soon as nothing is. True when there is nothing left.
 */
static bool
drain(int milliseconds, bool lets_go)
{
	double end = clock_monotonic() + milliseconds / 1e3;

	for (int i = 0; i < OUTLETS; i++)
		if (outlets[i].stream)
			fflush(outlets[i].stream);
	for (;;) {
		struct pollfd fds[OUTLETS];
		bool all = true;

		for (int i = 0; i < OUTLETS; i++) {
			flush_one(&outlets[i]);
			all = all && outlets[i].kept.len == 0;
			if (lets_go && outlets[i].own >= 0 && outlets[i].kept.len == 0)
				let_go(&outlets[i]);
		}
		outlet_poll(fds);
		if (all || poll(fds, OUTLETS, clock_until(end, -1)) <= 0)
			return all;
	}
}

/* Each is copied out of the way first: `own` may itself be 3 or 4. */
static void
keep_ways_only(void)
{
	int ways[OUTLETS];

	for (int i = 0; i < OUTLETS; i++) {
		ways[i] = fcntl(outlets[i].own, F_DUPFD, 3 + OUTLETS);
		if (ways[i] < 0 && outlets[i].kept.len > 0)
			_exit(0);
	}
	for (int i = 0; i < OUTLETS; i++)
		outlets[i].own = ways[i] < 0 ? -1 : dup2(ways[i], 3 + i);
	closefrom(3 + OUTLETS);
	close(STDIN_FILENO);
}

/* It holds nothing of ours but its way to the reader, and is in no session of the terminal's. */
static _Noreturn void
live_on(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	(void)!chdir("/");
	prctl(PR_SET_NAME, "noxmk-outlet");
	keep_ways_only();
	(void)drain(LEFT_BEHIND, true);
	_exit(0);
}

bool
outlet_settle(int milliseconds)
{
	return drain(milliseconds, false);
}

size_t
outlet_taken(void)
{
	return outlets[0].taken;
}

int
outlet_hand_over(int milliseconds)
{
	if (!drain(milliseconds, false)) {
		pid_t pid = fork();

		if (pid == 0)
			live_on();
		if (pid > 0)
			outlet_forked();
		else
			milliseconds *= NO_PROCESS;
	}
	return outlet_close(milliseconds);
}

int
outlet_close(int milliseconds)
{
	int error = 0;

	(void)drain(milliseconds, false);
	for (int i = 0; i < OUTLETS; i++) {
		struct outlet *o = &outlets[i];

		if (!o->stream)
			continue;
		fclose(o->stream);
		*stream_of(i) = o->saved;
		error = error != 0 ? error : o->error;
		if (o->own != o->fd)
			close(o->own);
		buffer_free(&o->kept);
		*o = (struct outlet){ 0 };
	}
	errno = error;
	return error != 0 ? -1 : 0;
}

void
outlet_poll(struct pollfd fds[OUTLETS])
{
	for (int i = 0; i < OUTLETS; i++)
		fds[i] = (struct pollfd){ .fd = outlets[i].kept.len > 0 ? outlets[i].own : -1,
			.events = POLLOUT };
}

void
outlet_flush(void)
{
	for (int i = 0; i < OUTLETS; i++)
		flush_one(&outlets[i]);
}

bool
outlet_is_behind(void)
{
	return outlets[0].kept.len > 0 || outlets[0].incomplete;
}

bool
outlet_is_full(void)
{
	return outlets[0].kept.len - outlets[0].written > FULL;
}

void
outlet_forked(void)
{
	for (int i = 0; i < OUTLETS; i++)
		forget(&outlets[i]);
}
