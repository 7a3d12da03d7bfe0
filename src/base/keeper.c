#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/spawn.h"
#include "base/util.h"
#include "session/keeper.h"

/* Milliseconds between two rounds of killing, and the last round: some processes cannot die. */
enum { KILL_AGAIN = 5, ROUNDS = 2000 };

struct keeper {
	pid_t pid;
	int socket; /* the keeper sends errno or 0 first, the session's wait status at its end */
};

static void
tell(int socket, int number)
{
	(void)!send(socket, &number, sizeof(number), MSG_NOSIGNAL);
}

/* False when the other side is gone, and, with MSG_DONTWAIT in flags, when nothing has come. */
static bool
hear(int socket, int *number, int flags)
{
	ssize_t n;

	do
		n = recv(socket, number, sizeof(*number), flags);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*number);
}

/* Kills and reaps all descendants, in rounds: some may start others in between. */
static void
kill_descendants(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct indices all = { 0 };
		pid_t pid;

		process_descendants(getpid(), &all);
		for (size_t k = 0; k < all.n; k++)
			kill((pid_t)all.v[k], SIGKILL);
		free(all.v);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		poll(NULL, 0, KILL_AGAIN);
	}
}

/* Has the session's own process ended? Sets its status then. Others are reaped in passing. */
static bool
reap_session(pid_t session, int *status)
{
	pid_t pid;
	int one;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == session) {
			*status = one;
			return true;
		}
	return false;
}

static pid_t
start_session(const struct keeper_task *task)
{
	const struct spawn_files files = { .in = task->is_terminal ? task->out : -1,
		.out = task->out, .more = task->ask };

	return spawn_with(task->argv, task->envp, &files);
}

/* The keeper's life. */
static _Noreturn void
keep(const struct keeper_task *task, int socket)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .fd = socket, .events = POLLIN } };
	int status, unused;
	sigset_t set;
	pid_t session;

	setsid();
	if (task->is_terminal)
		ioctl(task->out, TIOCSCTTY, 0);
	prctl(PR_SET_NAME, "noxmk-keeper");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Signals of the terminal and the user are for the session. Here they stay pending. */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	task->forked(task->data);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fds[0].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	session = fds[0].fd < 0 ? -1 : start_session(task);
	tell(socket, session < 0 ? errno : 0);
	if (session < 0)
		_exit(0);
	if (task->out > STDERR_FILENO)
		close(task->out);
	if (task->ask >= 0)
		close(task->ask);
	for (;;) {
		struct signalfd_siginfo info;

		poll(fds, countof(fds), -1);
		if (fds[1].revents && !hear(socket, &unused, MSG_DONTWAIT)) {
			task->bereaved(task->data);
			kill_descendants();
			task->orphaned(task->data);
			_exit(0);
		}
		while (read(fds[0].fd, &info, sizeof(info)) > 0)
			;
		if (reap_session(session, &status)) {
			tell(socket, status);
			_exit(0);
		}
	}
}

struct keeper *
keeper_start(const struct keeper_task *task)
{
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
	error = errno;
	close(ends[1]);
	/* A keeper that was killed before it sent anything may have started the session. */
	if (pid > 0 && !hear(ends[0], &error, 0))
		error = 0;
	if (pid < 0 || error != 0) {
		close(ends[0]);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		errno = error;
		return NULL;
	}
	keeper = xcalloc(1, sizeof(*keeper));
	*keeper = (struct keeper){ .pid = pid, .socket = ends[0] };
	return keeper;
}

void
keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->socket);
	free(keeper);
}

pid_t
keeper_pid(const struct keeper *keeper)
{
	return keeper->pid;
}

bool
keeper_has_ended(const struct keeper *keeper)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)keeper->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == keeper->pid;
}

int
keeper_wait(struct keeper *keeper, struct rusage *usage)
{
	int status, said;

	while (wait4(keeper->pid, &status, 0, usage) < 0 && errno == EINTR)
		;
	return hear(keeper->socket, &said, MSG_DONTWAIT) ? said : status;
}
