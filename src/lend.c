#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lend.h"
#include "util.h"

/*
 * On the socket, a byte each. From the guard: LENT once the token is given, BACK once it is taken
 * again. To the guard: ASK. All that the guard said can be read after its death, too.
 */
enum { LENT = 'l', BACK = 'b', ASK = 'a' };

/* What make itself writes. */
enum { TOKEN = '+' };

/* Milliseconds that a helper which goes stays for its token, at most twice. */
enum { CLOSE_PATIENCE = 20 };

struct lend {
	struct jobserver *jobserver;
	int socket;
	pid_t guard;
	bool asked, lent, back;
	bool alone; /* the guard was killed while the token was lent */
};

static bool
say(int socket, char word)
{
	return send(socket, &word, 1, MSG_NOSIGNAL) == 1;
}

/* 0 at the end, -1 when there is nothing to hear yet. */
static int
hear(int socket)
{
	unsigned char word;
	ssize_t n;

	do
		n = recv(socket, &word, 1, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return word;
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
}

/*
 * Only now does the guard look for a token, lest it takes what others could use. True when it is
 * wanted by somebody who lives.
 */
static bool
await_question(int socket)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	int word;

	while ((word = hear(socket)) < 0)
		poll(&fd, 1, -1);
	return word == ASK;
}

static void
take_back(struct jobserver *jobserver, int socket)
{
	struct pollfd fds[] = {
		{ .fd = jobserver_fd(jobserver), .events = POLLIN },
		{ .fd = await_question(socket) ? socket : -1, .events = POLLIN },
	};

	while (jobserver_take(jobserver) < 0) {
		if (poll(fds, countof(fds), -1) < 0)
			continue;
		if ((fds[0].revents & POLLHUP) && !(fds[0].revents & POLLIN))
			return;
		/* Our helper died, and what it lent is still out. */
		if (fds[1].revents && hear(socket) == 0)
			fds[1].fd = -1;
	}
	say(socket, BACK);
}

/* Locks end with their last descriptor, and so do the pipes that people read our output from. */
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

/*
 * In a session of its own, so that what is aimed at the helper's group misses it. Without its end to
 * give by, or a make that waits for the last one who could give would wait for us, and we for it.
 */
static _Noreturn void
guard(struct jobserver *jobserver, int socket)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "noxmk-guard");
	(void)!chdir("/");
	/* At once, lest we are killed while only we know. */
	if (jobserver_give(jobserver, TOKEN) && say(socket, LENT)) {
		jobserver_only_take(jobserver);
		close_all_but(jobserver_fd(jobserver), socket);
		take_back(jobserver, socket);
	}
	_exit(0);
}

struct lend *
lend_open(struct jobserver *jobserver)
{
	struct lend *lend;
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		guard(jobserver, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return NULL;
	}
	lend = xcalloc(1, sizeof(*lend));
	*lend = (struct lend){ .jobserver = jobserver, .socket = ends[0], .guard = pid };
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
	waitpid(lend->guard, NULL, lend->back ? 0 : WNOHANG);
	free(lend);
}

/*
 * The guard's last words first. If it was killed before it had given anything there is nothing to
 * take; if afterwards, we do its work.
 */
bool
lend_take(struct lend *lend)
{
	int word = -1;

	if (!lend->asked)
		say(lend->socket, ASK);
	lend->asked = true;
	while (!lend->back && !lend->alone && (word = hear(lend->socket)) >= 0) {
		if (word == LENT)
			lend->lent = true;
		else if (word == BACK || !lend->lent)
			lend->back = true;
		else
			lend->alone = true;
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
