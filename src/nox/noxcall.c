#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/keeper.h"
#include "base/parent.h"
#include "base/process.h"
#include "base/sig.h"
#include "base/spawn.h"
#include "nox/env.h"
#include "nox/noxcall.h"

/* Seconds for nox from INT to KILL, and for what it has left from TERM to KILL. */
#define GRACE 3.0
#define GRACE_OF_LEFTOVER 1.0

/* Two stops that are nearer to each other, in seconds, are one, from the terminal and from make. */
#define SAME_STOP 0.5

/* Milliseconds between two looks whether make is told to end: it may not tell us. */
enum { CHECK_EVERY = 500 };

/* Milliseconds between two rounds of killing, and their number: some processes cannot die. */
enum { KILL_AGAIN = 5, ROUNDS = 200 };

struct call {
	struct keeper *keeper;
	int signals;
	struct parent parent;
	bool has_make;         /* the parent is one, as it says */
	struct indices before; /* pids of our children that are none of nox's */
	int stopped;           /* the signal that we were told to end by, or 0 */
	double stopped_at;     /* monotonic */
};

/* Nobody may go on without nox, and none of it without us: ^Z is for all. */
static void
suspend(const struct call *call)
{
	keeper_signal_all(call->keeper, SIGSTOP);
	raise(SIGSTOP);
	keeper_signal_all(call->keeper, SIGCONT);
}

static int
next_stop(const struct call *call)
{
	int signal;

	/* USR1 asks what runs: nothing yet. */
	while ((signal = sig_next(call->signals)) == SIGCHLD || signal == SIGUSR1)
		;
	if (signal == 0 && call->stopped == 0 && call->has_make)
		signal = parent_stopped_by(&call->parent);
	return signal == SIGKILL ? SIGTERM : signal;
}

/* Until nox has ended by itself, or has to be killed. False then. */
static bool
wait_for_end(struct call *call, struct keeper_end *end)
{
	while (!keeper_has_ended(call->keeper, end)) {
		struct pollfd fds[] = { { .fd = call->signals, .events = POLLIN },
			{ .fd = keeper_fd(call->keeper), .events = POLLIN } };
		double deadline = call->stopped != 0 ? call->stopped_at + GRACE : 0;
		int signal;

		poll(fds, countof(fds), clock_until(deadline, CHECK_EVERY));
		process_wake_children();
		signal = next_stop(call);
		if (signal == SIGTSTP) {
			suspend(call);
		} else if (signal != 0 && call->stopped == 0) {
			call->stopped = signal;
			call->stopped_at = clock_monotonic();
			keeper_signal(call->keeper, signal);
		} else if (call->stopped != 0) {
			double since = clock_monotonic() - call->stopped_at;

			if (since >= GRACE || (signal != 0 && since >= SAME_STOP))
				return false;
		}
	}
	return true;
}

/* What the noxfile has started is ended with it, TERM first. */
static void
end_leftover(struct call *call)
{
	double deadline = clock_monotonic() + GRACE_OF_LEFTOVER;
	struct pollfd fd = { .fd = keeper_fd(call->keeper), .events = POLLIN };
	struct indices children = { 0 };
	char *name;

	process_children(keeper_pid(call->keeper), &children);
	if (children.n > 0) {
		name = process_name((pid_t)children.v[0]);
		warnx("nox has left a process running, which is ended: %.200s (pid %zu)", name,
		    children.v[0]);
		free(name);
	}
	free(children.v);
	keeper_signal_all(call->keeper, SIGTERM);
	keeper_signal_all(call->keeper, SIGCONT);
	while (keeper_has_left(call->keeper) && clock_monotonic() < deadline)
		poll(&fd, 1, clock_until(deadline, -1));
}

/*
 * The keeper was killed, and what it kept is ours, as this process is a subreaper, too. Other
 * children are a helper's that plans.
 */
static void
kill_orphans(const struct call *call)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct indices children = { 0 };
		bool found = false;

		process_children(getpid(), &children);
		for (size_t k = 0; k < children.n; k++) {
			if (indices_has(&call->before, children.v[k]))
				continue;
			found = true;
			kill((pid_t)children.v[k], SIGKILL);
			waitpid((pid_t)children.v[k], NULL, WNOHANG);
		}
		free(children.v);
		if (!found)
			return;
		poll(NULL, 0, KILL_AGAIN);
	}
}

/* Returns as nox_call. What told us to end is pending again, for whoever called us. */
static int
hear_out(struct call *call)
{
	struct keeper_end end = { 0 };
	bool ended = wait_for_end(call, &end);

	if (ended && call->stopped == 0 && keeper_has_left(call->keeper))
		end_leftover(call);
	if (keeper_pid(call->keeper) == 0)
		kill_orphans(call);
	keeper_kill(call->keeper);
	if (call->stopped == 0)
		return spawn_code(end.status);
	kill(getpid(), call->stopped);
	return NOXCALL_STOPPED;
}

int
nox_call(const struct strings *nox, const char *const *arguments, const char *const *extra,
    int out)
{
	struct call call = { .parent = parent_open(), .has_make = getenv("MAKELEVEL") != NULL,
		.signals = sig_open() };
	struct strings argv = { 0 };
	char **envp = env_for_plan(extra);
	int code = -1;

	for (size_t i = 0; i < nox->n; i++)
		strings_add(&argv, nox->v[i]);
	for (; *arguments; arguments++)
		strings_add(&argv, *arguments);
	strings_add(&argv, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	process_children(getpid(), &call.before);
	call.keeper = keeper_start(&(struct keeper_task){ .argv = (char **)argv.v, .envp = envp,
	    .out = out, .err = STDERR_FILENO, .more = -1 });
	if (call.keeper)
		code = hear_out(&call);
	else
		warn("cannot run nox (NOX='%s'): install it, or set NOX to its command",
		    argv.v[0]);
	sig_close(call.signals);
	free(call.before.v);
	free(argv.v);
	free(envp);
	return code;
}
