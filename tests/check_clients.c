#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/clients.h"
#include "support.h"

static int ends[2];

static struct slot *
slot_of_make(void)
{
	struct makeflags makeflags = { .slots = 2 };
	struct slot *slot;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "+", 1), 1);
	makeflags.auth = xasprintf("%d,%d", ends[0], ends[1]);
	slot = slot_open(&makeflags, -1, "", 0);
	makeflags_clear(&makeflags);
	return slot;
}

static void
close_make(struct slot *slot)
{
	slot_close(slot);
	close(ends[0]);
	close(ends[1]);
}

/*
 * A session whose grandchild opens the pipe by its path, as a tool does, or does not. Both stay
 * until the session is killed.
 */
static pid_t
session_with(int pipe)
{
	pid_t parent = getpid(), session = fork();
	char path[64];

	if (session != 0)
		return session;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)parent, pipe);
	setpgid(0, 0);
	/* What was inherited of the pipe is closed, as exec closes it. */
	close_range(3, ~0U, 0);
	/* Twice: the watcher may hear of an open(2) before the descriptor is there. */
	if (fork() == 0)
		for (int i = 0; i < 2; i++)
			(void)!open(pipe < 0 ? "/dev/null" : path, O_RDWR | O_CLOEXEC);
	for (;;)
		pause();
}

static void
end_session(pid_t session)
{
	kill(-session, SIGKILL);
	kill(session, SIGKILL);
	ck_assert_int_eq(waitpid(session, NULL, 0), session);
}

static bool
becomes_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 5000) == 1;
}

START_TEST(who_opens_the_pipe_is_found)
{
	struct slot *slot = slot_of_make();
	struct clients *clients = clients_open(slot);
	int pipe = jobserver_fd(slot_jobserver(slot));
	pid_t other = session_with(-1), session = session_with(pipe);

	do
		ck_assert(becomes_readable(clients_fd(clients)));
	while (clients_found(clients, session) != 1);
	/* For good, and nobody needs to ask again. */
	ck_assert_int_eq(clients_fd(clients), -1);
	end_session(session);
	ck_assert_int_eq(clients_found(clients, session), 1);
	end_session(other);
	clients_close(clients);
	close_make(slot);
	assert_silent();
}
END_TEST

START_TEST(another_sessions_client_is_none_of_ours)
{
	struct slot *slot = slot_of_make();
	struct clients *clients = clients_open(slot);
	int pipe = jobserver_fd(slot_jobserver(slot));
	pid_t session = session_with(-1), other;

	ck_assert_int_eq(clients_found(clients, session), 0);
	/* Only now: a search that finds the pipe open already waits for nothing more. */
	other = session_with(pipe);
	ck_assert(becomes_readable(clients_fd(clients)));
	ck_assert_int_eq(clients_found(clients, session), 0);
	ck_assert_int_ge(clients_fd(clients), 0);
	end_session(session);
	end_session(other);
	clients_close(clients);
	close_make(slot);
}
END_TEST

START_TEST(nobody_searches_for_ever)
{
	struct slot *slot = slot_of_make();
	struct clients *clients = clients_open(slot);
	pid_t session = session_with(-1);
	char path[64];
	int searches = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", jobserver_fd(slot_jobserver(slot)));
	for (; searches < 1000 && clients_fd(clients) >= 0; searches++) {
		close(open(path, O_RDWR));
		ck_assert_int_eq(clients_found(clients, session), 0);
	}
	ck_assert_int_ge(searches, 10);
	ck_assert_int_lt(searches, 1000);
	end_session(session);
	clients_close(clients);
	close_make(slot);
}
END_TEST

START_TEST(without_a_jobserver_nobody_can_know)
{
	struct makeflags makeflags = { .slots = 1 };
	struct slot *slot = slot_open(&makeflags, -1, "", 0);

	ck_assert_ptr_null(clients_open(slot));
	ck_assert_int_eq(clients_found(NULL, getpid()), -1);
	ck_assert_int_eq(clients_fd(NULL), -1);
	clients_close(NULL);
	slot_close(slot);
}
END_TEST

Suite *
check_clients_suite(void)
{
	Suite *suite = suite_create("clients");
	TCase *tc = support_case(suite, "clients");

	tcase_add_test(tc, who_opens_the_pipe_is_found);
	tcase_add_test(tc, another_sessions_client_is_none_of_ours);
	tcase_add_test(tc, nobody_searches_for_ever);
	tcase_add_test(tc, without_a_jobserver_nobody_can_know);
	return suite;
}
