#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/keeper.h"
#include "base/keeper_process.h"
#include "base/process.h"
#include "base/sig.h"
#include "base/util.h"

/*
 * Milliseconds in which the program has to be started. It may be traced, or wait for a file system
 * that hangs.
 */
enum { START_PATIENCE = 10000 };

/* And in which it has to finish what its watcher has seen. */
enum { FINISH_PATIENCE = 20000 };

/* Milliseconds between two looks whether we are told to end meanwhile. */
enum { STOP_TICK = 100 };

/* Looks for members of a group that is killed: some may start others in between. */
enum { LOOKS = 16 };

struct keeper {
	pid_t pid;  /* 0: it is dead and reaped */
	pid_t group; /* of the program: it, or the lent one */
	int socket; /* -1 then */
	int patience; /* milliseconds in which it goes when it may */
	bool watched; /* and it may stay */
	bool ended, has_left;
	struct keeper_end end;
};

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
	struct keeper_message started = { 0 };
	struct keeper *keeper;
	int ends[2], error;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		keeper_process_run(task, ends[1]);
	}
	error = pid < 0 ? errno : 0;
	close(ends[1]);
	if (pid > 0 && !await_start(ends[0]))
		error = ETIMEDOUT;
	/* A keeper that was killed before it sent anything may have started the program. */
	else if (pid > 0 && keeper_hear(ends[0], &started, 0) > 0)
		error = started.error;
	if (error != 0) {
		close(ends[0]);
		if (pid > 0)
			process_end_child(pid, NULL, 0);
		errno = error;
		return NULL;
	}
	keeper = xcalloc(1, sizeof(*keeper));
	*keeper = (struct keeper){ .pid = pid, .group = started.group > 0 ? started.group : pid,
		.socket = ends[0],
		.patience = task->watcher ? FINISH_PATIENCE : KEEPER_GO_PATIENCE,
		.watched = task->watcher };
	if (task->lender.ask)
		*task->lender.why = xstrdup(started.why);
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
	struct keeper_message message;
	int heard, status = 0;

	while (keeper->pid > 0 && (heard = keeper_hear(keeper->socket, &message, flags)) >= 0) {
		if (heard == 0) {
			reap_keeper(keeper, &status, KEEPER_GO_PATIENCE);
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
	return keeper->pid > 0 ? keeper->group : 0;
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
	if (kill(-keeper->group, 0) < 0)
		process_signal_descendants(keeper->group, signal);
	else if (signal == SIGKILL)
		kill_group(keeper->group);
	else
		kill(-keeper->group, signal);
	if (kill(-keeper->group, SIGCONT) < 0)
		process_signal_descendants(keeper->group, SIGCONT);
}

void
keeper_signal_all(const struct keeper *keeper, int signal)
{
	if (keeper->pid > 0)
		process_signal_descendants(keeper->group, signal);
}

/* Once it may go. What it had to say else is of no interest any more. */
static bool
hears_that_it_stays(const struct keeper *keeper)
{
	struct pollfd fd = { .fd = keeper->socket, .events = POLLIN };
	struct keeper_message message = { 0 };

	while (!message.stays && poll(&fd, 1, keeper->patience) > 0 &&
	       keeper_hear(keeper->socket, &message, 0) > 0)
		;
	return message.stays;
}

void
keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->pid > 0) {
		keeper_tell(keeper->socket, &(struct keeper_message){ 0 });
		if (keeper->watched && hears_that_it_stays(keeper))
			fd_close(&keeper->socket);
		else
			reap_keeper(keeper, NULL, keeper->patience);
	}
	free(keeper);
}

void
keeper_kill(struct keeper *keeper)
{
	if (keeper->pid > 0)
		reap_keeper(keeper, NULL, KEEPER_KILL_PATIENCE);
	free(keeper);
}
