#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "trace/filter.h"
#include "trace/stops.h"

/* Not PTRACE_O_EXITKILL: a session does not end because nobody looks at it any more. */
#define OPTIONS                                                                              \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |                \
	    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

/* What PTRACE_O_TRACESYSGOOD has a stop at a call be. */
enum { CALL_STOP = SIGTRAP | 0x80 };

/* A bit in the numbers of x32's calls, whose architecture is that of others. */
enum { X32 = 0x40000000 };

static void
go_on(const struct stops *stops, pid_t pid, int signal)
{
	ptrace(stops->tells && !stops->filters ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL,
	    (void *)(intptr_t)signal);
}

bool
stops_let_go(void *data)
{
	struct stops *stops = data;
	pid_t pid = stops->held;

	stops->held = 0;
	return ptrace(stops->filters ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, NULL) == 0;
}

bool
stops_wait(void *data)
{
	const struct stops *stops = data;
	unsigned long unused;

	return ptrace(PTRACE_GETEVENTMSG, stops->held, NULL, &unused) == 0;
}

/* The call before which that thread has stopped. False if it is after one, or of none of ours. */
static bool
read_call(pid_t pid, struct made *made)
{
	struct __ptrace_syscall_info info = { 0 };
	const uint64_t *arguments = info.entry.args;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
		return false;
	*made = (struct made){ .pid = pid, .arch = info.arch, .number = (int)info.entry.nr };
	if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
		made->number = (int)info.seccomp.nr;
		arguments = info.seccomp.args;
	} else if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
		return false;
	}
	for (size_t i = 0; i < countof(made->arguments); i++)
		made->arguments[i] = arguments[i];
	/* What io_uring does nobody sees, and only a filter can refuse it. */
	return info.op == PTRACE_SYSCALL_INFO_SECCOMP || info.arch != seccomp_arch_native() ||
	       made->number & X32 || made->number == SCMP_SYS(io_uring_setup) ||
	       call_is_told(made->number, made->arguments);
}

/* Linux 5.3 does. */
static bool
tells_of_calls(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0;
}

static void
take_call(struct stops *stops, pid_t pid)
{
	struct made made;

	stops->held = pid;
	if (stops->witness && read_call(pid, &made))
		witness_take(stops->witness, &made);
	if (stops->held)
		(void)stops_let_go(stops);
}

static bool
stops_processes(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

void
stops_take(struct stops *stops, pid_t pid, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (event == PTRACE_EVENT_SECCOMP || (event == 0 && signal == CALL_STOP))
		take_call(stops, pid);
	else if (event == PTRACE_EVENT_STOP && stops_processes(signal))
		ptrace(PTRACE_LISTEN, pid, NULL, NULL); /* it is stopped until SIGCONT comes */
	else
		go_on(stops, pid, event == 0 ? signal : 0);
}

/*
 * What becomes the program stops twice, so that the other side knows when it is traced, and whether
 * the filter tells: that of the call in between. It ends by errno if that is all.
 */
static _Noreturn void
become(const struct keeper_task *task)
{
	int root;

	raise(SIGSTOP);
	(void)filter_install_stops();
	root = open("/", O_PATH | O_CLOEXEC);
	fd_close(&root);
	raise(SIGSTOP);
	keeper_become(task);
	_exit(errno);
}

static pid_t
give_up(pid_t pid, int error)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	errno = error;
	return -1;
}

/* Until it is the program. */
static pid_t
follow(struct stops *stops, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) == pid) {
		int event = WIFSTOPPED(status) ? status >> 16 : 0;

		if (!WIFSTOPPED(status)) {
			errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
			return -1;
		} else if (!stops->tells && event == PTRACE_EVENT_SECCOMP) {
			stops->filters = true;
			ptrace(PTRACE_CONT, pid, NULL, NULL);
		} else if (!stops->tells && event == 0 && WSTOPSIG(status) == SIGSTOP) {
			if (!tells_of_calls(pid))
				return give_up(pid, ENOSYS);
			stops->tells = true;
			go_on(stops, pid, 0);
		} else {
			stops_take(stops, pid, status);
		}
		if (event == PTRACE_EVENT_EXEC)
			return pid;
	}
	return -1;
}

pid_t
stops_begin(struct stops *stops, struct witness *witness, const struct keeper_task *task)
{
	pid_t pid = fork();
	int status;

	*stops = (struct stops){ .witness = witness };
	if (pid == 0)
		become(task);
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return -1;
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)OPTIONS) < 0)
		return give_up(pid, errno);
	kill(pid, SIGCONT);
	return follow(stops, pid);
}

void
stops_forget(struct stops *stops)
{
	stops->witness = NULL;
}

bool
stops_remain(struct stops *stops)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		if (WIFSTOPPED(status))
			stops_take(stops, pid, status);
	return pid == 0;
}
