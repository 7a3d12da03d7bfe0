#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "slots/guard.h"

/*
 * make must not hear of our death before the balance is 0: it would start one job too many, or exit
 * at once and miscount its tokens. So the guard traces us, ptrace(2): then the kernel tells our
 * parent that we have ended only when the guard lets go. Where that is not allowed, a make that
 * exits in the very moment of our death may still complain.
 */

/* On the socket: the guard may begin; there is something new to look at; and the end of either. */
enum { BEGIN = 'b', NEWS = 'n' };

/* What make itself writes. */
enum { TOKEN = '+' };

/* Milliseconds after which one who wants several tokens looks again: poll(2) tells of one. */
enum { TICK = 20 };

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

/*
 * Who was killed can no longer tell how far it got. This can: the balance here changes right before
 * a token is given and right after one is taken.
 */
struct shared {
	_Atomic int balance, least, most;
	_Atomic unsigned asked, done; /* how often the helper has asked, and what was reached */
};

/* The helper's view of its guard, or the guard's of itself. */
struct guard {
	struct jobserver *jobserver;
	struct shared *shared;
	int socket;
	pid_t helper, pid; /* pid: of the guard */
	bool gone;         /* the other one is */
	int signals;       /* the guard's signalfd */
};

/* Who hears it no more is dead, and that shows. */
static void
say(int socket, char word)
{
	(void)!send(socket, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
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

/* False at the end. */
static bool
hear_all(int socket)
{
	int word;

	while ((word = hear(socket, MSG_DONTWAIT)) > 0)
		;
	return word < 0;
}

/* Ends early when nobody is left who could take a token. */
static void
give_down_to(struct guard *guard, int most)
{
	while (guard->shared->balance > most) {
		guard->shared->balance--;
		if (!jobserver_give(guard->jobserver, TOKEN)) {
			guard->shared->balance++;
			return;
		}
	}
}

/*
 * As many as there are, but none if these are too few. Those who want several try one after the
 * other, else two of them might for ever keep half of it from each other.
 */
static void
take_up_to(struct guard *guard, int least, int most)
{
	int before = guard->shared->balance, fd = jobserver_fd(guard->jobserver), there = 0;
	bool several = least - before > 1;

	if (several && (ioctl(fd, FIONREAD, &there) < 0 || there < least - before ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0))
		return;
	while (guard->shared->balance < most && jobserver_take(guard->jobserver) >= 0)
		guard->shared->balance++;
	if (guard->shared->balance < least)
		give_down_to(guard, before);
	if (several)
		flock(fd, LOCK_UN);
}

/* Is the balance what is wanted? */
static bool
settle(struct guard *guard)
{
	unsigned asked = guard->shared->asked;
	int least = guard->shared->least, most = guard->shared->most;

	give_down_to(guard, most);
	if (guard->shared->balance < most)
		take_up_to(guard, least, most);
	if (guard->shared->balance < least) {
		/* Who waits keeps nothing. */
		give_down_to(guard, -1);
		return false;
	}
	guard->shared->done = asked;
	return true;
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

/* While the helper lives. A token is looked for only when it asks: others could use it. */
static void
serve(struct guard *guard)
{
	const struct shared *shared = guard->shared;

	for (;;) {
		bool wanting = shared->done != shared->asked, several;
		struct pollfd fds[3];

		if (wanting && settle(guard)) {
			say(guard->socket, NEWS);
			continue;
		}
		several = wanting && shared->least - shared->balance > 1;
		fds[0] = (struct pollfd){ .fd = guard->signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = guard->socket, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = wanting && !several ?
						    jobserver_fd(guard->jobserver) : -1,
			.events = POLLIN };
		poll(fds, countof(fds), several ? TICK : -1);
		if (fds[0].revents)
			pass_signals_on(guard);
		if (fds[1].revents && !hear_all(guard->socket))
			return;
	}
}

/*
 * The helper is dead. What it took goes back at once; what it has lent comes back, or nobody is
 * left who could bring it: make itself, when it exits, waits for the last one who could give.
 */
static void
clear_up(struct guard *guard)
{
	struct pollfd fd = { .fd = jobserver_fd(guard->jobserver), .events = POLLIN };

	give_down_to(guard, 0);
	jobserver_stop_giving(guard->jobserver);
	while (guard->shared->balance < 0) {
		if (jobserver_take(guard->jobserver) >= 0) {
			guard->shared->balance++;
			continue;
		}
		/* Waiting for one that is traced and dead tells its parent. */
		if (poll(&fd, 1, HOLD_MAX) == 0)
			waitpid(guard->helper, NULL, WNOHANG | __WALL);
		if ((fd.revents & POLLHUP) && !(fd.revents & POLLIN))
			return;
	}
}

/* Locks end with their last descriptor, and so do the pipes that people read our output from. */
static void
close_all_but(int a, int b, int c)
{
	int kept[] = { a, b, c };
	unsigned from = 0;

	for (size_t left = countof(kept); left > 0; left--) {
		size_t least = 0;
		int fd;

		for (size_t i = 1; i < left; i++)
			if (kept[i] < kept[least])
				least = i;
		fd = kept[least];
		kept[least] = kept[left - 1];
		if ((unsigned)fd > from)
			close_range(from, (unsigned)fd - 1, 0);
		from = (unsigned)fd + 1;
	}
	close_range(from, ~0U, 0);
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
	/* Nothing is done for one who is dead already, and whose parent may know. */
	if (hear(guard->socket, 0) != BEGIN ||
	    ((!MAY_TRACE || ptrace(PTRACE_SEIZE, guard->helper, NULL, NULL) < 0) &&
		getppid() != guard->helper))
		_exit(0);
	close_all_but(guard->socket, jobserver_fd(guard->jobserver),
	    jobserver_give_fd(guard->jobserver));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	guard->signals = signalfd(-1, &set, SFD_NONBLOCK);
	serve(guard);
	clear_up(guard);
	_exit(0);
}

struct guard *
guard_open(struct jobserver *jobserver)
{
	struct guard *guard = xcalloc(1, sizeof(*guard));
	int ends[2];

	*guard = (struct guard){ .jobserver = jobserver, .helper = getpid(), .pid = -1,
		.signals = -1 };
	guard->shared = mmap(NULL, sizeof(*guard->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guard->shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    ends) < 0) {
		if (guard->shared != MAP_FAILED)
			munmap(guard->shared, sizeof(*guard->shared));
		free(guard);
		return NULL;
	}
	guard->pid = fork();
	guard->socket = ends[guard->pid == 0];
	close(ends[guard->pid != 0]);
	if (guard->pid == 0)
		be_guard(guard);
	if (guard->pid < 0) {
		guard->gone = true;
		guard_close(guard);
		return NULL;
	}
	/* Some systems let nobody trace his parent unless the parent has named him. */
	prctl(PR_SET_PTRACER, guard->pid);
	say(guard->socket, BEGIN);
	return guard;
}

void
guard_forked(struct guard *guard)
{
	close(guard->socket);
}

void
guard_ask(struct guard *guard, int least, int most)
{
	guard->shared->least = least;
	guard->shared->most = most;
	guard->shared->asked++;
	say(guard->socket, NEWS);
}

/* Without the guard we do its work. */
bool
guard_try(struct guard *guard)
{
	if (!guard->gone && !hear_all(guard->socket))
		guard->gone = true;
	return guard->shared->done == guard->shared->asked || (guard->gone && settle(guard));
}

/* Without the guard nobody but the clock can tell that there are several. */
int
guard_fd(const struct guard *guard)
{
	if (!guard->gone)
		return guard->socket;
	return guard->shared->least - guard->shared->balance > 1 ? -1 :
								   jobserver_fd(guard->jobserver);
}

int
guard_balance(const struct guard *guard)
{
	return guard->shared->balance;
}

/* In time for a make that exits right after us: a token that lies there is back before we go. */
void
guard_close(struct guard *guard)
{
	bool back = false;

	if (!guard)
		return;
	if (guard->shared->balance != 0)
		guard_ask(guard, 0, 0);
	for (int i = 0; i < 3 && !(back = guard_try(guard)) && i < 2; i++) {
		struct pollfd fd = { .fd = guard_fd(guard), .events = POLLIN };

		poll(&fd, 1, CLOSE_PATIENCE);
	}
	close(guard->socket);
	if (guard->pid > 0)
		waitpid(guard->pid, NULL, back && !guard->gone ? 0 : WNOHANG);
	munmap(guard->shared, sizeof(*guard->shared));
	free(guard);
}
