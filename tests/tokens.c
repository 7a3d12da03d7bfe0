#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "tokens.h"

struct make
make_with(int tokens)
{
	struct make make;

	ck_assert_int_eq(pipe2(make.ends, O_CLOEXEC), 0);
	for (int i = 0; i < tokens; i++)
		ck_assert_int_eq(write(make.ends[1], "+", 1), 1);
	make.auth = xasprintf("%d,%d", make.ends[0], make.ends[1]);
	make.flags = xasprintf(" -j --jobserver-auth=%s", make.auth);
	return make;
}

int
tokens_in(const struct make *make)
{
	int n = -1;

	ioctl(make->ends[0], FIONREAD, &n);
	return n;
}

void
await_tokens(const struct make *make, int n)
{
	for (int i = 0; i < 100000 && tokens_in(make) != n; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(tokens_in(make), n);
}

void
make_gone(struct make *make)
{
	close(make->ends[0]);
	close(make->ends[1]);
	free(make->flags);
	free(make->auth);
}

pid_t
only_child(pid_t parent)
{
	char *path = xasprintf("/proc/%d/task/%d/children", (int)parent, (int)parent);
	char *text = file_get(path);
	pid_t child = (pid_t)strtol(text, NULL, 10);

	free(text);
	free(path);
	return child;
}

bool
may_trace(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	pid_t parent = getpid(), pid;
	int status;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	pid = fork();
	if (pid == 0)
		_exit(ptrace(PTRACE_SEIZE, parent, NULL, NULL) < 0);
	return waitpid(pid, &status, 0) == pid && status == 0;
#endif
}
