#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "trace/listener.h"

/* Milliseconds in which a thread that we have joined leaves the listener, too. */
enum { LAST_ONE = 20 };

/* Structures of the kernel's size, which may be newer than our headers. */
bool
listener_prepare(struct listener *listener)
{
	struct seccomp_notif_sizes sizes;

	*listener = (struct listener){ .fd = -1, .ends = { -1, -1 } };
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0 ||
	    sizes.seccomp_notif < sizeof(*listener->call) ||
	    sizes.seccomp_notif_resp < sizeof(*listener->answer) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, listener->ends) < 0)
		return false;
	listener->call_size = sizes.seccomp_notif;
	listener->answer_size = sizes.seccomp_notif_resp;
	listener->call = xcalloc(1, listener->call_size);
	listener->answer = xcalloc(1, listener->answer_size);
	return true;
}

/* Room for one descriptor in a message. */
union room {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr aligned;
};

void
listener_lay_down(const struct listener *listener)
{
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union room room = { 0 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &room,
		.msg_controllen = sizeof(room) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &listener->fd, sizeof(int));
	(void)!sendmsg(listener->ends[1], &message, MSG_DONTWAIT);
}

static void
pick_up(struct listener *listener)
{
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	union room room = { 0 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &room,
		.msg_controllen = sizeof(room) };
	const struct cmsghdr *part;

	if (recvmsg(listener->ends[0], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) > 0 &&
	    (part = CMSG_FIRSTHDR(&message)) && part->cmsg_type == SCM_RIGHTS)
		memcpy(&listener->fd, CMSG_DATA(part), sizeof(int));
}

bool
listener_receive(struct listener *listener)
{
	memset(listener->call, 0, listener->call_size);
	listener->waits = ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_RECV, listener->call) == 0;
	return listener->waits;
}

struct made
listener_call(const struct listener *listener)
{
	const struct seccomp_notif *call = listener->call;
	struct made made = { .pid = (pid_t)call->pid, .number = call->data.nr,
		.arch = call->data.arch };

	for (size_t i = 0; i < countof(made.arguments); i++)
		made.arguments[i] = call->data.args[i];
	return made;
}

bool
listener_let_go(struct listener *listener)
{
	memset(listener->answer, 0, listener->answer_size);
	listener->answer->id = listener->call->id;
	listener->answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	listener->waits = false;
	return ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_SEND, listener->answer) == 0;
}

bool
listener_is_used(const struct listener *listener)
{
	struct pollfd fd = { .fd = listener->fd };

	return fd.fd >= 0 && poll(&fd, 1, LAST_ONE) == 0;
}

bool
listener_waits(const struct listener *listener)
{
	return ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &listener->call->id) == 0;
}

/* In a process of its own, which keeps nothing else of ours: no pipe, no folder, no lock. */
static _Noreturn void
serve_the_left(struct listener *listener)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	prctl(PR_SET_NAME, "noxmk-tracer");
	setsid();
	if (dup2(listener->fd, STDIN_FILENO) < 0 || chdir("/") < 0)
		_exit(1);
	closefrom(STDIN_FILENO + 1);
	listener->fd = STDIN_FILENO;
	do {
		poll(&fd, 1, -1);
		if (fd.revents & POLLIN && listener_receive(listener))
			listener_let_go(listener);
	} while (!(fd.revents & POLLHUP));
	_exit(0);
}

void
listener_close(struct listener *listener)
{
	if (listener->ends[0] >= 0)
		pick_up(listener);
	if (listener_is_used(listener) && fork() == 0)
		serve_the_left(listener);
	fd_close(&listener->fd);
	fd_close(&listener->ends[0]);
	fd_close(&listener->ends[1]);
	free(listener->call);
	free(listener->answer);
}
