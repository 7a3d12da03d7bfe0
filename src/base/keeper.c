#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/keeper.h"
#include "base/outlet.h"
#include "base/process.h"
#include "base/sig.h"
#include "base/spawn.h"
#include "base/util.h"

/* Milliseconds between two rounds of killing, and the last round: some processes cannot die. */
enum { KILL_AGAIN = 5, ROUNDS = 400 };

/* Milliseconds in which the keeper's last words are read, or never. */
enum { LAST_WORDS = 1000 };

/* Seconds between two looks of the keeper whether the other side is stopped. */
#define LOOK_EVERY 5.0

/*
 * Milliseconds in which the program has to be started; and in which the keeper has to go once it
 * may, or is to kill first. It may be traced, or wait for a file system that hangs.
 */
enum { START_PATIENCE = 10000, GO_PATIENCE = 300, KILL_PATIENCE = 4000 };

/* Milliseconds between two looks whether we are told to end meanwhile. */
enum { STOP_TICK = 100 };

/* Looks for members of a group that is killed: some may start others in between. */
enum { LOOKS = 16 };

/*
 * What the keeper says: first errno, or 0 when the program was started; then, when that ends, how,
 * and whether it has left others; and if so once more when the last of these has ended. It hears
 * any message as that it may go. The end of the socket tells that the other side is dead.
 */
struct message {
	int error;
	struct keeper_end end;
	bool has_left;
};

struct keeper {
	pid_t pid;  /* 0: it is dead and reaped */
	int socket; /* -1 then */
	bool ended, has_left;
	struct keeper_end end;
};

static void
tell(int socket, const struct message *message)
{
	(void)!send(socket, message, sizeof(*message), MSG_NOSIGNAL);
}

/* 1 for a message, 0 when the other side is dead, -1 when, with MSG_DONTWAIT, nothing has come. */
static int
hear(int socket, struct message *message, int flags)
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
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		poll(NULL, 0, KILL_AGAIN);
	}
}

/* What the keeper knows. */
struct kept {
	pid_t program;
	bool ended, has_left;
	struct keeper_end end;
};

static double
seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Reaps who has ended. True if that changes what the other side knows. */
static bool
reap(struct kept *kept)
{
	struct rusage usage;
	bool ended = kept->ended, left = kept->has_left;
	pid_t pid;
	int status;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
		if (pid == kept->program && !kept->ended) {
			kept->ended = true;
			kept->end = (struct keeper_end){ .status = status,
				.cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime) };
		}
	kept->has_left = kept->ended && pid == 0;
	return kept->ended != ended || kept->has_left != left;
}

static pid_t
start_program(const struct keeper_task *task)
{
	return spawn_with(task->argv, task->envp, &(struct spawn_files){
	    .in = task->is_terminal ? task->out : -1, .out = task->out, .err = task->err,
	    .more = task->more });
}

/* The other side is dead. What is known is told first: to clear up may take long. */
static _Noreturn void
bereave(const struct keeper_task *task, struct kept *kept)
{
	(void)reap(kept);
	if (task->bereaved)
		task->bereaved(task->data, kept->ended ? &kept->end : NULL);
	kill_descendants();
	if (task->orphaned)
		task->orphaned(task->data);
	outlet_close(LAST_WORDS);
	_exit(0);
}

static bool
is_stopped(pid_t pid)
{
	struct process_stat stat;

	return process_stat(pid, &stat) && stat.state == 'T';
}

/*
 * A helper that is stopped keeps no time limit, and the session waits for it. Unless both are, as
 * by ^Z, it is made to go on.
 */
static void
wake(pid_t helper, const struct kept *kept)
{
	if (is_stopped(helper) && (kept->ended || !is_stopped(kept->program)))
		kill(helper, SIGCONT);
}

static _Noreturn void
watch(const struct keeper_task *task, struct kept *kept, int signals, int socket)
{
	struct pollfd fds[2] = { { .fd = signals, .events = POLLIN },
		{ .fd = socket, .events = POLLIN } };
	double look = clock_monotonic() + LOOK_EVERY;
	pid_t helper = getppid();

	for (;;) {
		struct message unused;
		int heard = -1;

		poll(fds, countof(fds), clock_until(look, -1));
		if (clock_monotonic() >= look) {
			wake(helper, kept);
			look = clock_monotonic() + LOOK_EVERY;
		}
		if (fds[1].revents)
			heard = hear(socket, &unused, MSG_DONTWAIT);
		if (heard == 0)
			bereave(task, kept);
		if (heard > 0)
			_exit(0);
		fd_drain(signals);
		if (reap(kept))
			tell(socket, &(struct message){ .end = kept->end,
			    .has_left = kept->has_left });
	}
}

/* The keeper's life. */
static _Noreturn void
keep(const struct keeper_task *task, int socket)
{
	struct kept kept = { 0 };
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
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	kept.program = signals < 0 ? -1 : start_program(task);
	tell(socket, &(struct message){ .error = kept.program < 0 ? errno : 0 });
	if (kept.program < 0)
		_exit(0);
	if (task->out > STDERR_FILENO)
		close(task->out);
	if (task->more >= 0)
		close(task->more);
	watch(task, &kept, signals, socket);
}

/* False when it takes too long, or when we are told to end meanwhile. */
static bool
await_start(int socket)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };

	for (int waited = 0; waited < START_PATIENCE; waited += STOP_TICK)
		if (poll(&fd, 1, STOP_TICK) > 0)
			return true;
		else if (sig_stop_is_pending())
			return false;
	return false;
}

struct keeper *
keeper_start(const struct keeper_task *task)
{
	struct message started = { 0 };
	struct keeper *keeper;
	int ends[2], error;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		keep(task, ends[1]);
	}
	error = pid < 0 ? errno : 0;
	close(ends[1]);
	if (pid > 0 && !await_start(ends[0]))
		error = ETIMEDOUT;
	/* A keeper that was killed before it sent anything may have started the program. */
	else if (pid > 0 && hear(ends[0], &started, 0) > 0)
		error = started.error;
	if (error != 0) {
		close(ends[0]);
		if (pid > 0)
			process_end_child(pid, NULL, 0);
		errno = error;
		return NULL;
	}
	keeper = xcalloc(1, sizeof(*keeper));
	*keeper = (struct keeper){ .pid = pid, .socket = ends[0] };
	return keeper;
}

static void
reap_keeper(struct keeper *keeper, int *status, int milliseconds)
{
	fd_close(&keeper->socket);
	process_end_child(keeper->pid, status, milliseconds);
	keeper->pid = 0;
}

/* Takes in what it has said. */
static void
listen_to(struct keeper *keeper, int flags)
{
	struct message message;
	int heard, status = 0;

	while (keeper->pid > 0 && (heard = hear(keeper->socket, &message, flags)) >= 0) {
		if (heard == 0) {
			reap_keeper(keeper, &status, GO_PATIENCE);
			if (!keeper->ended)
				keeper->end.status = status;
		} else {
			keeper->end = message.end;
		}
		keeper->ended = true;
		keeper->has_left = heard > 0 && message.has_left;
		flags |= MSG_DONTWAIT;
	}
}

pid_t
keeper_pid(const struct keeper *keeper)
{
	return keeper->pid;
}

int
keeper_fd(const struct keeper *keeper)
{
	return keeper->socket;
}

bool
keeper_has_ended(struct keeper *keeper, struct keeper_end *end)
{
	listen_to(keeper, MSG_DONTWAIT);
	if (keeper->ended && end)
		*end = keeper->end;
	return keeper->ended;
}

bool
keeper_has_left(struct keeper *keeper)
{
	listen_to(keeper, MSG_DONTWAIT);
	return keeper->has_left;
}

/* KILL would hit the keeper as well: the others get it one by one. */
static void
kill_group(pid_t group)
{
	bool hit = true;

	for (int i = 0; i < LOOKS && hit; i++) {
		struct indices all = { 0 };

		hit = false;
		process_descendants(group, &all);
		for (size_t k = 0; k < all.n; k++)
			if (getpgid((pid_t)all.v[k]) == group &&
			    process_runs((pid_t)all.v[k]))
				hit = kill((pid_t)all.v[k], SIGKILL) == 0 || hit;
		free(all.v);
	}
}

void
keeper_signal(const struct keeper *keeper, int signal)
{
	if (keeper->pid == 0)
		return;
	/* Where there is no group of its own, all get it. */
	if (kill(-keeper->pid, 0) < 0)
		process_signal_descendants(keeper->pid, signal);
	else if (signal == SIGKILL)
		kill_group(keeper->pid);
	else
		kill(-keeper->pid, signal);
	if (kill(-keeper->pid, SIGCONT) < 0)
		process_signal_descendants(keeper->pid, SIGCONT);
}

void
keeper_signal_all(const struct keeper *keeper, int signal)
{
	if (keeper->pid > 0)
		process_signal_descendants(keeper->pid, signal);
}

void
keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->pid > 0) {
		tell(keeper->socket, &(struct message){ 0 });
		reap_keeper(keeper, NULL, GO_PATIENCE);
	}
	free(keeper);
}

void
keeper_kill(struct keeper *keeper)
{
	if (keeper->pid > 0)
		reap_keeper(keeper, NULL, KILL_PATIENCE);
	free(keeper);
}
