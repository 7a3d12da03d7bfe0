#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "slots/balance.h"
#include "slots/guard.h"
#include "slots/guard_process.h"

/* Milliseconds that a helper which ends waits for its token, at most twice. */
enum { CLOSE_PATIENCE = 20 };

/* Milliseconds in which a guard that has nothing more to do ends: it may be stopped. */
enum { END_PATIENCE = 300 };

struct guard {
	struct balance *balance;
	const struct jobserver *jobserver;
	pid_t pid;
	bool gone; /* it was killed: we do its work */
};

struct guard *
guard_open(struct jobserver *jobserver, int folder)
{
	struct guard *guard;
	struct balance *balance = balance_open(jobserver, folder, false);
	pid_t helper = getpid(), pid = balance ? fork() : -1;

	if (pid < 0) {
		balance_close(balance);
		return NULL;
	}
	balance_join(balance, pid == 0 ? GUARD : HELPER);
	if (pid == 0)
		guard_process_run(balance, jobserver, helper);
	guard = xcalloc(1, sizeof(*guard));
	*guard = (struct guard){ .balance = balance, .jobserver = jobserver, .pid = pid };
	/* Some systems let nobody trace his parent unless the parent has named him. */
	prctl(PR_SET_PTRACER, pid);
	balance_send(balance, BEGIN);
	return guard;
}

void
guard_mend(struct jobserver *jobserver, int folder, int milliseconds)
{
	struct pollfd fd = { .fd = jobserver_fd(jobserver), .events = POLLIN };
	struct balance *balance;
	bool back = true;

	while (back && (balance = balance_open(jobserver, folder, true))) {
		balance_ask(balance, 0, 0);
		back = balance_settle(balance) ||
		       (poll(&fd, 1, milliseconds) > 0 && balance_settle(balance));
		balance_close(balance);
	}
}

void
guard_forked(struct guard *guard)
{
	balance_leave(guard->balance);
}

void
guard_ask(struct guard *guard, int least, int most)
{
	balance_ask(guard->balance, least, most);
}

bool
guard_try(struct guard *guard)
{
	if (!guard->gone && !balance_drain(guard->balance))
		guard->gone = true;
	return balance_is_reached(guard->balance) ||
	       (guard->gone && balance_settle(guard->balance));
}

/* Without the guard nothing but the clock can tell that there are several tokens. */
int
guard_fd(const struct guard *guard)
{
	if (!guard->gone)
		return balance_fd(guard->balance);
	return balance_lacks_several(guard->balance) ? -1 : jobserver_fd(guard->jobserver);
}

int
guard_balance(const struct guard *guard)
{
	return balance_count(guard->balance);
}

pid_t
guard_pid(const struct guard *guard)
{
	return guard->pid;
}

/* make may exit right after us. So a token that is free now is taken back before we end. */
void
guard_close(struct guard *guard)
{
	bool back;

	if (!guard)
		return;
	if (guard_balance(guard) != 0)
		guard_ask(guard, 0, 0);
	back = guard_try(guard);
	for (int waits = 0; !back && waits < 2; waits++) {
		struct pollfd fd = { .fd = guard_fd(guard), .events = POLLIN };

		poll(&fd, 1, CLOSE_PATIENCE);
		back = guard_try(guard);
	}
	balance_leave(guard->balance);
	if (back && !guard->gone)
		process_end_child(guard->pid, NULL, END_PATIENCE);
	else
		waitpid(guard->pid, NULL, WNOHANG);
	balance_close(guard->balance);
	free(guard);
}
