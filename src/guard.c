#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lend.h"
#include "util.h"

/*
 * make must not hear of our death before the token is back: it would start one job too many, or
 * exit at once and count one token too many. So the guard traces us, ptrace(2): then the kernel
 * tells our parent that we have ended only when the guard lets go. Where that is not allowed, a
 * make that exits in the very moment of our death may still complain.
 *
 * Who was killed can no longer tell how far it got; the shared memory can, since the guard writes
 * it right before it gives the token and right after it has it back.
 */
enum { HELD, LENT };

/* On the socket: the guard may begin; it is asked for the token; and the end of either process. */
enum { BEGIN = 'b', ASK = 'a' };

/* What make itself writes. */
enum { TOKEN = '+' };

/* Milliseconds that a helper which goes stays for its token, at most twice. */
enum { CLOSE_PATIENCE = 20 };

/* And that make may have to wait for us after our death: the token might never come. */
enum { HOLD_MAX = 60000 };

/* Only one can trace us, and LeakSanitizer does when we exit. */
#ifdef __SANITIZE_ADDRESS__
enum { MAY_TRACE = 0 };
#else
enum { MAY_TRACE = 1 };
#endif

struct lend {
	struct jobserver *jobserver;
	_Atomic int *state; /* shared with the guard */
	int socket;
	pid_t guard;
	bool asked, back;
	bool alone; /* the guard was killed while the token was lent */
};

struct guard {
	struct jobserver *jobserver;
	_Atomic int *state;
	int socket, signals;
	pid_t helper;
	bool wanted, dead; /* the token is wanted back; by a helper that is dead */
};

/* Who hears it no more is dead, and that shows. */
static void
say(int socket, char word)
{
	(void)!send(socket, &word, 1, MSG_NOSIGNAL);
}

/* 0 at the end, -1 when there is nothing to hear yet. */
static int
hear(int socket, int flags)
{
	unsigned char word;
	ssize_t n;

	do
		n = recv(socket, &word, 1, flags);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return word;
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
}

/* A signal that it does not block stops a traced process: it goes on as if nobody looked. */
static void
pass_signals_on(const struct guard *guard)
{
	struct signalfd_siginfo ours;
	siginfo_t info = { 0 };

	while (read(guard->signals, &ours, sizeof(ours)) > 0)
		;
	while (waitid(P_PID, (id_t)guard->helper, &info, WSTOPPED | WNOHANG | __WALL) == 0 &&
	       info.si_pid == guard->helper) {
		int signal = info.si_status & 0xff, event = info.si_status >> 8;

		if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
			ptrace(PTRACE_LISTEN, guard->helper, NULL, NULL);
		else
			ptrace(PTRACE_CONT, guard->helper, NULL, event ? 0L : (long)signal);
		info.si_pid = 0;
	}
}

/*
 * Only when it is asked for the guard looks for a token, lest it takes what others could use. False
 * when no token will come any more.
 */
static bool
take_back(struct guard *guard)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = guard->signals, .events = POLLIN },
			{ .fd = guard->dead ? -1 : guard->socket, .events = POLLIN },
			{ .fd = guard->wanted ? jobserver_fd(guard->jobserver) : -1,
			    .events = POLLIN },
		};

		if (guard->wanted && jobserver_take(guard->jobserver) >= 0)
			return true;
		/* Waiting for one that is traced and dead tells its parent. */
		if (poll(fds, countof(fds), guard->dead ? HOLD_MAX : -1) == 0)
			waitpid(guard->helper, NULL, WNOHANG | __WALL);
		if (fds[0].revents)
			pass_signals_on(guard);
		if (fds[1].revents) {
			guard->wanted = true;
			guard->dead = hear(guard->socket, MSG_DONTWAIT) == 0;
		}
		if ((fds[2].revents & POLLHUP) && !(fds[2].revents & POLLIN))
			return false;
	}
}

/*
 * Locks end with their last descriptor, and so do the pipes that people read our output from. And
 * make's: when it exits it waits for the last one who could give, and we wait for it to go.
 */
static void
close_all_but(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

/* In a session of its own, so that what is aimed at the helper's group misses it. */
static _Noreturn void
be_guard(struct guard *guard)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	setsid();
	prctl(PR_SET_NAME, "noxmk-guard");
	(void)!chdir("/");
	/* Nothing is lent for one who is dead already, and whose parent may know. */
	if (hear(guard->socket, 0) != BEGIN ||
	    ((!MAY_TRACE || ptrace(PTRACE_SEIZE, guard->helper, NULL, NULL) < 0) &&
		getppid() != guard->helper))
		_exit(0);
	*guard->state = LENT;
	if (jobserver_give(guard->jobserver, TOKEN)) {
		close_all_but(jobserver_fd(guard->jobserver), guard->socket);
		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		guard->signals = signalfd(-1, &set, SFD_NONBLOCK);
		if (!take_back(guard))
			_exit(0);
	}
	*guard->state = HELD;
	_exit(0);
}

struct lend *
lend_open(struct jobserver *jobserver)
{
	struct guard guard = { .jobserver = jobserver, .helper = getpid(), .signals = -1 };
	struct lend *lend;
	int ends[2];
	pid_t pid = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	guard.state = mmap(NULL, sizeof(*guard.state), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	guard.socket = ends[1];
	if (guard.state != MAP_FAILED && (pid = fork()) == 0) {
		close(ends[0]);
		be_guard(&guard);
	}
	close(ends[1]);
	if (pid < 0) {
		if (guard.state != MAP_FAILED)
			munmap(guard.state, sizeof(*guard.state));
		close(ends[0]);
		return NULL;
	}
	/* Some systems let nobody trace his parent unless the parent has named him. */
	prctl(PR_SET_PTRACER, pid);
	say(ends[0], BEGIN);
	lend = xcalloc(1, sizeof(*lend));
	*lend = (struct lend){ .jobserver = jobserver, .state = guard.state, .socket = ends[0],
		.guard = pid };
	return lend;
}

/* In time for a make that exits right after us: a token that lies there is back before we go. */
void
lend_close(struct lend *lend)
{
	if (!lend)
		return;
	for (int i = 0; i < 2 && !lend_take(lend); i++) {
		struct pollfd fd = { .fd = lend_fd(lend), .events = POLLIN };

		poll(&fd, 1, CLOSE_PATIENCE);
	}
	close(lend->socket);
	waitpid(lend->guard, NULL, lend->back && !lend->alone ? 0 : WNOHANG);
	munmap(lend->state, sizeof(*lend->state));
	free(lend);
}

/* Without the guard we do its work. */
bool
lend_take(struct lend *lend)
{
	if (!lend->asked)
		say(lend->socket, ASK);
	lend->asked = true;
	if (!lend->back && !lend->alone && hear(lend->socket, MSG_DONTWAIT) == 0) {
		lend->alone = *lend->state == LENT;
		lend->back = !lend->alone;
	}
	if (!lend->back && lend->alone)
		lend->back = jobserver_take(lend->jobserver) >= 0;
	return lend->back;
}

int
lend_fd(const struct lend *lend)
{
	return lend->alone ? jobserver_fd(lend->jobserver) : lend->socket;
}
