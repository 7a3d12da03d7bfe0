#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "session/ask.h"

/* Characters of a message; processes that a command can want. */
enum { LONGEST = 256, MOST = 65536 };

struct ask {
	int own, other; /* the ends of the socket, or -1 */
};

struct ask *
ask_open(void)
{
	struct ask *ask;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		warn("the session does not wait for free processors: socket");
		return NULL;
	}
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct ask){ .own = ends[0], .other = ends[1] };
	return ask;
}

void
ask_close(struct ask *ask)
{
	if (!ask)
		return;
	fd_close(&ask->own);
	fd_close(&ask->other);
	free(ask);
}

int
ask_other_end(const struct ask *ask)
{
	return ask ? ask->other : -1;
}

void
ask_started(struct ask *ask)
{
	if (ask)
		fd_close(&ask->other);
}

int
ask_fd(const struct ask *ask)
{
	return ask ? ask->own : -1;
}

static const char *const kinds[] = { [ASK_PLAIN] = "plain", [ASK_SIBLING] = "sibling",
	[ASK_WIDE] = "wide", [ASK_BUILD] = "build", [ASK_BUILT] = "built" };

static bool
read_question(const char *text, struct ask_question *question)
{
	char kind[8] = "";
	bool is_command;

	*question = (struct ask_question){ .kind = ASK_UNREPORTED };
	if (sscanf(text, "unreported %63[a-z]", question->name) == 1)
		return true;
	is_command = sscanf(text, "command %7s %5u %63[^\n]", kind, &question->processes,
	    question->name) == 3 && question->processes <= MOST;
	for (size_t i = 0; i < countof(kinds); i++) {
		question->kind = (enum ask_kind)i;
		if (!strcmp(is_command ? kind : text, kinds[i]))
			return is_command == (i < ASK_BUILD);
	}
	return false;
}

/* A session that does not listen is not waited for. */
static void
say(struct ask *ask, const char *text)
{
	(void)!send(ask->own, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool
ask_next(struct ask *ask, struct ask_question *question)
{
	char text[LONGEST + 1];
	ssize_t n;

	if (!ask || ask->own < 0)
		return false;
	n = recv(ask->own, text, LONGEST, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		fd_close(&ask->own);
		return false;
	}
	text[n] = '\0';
	if (read_question(text, question))
		return true;
	/* Whoever asks so waits for an answer, too. */
	ask_answer(ask, 0);
	return false;
}

void
ask_answer(struct ask *ask, unsigned processors)
{
	char text[32];

	snprintf(text, sizeof(text), "go %u", processors);
	say(ask, text);
}

void
ask_hold(struct ask *ask)
{
	say(ask, "wait");
}
