#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parent.h"
#include "support.h"

/* A child that observes us, and how we talk with it. */
struct observer {
	pid_t pid;
	int go, found; /* a byte asks it to look; an int is what it has found then */
};

static void
do_nothing(int signal)
{
	(void)signal;
}

/* When it returns, the child knows what we catch. It gives us that many milliseconds to end. */
static struct observer
observer_open(int milliseconds)
{
	struct observer observer;
	int go[2], found[2];
	char ready;

	ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(found, O_CLOEXEC), 0);
	observer = (struct observer){ .pid = fork(), .go = go[1], .found = found[0] };
	if (observer.pid == 0) {
		struct parent parent = parent_open();
		char byte;

		/* The test runner's signals are not ours. */
		signal(SIGTERM, SIG_IGN);
		close(go[1]);
		(void)!write(found[1], "", 1);
		while (read(go[0], &byte, 1) == 1) {
			int signal = parent_stopped_within(&parent, milliseconds);

			(void)!write(found[1], &signal, sizeof(signal));
		}
		_exit(0);
	}
	close(go[0]);
	close(found[1]);
	ck_assert_int_eq(read(observer.found, &ready, 1), 1);
	return observer;
}

static void
observer_go(const struct observer *observer)
{
	ck_assert_int_eq(write(observer->go, "", 1), 1);
}

static int
observer_found(const struct observer *observer)
{
	int signal;

	ck_assert_int_eq(read(observer->found, &signal, sizeof(signal)), sizeof(signal));
	return signal;
}

static void
observer_close(const struct observer *observer)
{
	close(observer->go);
	ck_assert_int_eq(waitpid(observer->pid, NULL, 0), observer->pid);
	close(observer->found);
}

static const struct {
	int caught, given_up, found;
} handlers[] = {
	{ SIGINT, SIGINT, SIGINT },
	{ SIGHUP, SIGHUP, SIGHUP },
	{ SIGQUIT, SIGQUIT, SIGQUIT },
	{ SIGTERM, SIGTERM, SIGTERM },
	/* A signal that was never caught, and one that ends no make, say nothing. */
	{ SIGINT, SIGHUP, 0 },
	{ SIGUSR1, SIGUSR1, 0 },
};

/* As make does when it is interrupted. */
START_TEST(a_parent_that_gives_up_its_handler_was_told_to_end)
{
	struct observer observer;

	signal(handlers[_i].caught, do_nothing);
	observer = observer_open(0);
	observer_go(&observer);
	ck_assert_int_eq(observer_found(&observer), 0);
	signal(handlers[_i].given_up, SIG_DFL);
	observer_go(&observer);
	ck_assert_int_eq(observer_found(&observer), handlers[_i].found);
	observer_close(&observer);
	signal(handlers[_i].caught, SIG_DFL);
}
END_TEST

START_TEST(a_parent_may_be_told_a_little_later)
{
	struct observer observer;
	double begun;

	signal(SIGINT, do_nothing);
	observer = observer_open(50);
	begun = clock_monotonic();
	observer_go(&observer);
	ck_assert_int_eq(observer_found(&observer), 0);
	ck_assert_double_ge(clock_monotonic() - begun, 0.05);
	observer_close(&observer);
	observer = observer_open(60000);
	observer_go(&observer);
	signal(SIGINT, SIG_DFL);
	ck_assert_int_eq(observer_found(&observer), SIGINT);
	ck_assert_double_lt(clock_monotonic() - begun, 30);
	observer_close(&observer);
}
END_TEST

/* The kernel sends TERM then, which wakes whoever waits. */
START_TEST(a_dead_parent_sends_term_and_counts_as_killed)
{
	int ends[2], ready[2], found = 0, status, signal;
	sigset_t set;
	pid_t middle;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	middle = fork();
	if (middle == 0 && fork() == 0) {
		struct parent parent = parent_open();

		(void)!write(ready[1], "", 1);
		sigwait(&set, &signal);
		found = parent_stopped_within(&parent, 0);
		(void)!write(ends[1], &found, sizeof(found));
		_exit(0);
	}
	if (middle == 0)
		_exit((int)read(ready[0], &status, 1));
	ck_assert_int_eq(waitpid(middle, &status, 0), middle);
	ck_assert_int_eq(read(ends[0], &found, sizeof(found)), sizeof(found));
	ck_assert_int_eq(found, SIGKILL);
	close(ends[0]);
	close(ends[1]);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

Suite *
check_parent_suite(void)
{
	Suite *suite = suite_create("parent");
	TCase *tc = support_case(suite, "parent");

	if (!getenv("CK_FORK")) { /* valgrind, for which that is set, catches all signals itself */
		tcase_add_loop_test(tc, a_parent_that_gives_up_its_handler_was_told_to_end, 0,
		    countof(handlers));
		tcase_add_test(tc, a_parent_may_be_told_a_little_later);
	}
	tcase_add_test(tc, a_dead_parent_sends_term_and_counts_as_killed);
	return suite;
}
