#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/outlet.h"
#include "session/terminal.h"

enum {
	PIECE = 4096,
	ROUNDS = 16,     /* pieces that are shown before the caller can do other things */
	KEYS = 256,      /* bytes of input that are read at once */
	LAST_WAIT = 100, /* milliseconds in which nothing comes any more */
};

/* Seconds after which what still comes is not waited for: another process may go on writing. */
#define LAST_MOST 1.0

/* Seconds after which the screen has what may be the start of a secret: somebody types it. */
#define HELD 0.1

struct terminal {
	int master, slave, signals;
	struct termios user, raw; /* modes of the user's terminal: before, and now */
	bool entered;             /* it is raw */
	bool hung_up;             /* nothing more comes from the session */
	bool suspends;            /* ^Z was typed */
	bool ends;                /* the session was asked to end */
	bool returned;            /* a CR came, which may be half of a line end */
	struct buffer keys;       /* input that the session's terminal had no room for */
	struct mask_stream stream;
	double due;               /* for what the stream holds back; 0: never */
};

static bool
in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Not from the background: that would stop us. SIGTTOU is blocked, in case it comes in between. */
static void
set_modes(const struct termios *modes)
{
	while (tcsetattr(STDIN_FILENO, TCSADRAIN, modes) < 0 && errno == EINTR)
		;
}

static void
copy_size(const struct terminal *terminal)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(terminal->master, TIOCSWINSZ, &size);
}

static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

struct terminal *
terminal_open(void)
{
	struct terminal *terminal;
	struct termios user;
	struct winsize size = { 0 };
	int master, slave;

	if (!isatty(STDOUT_FILENO) || !in_foreground() || tcgetattr(STDIN_FILENO, &user) < 0)
		return NULL;
	ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	if (openpty(&master, &slave, NULL, &user, &size) < 0)
		return NULL;
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	fcntl(master, F_SETFL, O_NONBLOCK);
	terminal = xcalloc(1, sizeof(*terminal));
	*terminal = (struct terminal){ .master = master, .slave = slave, .user = user,
		.raw = user, .signals = open_signals() };
	cfmakeraw(&terminal->raw);
	terminal->raw.c_oflag = user.c_oflag;
	terminal_enter(terminal);
	return terminal;
}

int
terminal_slave(const struct terminal *terminal)
{
	return terminal->slave;
}

void
terminal_leave(struct terminal *terminal)
{
	if (terminal->entered)
		set_modes(&terminal->user);
	terminal->entered = false;
}

void
terminal_enter(struct terminal *terminal)
{
	if (!in_foreground())
		return;
	copy_size(terminal);
	if (!terminal->entered)
		set_modes(&terminal->raw);
	terminal->entered = true;
}

void
terminal_restore(const struct terminal *terminal)
{
	struct termios now;

	/* While we were stopped the terminal was the shell's, which has modes of its own. */
	if (tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag == terminal->raw.c_lflag &&
	    now.c_iflag == terminal->raw.c_iflag)
		set_modes(&terminal->user);
}

/* As long as the user's terminal is stopped, so is the session's, but not when it has to end. */
static bool
may_copy(const struct terminal *terminal)
{
	return !terminal->hung_up && (terminal->ends || !outlet_is_full());
}

void
terminal_end(struct terminal *terminal)
{
	terminal->ends = true;
}

void
terminal_poll(const struct terminal *terminal, struct pollfd fds[TERMINAL_FDS])
{
	bool full = terminal->keys.len > 0;

	fds[0] = (struct pollfd){ .fd = may_copy(terminal) ? terminal->master : -1,
		.events = full ? POLLIN | POLLOUT : POLLIN };
	fds[1] = (struct pollfd){ .fd = terminal->entered && !full ? STDIN_FILENO : -1,
		.events = POLLIN };
	fds[2] = (struct pollfd){ .fd = terminal->signals, .events = POLLIN };
}

int
terminal_timeout(const struct terminal *terminal)
{
	return clock_until(terminal->due, -1);
}

/* The size may be another now, and after `bg` and `fg` the terminal is ours again. */
static void
take_signals(struct terminal *terminal)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(terminal->signals, &info, sizeof(info)) > 0)
		any = true;
	if (any)
		terminal_enter(terminal);
}

/* As the session's terminal does it: it may have been told to leave line ends alone. */
static bool
adds_returns(struct terminal *terminal)
{
	tcflag_t wanted = terminal->user.c_oflag;
	struct termios session;

	if (tcgetattr(terminal->master, &session) < 0)
		session = terminal->user;
	if (!(session.c_oflag & OPOST))
		wanted &= ~(tcflag_t)OPOST;
	if (terminal->raw.c_oflag != wanted) {
		terminal->raw.c_oflag = wanted;
		if (terminal->entered)
			set_modes(&terminal->raw);
	}
	return (session.c_oflag & OPOST) && (session.c_oflag & ONLCR);
}

/* Appends what the session has written; its terminal has put a CR in front of each line end. */
static void
undo_returns(struct terminal *terminal, const char *data, size_t n, struct buffer *out)
{
	bool added = adds_returns(terminal);

	for (size_t i = 0; i < n; i++) {
		if (terminal->returned && !(added && data[i] == '\n'))
			buffer_addstr(out, "\r");
		terminal->returned = data[i] == '\r';
		if (!terminal->returned)
			buffer_add(out, data + i, 1);
	}
}

static void
show(struct terminal *terminal, struct mask *mask, const char *text, size_t n, bool last)
{
	struct buffer shown = { 0 };

	mask_feed(mask, &terminal->stream, text, n, &shown);
	if (last)
		mask_flush(&terminal->stream, &shown);
	if (shown.len > 0) {
		fwrite(shown.data, 1, shown.len, stdout);
		fflush(stdout);
	}
	terminal->due = terminal->stream.held.len > 0 ? clock_monotonic() + HELD : 0;
	buffer_free(&shown);
}

/* False when there is nothing more for now. */
static bool
copy_output(struct terminal *terminal, struct mask *mask, struct relay *relay)
{
	struct buffer text = { 0 };
	char data[PIECE];
	ssize_t n;

	do
		n = read(terminal->master, data, sizeof(data));
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		terminal->hung_up = n == 0 || errno != EAGAIN;
		return false;
	}
	undo_returns(terminal, data, (size_t)n, &text);
	if (text.len > 0) {
		show(terminal, mask, text.data, text.len, false);
		if (relay)
			relay_take(relay, text.data, text.len);
	}
	buffer_free(&text);
	return true;
}

/* Is that key ^Z, or whatever the session's terminal takes for it? */
static bool
is_suspend_key(const struct terminal *terminal, char key)
{
	struct termios session;

	return tcgetattr(terminal->master, &session) == 0 && (session.c_lflag & ISIG) &&
	       session.c_cc[VSUSP] != _POSIX_VDISABLE && (char)session.c_cc[VSUSP] == key;
}

static void
send_keys(struct terminal *terminal)
{
	struct buffer *keys = &terminal->keys;
	ssize_t n = keys->len == 0 ? 0 : write(terminal->master, keys->data, keys->len);

	if (n <= 0)
		return;
	memmove(keys->data, keys->data + n, keys->len - (size_t)n);
	keys->len -= (size_t)n;
}

static void
copy_input(struct terminal *terminal)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char keys[KEYS];
	ssize_t n;

	send_keys(terminal);
	if (!terminal->entered || terminal->keys.len > 0 || poll(&input, 1, 0) <= 0)
		return;
	n = read(STDIN_FILENO, keys, sizeof(keys));
	for (ssize_t i = 0; i < n; i++) {
		if (is_suspend_key(terminal, keys[i]))
			terminal->suspends = true;
		else
			buffer_add(&terminal->keys, keys + i, 1);
	}
	/* The user's terminal is gone. */
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		terminal->entered = false;
	send_keys(terminal);
}

bool
terminal_suspends(struct terminal *terminal)
{
	bool suspends = terminal->suspends;

	terminal->suspends = false;
	return suspends;
}

void
terminal_copy(struct terminal *terminal, struct mask *mask, struct relay *relay)
{
	take_signals(terminal);
	for (int i = 0; i < ROUNDS && may_copy(terminal); i++)
		if (!copy_output(terminal, mask, relay))
			break;
	if (terminal->due != 0 && clock_monotonic() >= terminal->due)
		show(terminal, mask, "", 0, true);
	copy_input(terminal);
}

/* The kernel hands on late what was written last. */
static void
copy_rest(struct terminal *terminal, struct mask *mask, struct relay *relay)
{
	struct pollfd master = { .fd = terminal->master, .events = POLLIN };
	double end = clock_monotonic() + LAST_MOST;
	struct buffer rest = { 0 };

	while (!terminal->hung_up && clock_monotonic() < end)
		if (poll(&master, 1, LAST_WAIT) <= 0 || !copy_output(terminal, mask, relay))
			break;
	buffer_addstr(&rest, terminal->returned ? "\r" : "");
	show(terminal, mask, rest.data, rest.len, true);
	if (relay)
		relay_take(relay, rest.data, rest.len);
	buffer_free(&rest);
}

void
terminal_close(struct terminal *terminal, struct mask *mask, struct relay *relay)
{
	if (!terminal)
		return;
	fd_close(&terminal->slave);
	copy_rest(terminal, mask, relay);
	terminal_leave(terminal);
	close(terminal->master);
	fd_close(&terminal->signals);
	buffer_free(&terminal->keys);
	free(terminal);
}
