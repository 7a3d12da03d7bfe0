#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sig.h"
#include "base/spawn.h"
#include "base/util.h"

/*
 * posix_spawn(3) and not fork: glibc runs exec in a vfork-like child, so a big helper costs no more
 * than a small one, and it hands back the errno of a failed exec. nox resets a SIGINT it inherits
 * as ignored (a shell's `&`) to nothing, so all signals go back to their defaults. A session of its
 * own, not only a group: what asks at the terminal then fails at once, where a background group
 * would be stopped by SIGTTIN for ever.
 */
static pid_t
start(char *const argv[], char *const envp[], const struct spawn_files *f, bool own_group)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t pid;
	int error;

	sigfillset(&defaults);
	sigdelset(&defaults, SIGKILL);
	sigdelset(&defaults, SIGSTOP);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						  (own_group ? POSIX_SPAWN_SETSID : 0));
	posix_spawnattr_setsigmask(&attributes, sig_original_mask());
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawn_file_actions_init(&files);
	if (f->in < 0)
		posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, f->in, 0);
	posix_spawn_file_actions_adddup2(&files, f->out, 1);
	posix_spawn_file_actions_adddup2(&files, f->err, 2);
	if (f->more >= 0)
		posix_spawn_file_actions_adddup2(&files, f->more, 3);
	/* The others are not ours to hand on: a daemon would keep make's pipe open. */
	posix_spawn_file_actions_addclosefrom_np(&files, f->more < 0 ? 3 : 4);
	error = posix_spawnp(&pid, argv[0], &files, &attributes, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	if (error) {
		errno = error;
		return -1;
	}
	return pid;
}

pid_t
spawn(char *const argv[], char *const envp[], int out, int err, bool own_group)
{
	const struct spawn_files files = { .in = -1, .out = out, .err = err, .more = -1 };

	return start(argv, envp, &files, own_group);
}

pid_t
spawn_with(char *const argv[], char *const envp[], const struct spawn_files *files)
{
	return start(argv, envp, files, false);
}

/* Also when it is that number already, which is closed on exec else. */
static bool
give(int fd, int number)
{
	return fd == number ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, number) >= 0;
}

void
spawn_become(char *const argv[], char *const envp[], const struct spawn_files *files)
{
	int in = files->in < 0 ? open("/dev/null", O_RDONLY) : files->in;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	if (in < 0 || !give(in, 0) || !give(files->out, 1) || !give(files->err, 2) ||
	    (files->more >= 0 && !give(files->more, 3)))
		return;
	closefrom(files->more < 0 ? 3 : 4);
	sigprocmask(SIG_SETMASK, sig_original_mask(), NULL);
	execvpe(argv[0], argv, envp);
}

int
spawn_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
spawn_wait(pid_t pid)
{
	pid_t ended;
	int status;

	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return -1;
	return spawn_code(status);
}

/* A child that has ended, and that nobody has waited for, takes signals, too. */
static void
pass_on(pid_t pid, int signals, int *stop)
{
	bool terminals;
	int signal;

	while ((signal = sig_next_of(signals, &terminals))) {
		if (signal == SIGTSTP) {
			raise(SIGSTOP);
		} else if (signal != SIGCHLD && signal != SIGUSR1) {
			if (!terminals)
				kill(pid, signal);
			*stop = signal;
		}
	}
}

int
spawn_wait_stopping(pid_t pid, int signals, int *stop)
{
	struct pollfd waiting = { .fd = signals, .events = POLLIN };
	pid_t ended;
	int status;

	*stop = 0;
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
		poll(&waiting, 1, -1);
		pass_on(pid, signals, stop);
	}
	return ended < 0 ? -1 : spawn_code(status);
}

char *
spawn_status(int status)
{
	if (WIFSIGNALED(status))
		return xasprintf("killed by signal %d", WTERMSIG(status));
	return xasprintf("exited with status %d", WEXITSTATUS(status));
}

int
spawn_capture(char *const argv[], char *const envp[], bool with_errors, struct buffer *out)
{
	int file = memfd_create("noxmk", MFD_CLOEXEC);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = spawn(argv, envp, file, with_errors ? file : null, false);
	int error = errno, code = pid > 0 ? spawn_wait(pid) : -1;

	fd_read_file(file, out);
	fd_close(&null);
	fd_close(&file);
	if (pid <= 0)
		errno = error;
	return code;
}
