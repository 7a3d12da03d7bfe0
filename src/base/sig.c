#include <err.h>
#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/sig.h"
#include "base/util.h"

static sigset_t original;
static unsigned opened; /* how often */

int
sig_open(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGUSR1,
		SIGCHLD };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(signals); i++) {
		struct sigaction old;

		/* A signal that we were told to ignore (nohup, a shell's `&`) stays ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN &&
		    signals[i] != SIGCHLD && signals[i] != SIGUSR1)
			continue;
		sigaddset(&set, signals[i]);
	}
	/* If our parent ignored SIGCHLD, the kernel would reap our children. */
	signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, opened++ > 0 ? NULL : &original) < 0 ||
	    (fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
		err(EXIT_HELPER, "signalfd");
	return fd;
}

void
sig_close(int fd)
{
	close(fd);
	if (--opened == 0)
		sigprocmask(SIG_SETMASK, &original, NULL);
}

int
sig_next_of(int fd, bool *terminals)
{
	struct signalfd_siginfo info;
	ssize_t n;

	do
		n = read(fd, &info, sizeof(info));
	while (n < 0 && errno == EINTR);
	*terminals = n == (ssize_t)sizeof(info) && info.ssi_code == SI_KERNEL;
	return n == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

int
sig_next(int fd)
{
	bool terminals;

	return sig_next_of(fd, &terminals);
}

bool
sig_stop_is_pending(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < countof(stops); i++)
		if (sigismember(&pending, stops[i]) == 1)
			return true;
	return false;
}

const sigset_t *
sig_original_mask(void)
{
	return &original;
}
