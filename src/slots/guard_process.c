#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/guard_process.h"

/*
 * make must not hear of the helper's death before the balance is 0: it would start one job too
 * many, or exit at once and miscount its tokens. So the guard traces the helper, ptrace(2): then
 * the kernel tells the helper's parent of its end only when the guard lets go. Where that is not
 * allowed, a make that exits in the very moment of the helper's death may still complain.
 *
 * A process has one tracer, and LeakSanitizer is that when the helper exits.
 */
#ifdef __SANITIZE_ADDRESS__
enum { MAY_TRACE = 0 };
#else
enum { MAY_TRACE = 1 };
#endif

/*
 * Milliseconds between two looks for several tokens: while another guard takes several, and, where
 * each new token wakes us, for what nobody has thought of.
 */
enum { BUSY_TICK = 20, WATCHED_TICK = 1000 };

/*
 * Milliseconds that make may have to wait for the end of a helper that has died with its slot lent:
 * the token might never come.
 */
enum { HOLD_MAX = 60000 };

struct guard_process {
	struct balance *balance;
	struct jobserver *jobserver;
	pid_t helper;
	int signals; /* a signalfd of SIGCHLD: a traced process has stopped */
	int tokens;  /* readable after each token that is given back; -1 until several are wanted */
};

/* A signal that the helper does not block stops it, since it is traced: it is made to go on. */
static void
pass_signals_on(const struct guard_process *guard)
{
	struct signalfd_siginfo ours;
	siginfo_t info = { 0 };

	while (read(guard->signals, &ours, sizeof(ours)) > 0)
		;
	while (waitid(P_PID, (id_t)guard->helper, &info, WSTOPPED | WNOHANG | __WALL) == 0 &&
	       info.si_pid == guard->helper) {
		int signal = info.si_status & 0xff, event = info.si_status >> 8;

		/* A helper that stops, as of ^Z, stays so until its SIGCONT. */
		if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
			ptrace(PTRACE_LISTEN, guard->helper, NULL, NULL);
		else
			ptrace(PTRACE_CONT, guard->helper, NULL, event ? 0L : (long)signal);
		info.si_pid = 0;
	}
}

/*
 * What tells that tokens have come when several are wanted: poll(2) would tell of one for ever,
 * while an edge of epoll(7) comes with each that is written.
 */
static int
watch_tokens(struct guard_process *guard)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (guard->tokens < 0) {
		guard->tokens = epoll_create1(EPOLL_CLOEXEC);
		epoll_ctl(guard->tokens, EPOLL_CTL_ADD, jobserver_fd(guard->jobserver), &event);
	}
	return guard->tokens;
}

/* Milliseconds until the next look at the tokens, of which several are wanted. */
static int
tick_for_several(const struct guard_process *guard)
{
	return balance_is_busy(guard->balance) || guard->tokens < 0 ? BUSY_TICK : WATCHED_TICK;
}

/*
 * Does what the helper asks for, until it ends. Tokens are looked for only while it wants some:
 * others could use them.
 */
static void
serve(struct guard_process *guard)
{
	for (;;) {
		bool wanting = !balance_is_reached(guard->balance), several;
		struct epoll_event unused;
		struct pollfd fds[3];

		if (wanting && balance_settle(guard->balance)) {
			balance_send(guard->balance, NEWS);
			continue;
		}
		several = wanting && balance_lacks_several(guard->balance);
		fds[0] = (struct pollfd){ .fd = guard->signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = balance_fd(guard->balance), .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (wanting)
			fds[2].fd = several ? watch_tokens(guard) :
					      jobserver_fd(guard->jobserver);
		poll(fds, countof(fds), several ? tick_for_several(guard) : -1);
		if (several && fds[2].revents)
			epoll_wait(guard->tokens, &unused, 1, 0);
		if (fds[0].revents)
			pass_signals_on(guard);
		if (fds[1].revents && !balance_drain(guard->balance))
			return;
	}
}

/*
 * The helper is dead. The tokens that it took go back at once. The one that it has lent comes back,
 * unless nobody is left who could bring it: make itself, when it exits, waits for the last process
 * that could give one, so we must not be that.
 */
static void
clear_up(struct guard_process *guard)
{
	struct pollfd fd = { .fd = jobserver_fd(guard->jobserver), .events = POLLIN };

	balance_give_down_to(guard->balance, 0);
	jobserver_stop_giving(guard->jobserver);
	while (balance_count(guard->balance) < 0) {
		if (balance_take(guard->balance))
			continue;
		/* To wait for a traced process that is dead tells its parent of the death. */
		if (poll(&fd, 1, HOLD_MAX) == 0)
			waitpid(guard->helper, NULL, WNOHANG | __WALL);
		if ((fd.revents & POLLHUP) && !(fd.revents & POLLIN))
			return;
	}
}

/*
 * A lock of the helper's ends with its last descriptor, and so does a pipe that somebody reads its
 * output from: the guard, which may live longer, keeps none of them.
 */
static void
close_all_but(int a, int b, int c, int d)
{
	int kept[] = { a, b, c, d };
	unsigned from = 0;

	for (size_t left = countof(kept); left > 0; left--) {
		size_t least = 0;
		int fd;

		for (size_t i = 1; i < left; i++)
			if (kept[i] < kept[least])
				least = i;
		fd = kept[least];
		kept[least] = kept[left - 1];
		if (fd < 0)
			continue;
		if ((unsigned)fd > from)
			close_range(from, (unsigned)fd - 1, 0);
		from = (unsigned)fd + 1;
	}
	close_range(from, ~0U, 0);
}

/*
 * False when the helper has ended before it was traced. Then its parent may know that, and no token
 * was moved for it yet.
 */
static bool
helper_is_there(const struct guard_process *guard)
{
	return (MAY_TRACE && ptrace(PTRACE_SEIZE, guard->helper, NULL, NULL) == 0) ||
	       getppid() == guard->helper;
}

void
guard_process_run(struct balance *balance, struct jobserver *jobserver, pid_t helper)
{
	struct guard_process guard = { .balance = balance, .jobserver = jobserver,
		.helper = helper, .tokens = -1 };
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	/* A session of its own, so that a signal to the helper's group misses the guard. */
	setsid();
	prctl(PR_SET_NAME, "noxmk-guard");
	(void)!chdir("/");
	if (!balance_await_begin(balance) || !helper_is_there(&guard))
		_exit(0);
	close_all_but(balance_fd(balance), balance_ledger_fd(balance), jobserver_fd(jobserver),
	    jobserver_give_fd(jobserver));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	guard.signals = signalfd(-1, &set, SFD_NONBLOCK);
	serve(&guard);
	clear_up(&guard);
	_exit(0);
}
