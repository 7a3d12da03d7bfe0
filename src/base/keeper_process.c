#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/keeper_process.h"
#include "base/outlet.h"
#include "base/process.h"
#include "base/spawn.h"
#include "base/util.h"

/* Milliseconds between two rounds of killing, and the last round: some processes cannot die. */
enum { KILL_AGAIN = 5, ROUNDS = 400 };

/* Milliseconds in which the keeper's last words are read, or never. */
enum { LAST_WORDS = 1000 };

/* Seconds between two looks of the keeper whether the other side is stopped. */
#define LOOK_EVERY 5.0

/*
 * Milliseconds in which a lender has to start the program: it is to save some 100. It may be
 * stopped, or be short of memory.
 */
enum { LEND_PATIENCE = 500 };

/* The descriptors of a lent keeper: see keeper_lend. */
enum { LENT_SOCKET = 3, LENT_START = 4 };

void
keeper_tell(int socket, const struct keeper_message *message)
{
	(void)!send(socket, message, sizeof(*message), MSG_NOSIGNAL);
}

int
keeper_hear(int socket, struct keeper_message *message, int flags)
{
	ssize_t n;

	do
		n = recv(socket, message, sizeof(*message), flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -1 : 0;
	return n == (ssize_t)sizeof(*message);
}

/* Kills and reaps all descendants, in rounds: some may start others in between. */
static void
kill_descendants(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid;

		process_signal_descendants(getpid(), SIGKILL);
		while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		poll(NULL, 0, KILL_AGAIN);
	}
}

/* What the keeper knows. */
struct kept {
	pid_t program;
	pid_t helper; /* 0: another keeper looks after that */
	pid_t group;  /* the lent keeper, or our own pid */
	int lent;     /* the socket to that one, or -1 */
	bool lost;    /* that one was killed */
	bool ended, has_left;
	struct keeper_end end;
};

static double
seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void
finish(const struct keeper_task *task, bool killed)
{
	if (task->watcher)
		task->watcher->finish(task->watcher->data, killed);
}

/*
 * Reaps who has ended; threads, too, if they are traced. True if that changes what the other side
 * knows.
 */
static bool
reap(const struct keeper_task *task, struct kept *kept)
{
	struct rusage usage;
	bool ended = kept->ended, left = kept->has_left;
	pid_t pid;
	int status;

	while ((pid = wait4(-1, &status, WNOHANG | __WALL, &usage)) > 0)
		if (WIFSTOPPED(status)) {
			if (task->watcher)
				task->watcher->stopped(task->watcher->data, pid, status);
		} else if (pid == kept->program && !kept->ended) {
			kept->ended = true;
			kept->end = (struct keeper_end){ .status = status,
				.cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) };
		}
	kept->has_left = kept->ended && pid == 0;
	return kept->ended != ended || kept->has_left != left;
}

/* Takes in what the lent keeper says. */
static bool
hear_lent(struct kept *kept)
{
	struct keeper_message message;
	bool news = false;
	int heard;

	while ((heard = keeper_hear(kept->lent, &message, MSG_DONTWAIT)) > 0) {
		news = kept->ended || message.ended;
		kept->ended = message.ended;
		kept->end = message.end;
		kept->has_left = message.has_left;
	}
	kept->lost = heard == 0;
	return news;
}

static bool
take_news(const struct keeper_task *task, struct kept *kept)
{
	return kept->lent >= 0 ? hear_lent(kept) : reap(task, kept);
}

static void
tell_news(const struct kept *kept, int socket)
{
	keeper_tell(socket, &(struct keeper_message){ .ended = kept->ended, .end = kept->end,
	    .has_left = kept->has_left });
}

/* For the last time. A lent keeper is to kill, and says before what it knows. */
static void
take_last_news(const struct keeper_task *task, struct kept *kept, int socket)
{
	struct pollfd fd = { .fd = kept->lent, .events = POLLIN };

	if (kept->lent >= 0) {
		shutdown(kept->lent, SHUT_WR);
		poll(&fd, 1, KEEPER_KILL_PATIENCE);
		(void)hear_lent(kept);
	} else {
		(void)reap(task, kept);
		tell_news(kept, socket);
	}
}

/* Waits until the lent keeper has gone. */
static void
await_lent(const struct kept *kept, int milliseconds)
{
	double deadline = clock_monotonic() + milliseconds / 1e3;
	struct pollfd fd = { .fd = kept->lent, .events = POLLIN };
	struct keeper_message unused;

	while (poll(&fd, 1, clock_until(deadline, -1)) > 0 &&
	       keeper_hear(kept->lent, &unused, MSG_DONTWAIT) != 0)
		;
}

static struct spawn_files
files_of(const struct keeper_task *task)
{
	return (struct spawn_files){ .in = task->is_terminal ? task->out : -1, .out = task->out,
		.err = task->err, .more = task->more };
}

pid_t
keeper_begin(const struct keeper_task *task)
{
	const struct spawn_files files = files_of(task);

	return spawn_with(task->argv, task->envp, &files);
}

void
keeper_become(const struct keeper_task *task)
{
	const struct spawn_files files = files_of(task);

	spawn_become(task->argv, task->envp, &files);
}

static pid_t
begin(const struct keeper_task *task)
{
	struct keeper_watcher *watcher = task->watcher;

	return watcher ? watcher->begin(watcher->data, task) : keeper_begin(task);
}

/* The other side is dead. What is known is told first: to clear up may take long. */
static _Noreturn void
bereave(const struct keeper_task *task, struct kept *kept, int socket)
{
	take_last_news(task, kept, socket);
	if (task->bereaved)
		task->bereaved(task->data, kept->ended ? &kept->end : NULL);
	if (kept->lent >= 0)
		await_lent(kept, KEEPER_KILL_PATIENCE);
	kill_descendants();
	if (task->orphaned)
		task->orphaned(task->data);
	finish(task, true);
	outlet_close(LAST_WORDS);
	_exit(0);
}

/*
 * A helper that is stopped keeps no time limit, and the session waits for it. Unless both are, as
 * by ^Z, it is made to go on. Nobody else sees to a lent keeper.
 */
static void
wake(const struct kept *kept)
{
	if (kept->helper > 0 && process_is_stopped(kept->helper) &&
	    (kept->ended || !process_is_stopped(kept->program)))
		kill(kept->helper, SIGCONT);
	if (kept->lent >= 0 && process_is_stopped(kept->group))
		kill(kept->group, SIGCONT);
}

/* We may go: the session is over. */
static _Noreturn void
leave(const struct keeper_task *task, const struct kept *kept, int socket)
{
	const struct keeper_watcher *watcher = task->watcher;
	pid_t pid;
	int status;

	if (kept->lent >= 0) {
		keeper_tell(kept->lent, &(struct keeper_message){ 0 });
		await_lent(kept, KEEPER_GO_PATIENCE);
	}
	finish(task, false);
	if (!watcher || !watcher->stays(watcher->data))
		_exit(0);
	keeper_tell(socket, &(struct keeper_message){ .stays = true });
	/* It keeps nothing else of ours: no pipe, no folder, no lock. */
	closefrom(0);
	(void)!chdir("/");
	while ((pid = waitpid(-1, &status, __WALL)) > 0)
		if (WIFSTOPPED(status))
			watcher->stopped(watcher->data, pid, status);
	_exit(0);
}

/*
 * The lent keeper was killed. What it has kept is its lender's to end, and nobody's if that is
 * dead, too; but little of it has left the session that it led. To the helper all is as if we had
 * been killed ourselves.
 */
static _Noreturn void
lose(const struct kept *kept)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct indices all = { 0 };
		size_t n;

		process_session(kept->group, &all);
		for (n = 0; n < all.n; n++)
			kill((pid_t)all.v[n], SIGKILL);
		free(all.v);
		if (n == 0)
			break;
		poll(NULL, 0, KILL_AGAIN);
	}
	raise(SIGKILL);
	_exit(0);
}

static _Noreturn void
watch(const struct keeper_task *task, struct kept *kept, int signals, int socket)
{
	struct keeper_watcher *watcher = task->watcher;
	struct pollfd fds[2] = { { .fd = kept->lent >= 0 ? kept->lent : signals, .events = POLLIN },
		{ .fd = socket, .events = POLLIN } };
	double look = clock_monotonic() + LOOK_EVERY;

	for (;;) {
		struct keeper_message unused;
		bool had_ended = kept->ended;
		int heard = -1;

		poll(fds, countof(fds), clock_until(look, -1));
		if (clock_monotonic() >= look) {
			wake(kept);
			look = clock_monotonic() + LOOK_EVERY;
		}
		if (fds[1].revents)
			heard = keeper_hear(socket, &unused, MSG_DONTWAIT);
		if (heard == 0)
			bereave(task, kept, socket);
		if (heard > 0)
			leave(task, kept, socket);
		fd_drain(signals);
		if (take_news(task, kept))
			tell_news(kept, socket);
		if (kept->lost)
			lose(kept);
		if (watcher && kept->ended && !had_ended)
			watcher->ended(watcher->data);
	}
}

/* A descriptor that is readable when a child has ended, or -1. */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What the lender's answer says: true, and who the keeper is, or false, and why there is none. */
static bool
hear_answer(int socket, struct keeper_message *first)
{
	char text[sizeof(*first)] = "";
	ssize_t n = recv(socket, text, sizeof(text), MSG_DONTWAIT);

	if (n == (ssize_t)sizeof(*first)) {
		memcpy(first, text, sizeof(*first));
		return true;
	}
	strlcpy(first->why, n > 0 && n < KEEPER_WHY ? text : "the process to fork has ended",
	    sizeof(first->why));
	return false;
}

/* Has the lender start the program: the socket to its keeper, or -1. */
static int
borrow(const struct keeper_task *task, struct keeper_message *first)
{
	const struct keeper_lender *lender = &task->lender;
	int socket = lender->ask ? lender->ask(lender->data, task, first->why) : -1;
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	bool lent = false;

	if (socket < 0)
		return -1;
	if (poll(&fd, 1, LEND_PATIENCE) > 0) {
		lent = hear_answer(socket, first);
	} else {
		strlcpy(first->why, "the process to fork does not answer", sizeof(first->why));
		lender->silent(lender->data);
	}
	/* Only from here on the program may run: had we given up, it would not. */
	if (lent)
		keeper_tell(socket, &(struct keeper_message){ 0 });
	else
		fd_close(&socket);
	return socket;
}

void
keeper_process_run(const struct keeper_task *task, int socket)
{
	struct kept kept = { .helper = getppid(), .group = getpid() };
	struct keeper_message first = { 0 };
	sigset_t set;
	int signals;

	/* Where a sandbox refuses the one, a group of its own is had by the other. */
	if (setsid() < 0)
		setpgid(0, 0);
	if (task->is_terminal)
		ioctl(task->out, TIOCSCTTY, 0);
	prctl(PR_SET_NAME, "noxmk-keeper");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Signals of the terminal and the user are for the program. Here they stay pending. */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	outlet_forked();
	if (task->forked)
		task->forked(task->data);
	signals = open_signals();
	kept.lent = borrow(task, &first);
	if (kept.lent >= 0) {
		kept.group = first.group;
		kept.program = first.program;
	} else {
		kept.program = signals < 0 ? -1 : begin(task);
	}
	first.group = kept.group;
	first.error = kept.program < 0 ? errno : 0;
	keeper_tell(socket, &first);
	if (kept.program < 0)
		_exit(0);
	if (task->out > STDERR_FILENO)
		close(task->out);
	if (task->more >= 0)
		close(task->more);
	watch(task, &kept, signals, socket);
}

void
keeper_lend(pid_t program)
{
	const struct keeper_task task = { 0 };
	struct kept kept = { .program = program, .group = getpid(), .lent = -1 };
	struct keeper_message unused;
	int signals, socket = LENT_SOCKET;

	prctl(PR_SET_NAME, PROCESS_LENT);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signals = open_signals();
	keeper_tell(socket, &(struct keeper_message){ .group = kept.group, .program = program });
	if (signals < 0 || keeper_hear(socket, &unused, 0) <= 0)
		_exit(0);
	(void)!write(LENT_START, "1", 1);
	close(LENT_START);
	watch(&task, &kept, signals, socket);
}
