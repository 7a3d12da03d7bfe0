#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "slots/guard.h"
#include "support.h"
#include "tokens.h"

/* A helper of that make. */
struct helper {
	struct jobserver *jobserver;
	struct guard *guard;
	int folder; /* of the ledger */
};

static struct helper
helper_of(const struct make *make)
{
	struct helper helper = { .jobserver = jobserver_open(make->auth),
		.folder = folder_make("run") };

	ck_assert_ptr_nonnull(helper.jobserver);
	helper.guard = guard_open(helper.jobserver, helper.folder);
	ck_assert_ptr_nonnull(helper.guard);
	return helper;
}

static void
end_helper(struct helper *helper)
{
	guard_close(helper->guard);
	jobserver_close(helper->jobserver);
	close(helper->folder);
}

/* Woken by the descriptor alone. */
static void
await(struct guard *guard)
{
	while (!guard_try(guard)) {
		struct pollfd fd = { .fd = guard_fd(guard), .events = POLLIN };

		ck_assert_int_eq(poll(&fd, 1, 100000), 1);
	}
}

static void
ask(struct guard *guard, int least, int most)
{
	guard_ask(guard, least, most);
	await(guard);
}

static void
put_tokens(const struct make *make, int n)
{
	for (; n > 0; n--)
		ck_assert_int_eq(write(make->ends[1], "+", 1), 1);
}

static void
take_token(const struct make *make)
{
	char token;

	ck_assert_int_eq(read(make->ends[0], &token, 1), 1);
}

/* least, most: what is wanted of the tokens that are there, and the balance that comes of it. */
static const struct {
	int tokens, least, most, balance;
} wishes[] = {
	{ 0, -1, -1, -1 }, { 3, -1, -1, -1 }, { 0, 0, 0, 0 }, { 3, 0, 0, 0 }, { 3, 0, 2, 2 },
	{ 3, 0, 9, 3 }, { 0, 0, 9, 0 }, { 3, 1, 1, 1 }, { 3, 3, 3, 3 }, { 3, 2, 9, 3 },
};

START_TEST(the_balance_is_what_is_wanted)
{
	int tokens = wishes[_i].tokens, balance = wishes[_i].balance;
	struct make make = make_with(tokens);
	struct helper helper = helper_of(&make);

	ck_assert(guard_try(helper.guard));
	ck_assert_int_eq(guard_balance(helper.guard), 0);
	ask(helper.guard, wishes[_i].least, wishes[_i].most);
	ck_assert_int_eq(guard_balance(helper.guard), balance);
	ck_assert_int_eq(tokens_in(&make), tokens - balance);
	/* All is back when the helper ends. */
	end_helper(&helper);
	ck_assert_int_eq(tokens_in(&make), tokens);
	make_gone(&make);
	assert_silent();
}
END_TEST

START_TEST(what_is_above_the_most_is_given)
{
	struct make make = make_with(4);
	struct helper helper = helper_of(&make);

	ask(helper.guard, 4, 4);
	ask(helper.guard, 1, 2);
	ck_assert_int_eq(guard_balance(helper.guard), 2);
	ck_assert_int_eq(tokens_in(&make), 2);
	end_helper(&helper);
	make_gone(&make);
}
END_TEST

/* Not its own job, either: others may need just that one. */
START_TEST(one_who_waits_for_several_keeps_nothing)
{
	struct make make = make_with(2);
	struct helper helper = helper_of(&make);

	ask(helper.guard, 1, 1);
	guard_ask(helper.guard, 3, 3);
	await_tokens(&make, 3);
	ck_assert(!guard_try(helper.guard));
	ck_assert_int_eq(guard_balance(helper.guard), -1);
	put_tokens(&make, 1);
	await(helper.guard);
	ck_assert_int_eq(guard_balance(helper.guard), 3);
	ck_assert_int_eq(tokens_in(&make), 0);
	end_helper(&helper);
	ck_assert_int_eq(tokens_in(&make), 3);
	make_gone(&make);
}
END_TEST

/* Each wants all that there are. One after the other has them: neither keeps half. */
START_TEST(two_who_want_several_do_not_starve_each_other)
{
	struct make make = make_with(3);
	struct helper a, b;

	for (int round = 0; round < 20; round++) {
		struct guard *first, *second;

		a = helper_of(&make);
		b = helper_of(&make);
		guard_ask(a.guard, 4, 4);
		guard_ask(b.guard, 4, 4);
		/* Both have lent their job, so there are five, and four are enough. */
		for (int i = 0; i < 100000 && !guard_try(a.guard) && !guard_try(b.guard); i++)
			poll(NULL, 0, 1);
		first = guard_try(a.guard) ? a.guard : b.guard;
		second = first == a.guard ? b.guard : a.guard;
		ck_assert(guard_try(first));
		ck_assert_int_eq(guard_balance(first), 4);
		ck_assert(!guard_try(second));
		guard_ask(first, -1, -1);
		await(second);
		ck_assert_int_eq(guard_balance(second), 4);
		ask(second, 0, 0);
		ask(first, 0, 0);
		end_helper(&a);
		end_helper(&b);
		ck_assert_int_eq(tokens_in(&make), 3);
	}
	make_gone(&make);
}
END_TEST

/*
 * The least seconds of some tries from a missing token's arrival to a balance of that, from -1.
 * Each try may meet a busy machine: there are more until one took less than enough.
 */
static double
least_wait(int wanted, double enough)
{
	double least = 1000;

	for (int i = 0; i < 5 || (i < 200 && least >= enough); i++) {
		struct make make = make_with(0);
		struct helper helper = helper_of(&make);
		double begun;

		ask(helper.guard, -1, -1);
		take_token(&make);
		put_tokens(&make, wanted);
		guard_ask(helper.guard, wanted, wanted);
		for (int k = 0; k < 20; k++) {
			poll(NULL, 0, 1);
			ck_assert(!guard_try(helper.guard));
		}
		begun = clock_monotonic();
		put_tokens(&make, 1);
		await(helper.guard);
		begun = clock_monotonic() - begun;
		least = begun < least ? begun : least;
		end_helper(&helper);
		make_gone(&make);
	}
	return least;
}

/* Not only the clock does: that takes hundreds of times as long as a token by itself. */
START_TEST(each_token_wakes_who_wants_several)
{
	double one = least_wait(0, 1000), several = least_wait(3, 100 * one);

	ck_assert_msg(several < 100 * one, "%g s, and %g s for one", several, one);
}
END_TEST

/* Another guard that takes several holds the lock of the pipe meanwhile. */
START_TEST(those_who_want_several_try_one_after_the_other)
{
	struct make make = make_with(3);
	struct helper helper = helper_of(&make);
	char path[64];
	int other;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", make.ends[0]);
	other = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(other, LOCK_EX), 0);
	guard_ask(helper.guard, 2, 2);
	for (int i = 0; i < 50; i++) {
		poll(NULL, 0, 1);
		ck_assert(!guard_try(helper.guard));
	}
	/* One who wants a single token need not wait for that. */
	ask(helper.guard, 0, 0);
	guard_ask(helper.guard, 2, 2);
	close(other);
	await(helper.guard);
	end_helper(&helper);
	make_gone(&make);
}
END_TEST

/* The answer to an older question is none. */
START_TEST(only_the_last_question_counts)
{
	struct make make = make_with(1);
	struct helper helper = helper_of(&make);

	for (int i = 0; i < 2000; i++) {
		int wanted = i % 3 - 1;

		guard_ask(helper.guard, 1 - i % 3, 1 - i % 3);
		guard_ask(helper.guard, wanted, wanted);
		await(helper.guard);
		ck_assert_int_eq(guard_balance(helper.guard), wanted);
		ck_assert_int_eq(tokens_in(&make), 1 - wanted);
	}
	end_helper(&helper);
	make_gone(&make);
}
END_TEST

/* The helper goes while others use what it has lent: the guard stays for that. */
START_TEST(what_is_out_comes_back_later)
{
	struct make make = make_with(0);
	struct helper helper = helper_of(&make);

	ask(helper.guard, -1, -1);
	take_token(&make);
	end_helper(&helper);
	put_tokens(&make, 3);
	await_tokens(&make, 2);
	make_gone(&make);
	assert_silent();
}
END_TEST

/* In a process of its own: it has that balance, says so, and waits to be killed. */
static pid_t
helper_to_kill(const struct make *make, int balance, int ready, bool forks)
{
	pid_t pid = fork();
	struct helper helper;

	if (pid != 0)
		return pid;
	helper = helper_of(make);
	ask(helper.guard, balance, balance);
	if (forks && fork() == 0) {
		guard_forked(helper.guard);
		jobserver_stop_giving(helper.jobserver);
		close(ready);
		alarm(300);
		for (;;)
			pause();
	}
	(void)!write(ready, "x", 1);
	alarm(300);
	for (;;)
		pause();
}

static const int balances[] = { -1, 1, 3 };

START_TEST(a_killed_helper_leaves_the_count_right)
{
	struct make make = make_with(3);
	struct pollfd end = { .events = POLLIN };
	int ready[2], balance = balances[_i];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = helper_to_kill(&make, balance, ready[1], false);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(tokens_in(&make), 3 - balance);
	/* What was lent is out when the helper dies. */
	for (int i = 0; balance < 0 && i < 4; i++)
		take_token(&make);
	kill(pid, SIGKILL);
	/* Its other descriptors end with it: the guard has none of them. */
	end.fd = ready[0];
	ck_assert_int_eq(poll(&end, 1, 100000), 1);
	ck_assert_int_eq(read(ready[0], &byte, 1), 0);
	put_tokens(&make, balance < 0 ? 4 : 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	/* When make hears of the death, the count is right already. */
	if (may_trace())
		ck_assert_int_eq(tokens_in(&make), 3);
	await_tokens(&make, 3);
	close(ready[0]);
	make_gone(&make);
}
END_TEST

/* Helper and guard are killed, in either order. Then another guard is opened, or the run ends. */
static const struct {
	int balance;
	bool guard_first, next;
} double_kills[] = { { -1, false, false }, { -1, true, false }, { 2, false, false },
	{ 2, true, false }, { -1, false, true }, { 2, true, true } };

START_TEST(a_helper_killed_with_its_guard_leaves_the_count_right)
{
	struct make make = make_with(3);
	struct jobserver *jobserver = jobserver_open(make.auth);
	int ready[2], folder = folder_make("run"), balance = double_kills[_i].balance;
	pid_t pid, guard;
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = helper_to_kill(&make, balance, ready[1], false);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	guard = only_child(pid);
	/* At one moment: neither may still do something for the other. */
	kill(guard, SIGSTOP);
	ck_assert(process_becomes(guard, 'T'));
	kill(double_kills[_i].guard_first ? guard : pid, SIGKILL);
	kill(double_kills[_i].guard_first ? pid : guard, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(process_becomes(guard, 'X'));
	ck_assert_int_eq(tokens_in(&make), 3 - balance);
	if (double_kills[_i].next) {
		struct helper helper = helper_of(&make);

		ask(helper.guard, 0, 0);
		ck_assert_int_eq(tokens_in(&make), 3);
		end_helper(&helper);
	} else {
		guard_mend(jobserver, folder, 0);
	}
	ck_assert_int_eq(tokens_in(&make), 3);
	guard_mend(jobserver, folder, 0);
	ck_assert_int_eq(tokens_in(&make), 3);
	jobserver_close(jobserver);
	close(folder);
	close(ready[0]);
	close(ready[1]);
	make_gone(&make);
}
END_TEST

/* Another child of the helper does not look like the helper. */
START_TEST(a_child_that_lives_on_does_not_hide_the_death)
{
	struct make make = make_with(3);
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = helper_to_kill(&make, 2, ready[1], true);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	await_tokens(&make, 3);
	close(ready[0]);
	close(ready[1]);
	make_gone(&make);
}
END_TEST

/* from: the balance when the guard dies; then least to most are wanted. */
static const struct {
	int from, to;
} after_kill[] = { { -1, 0 }, { 3, 0 }, { 0, 2 }, { 0, 0 }, { 1, -1 } };

START_TEST(a_killed_guard_is_no_loss)
{
	struct make make = make_with(3);
	struct helper helper = helper_of(&make);
	pid_t guard = only_child(getpid());

	ask(helper.guard, after_kill[_i].from, after_kill[_i].from);
	kill(guard, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)guard, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	/* The helper sees that for itself, and does what the guard would have done. */
	guard_ask(helper.guard, after_kill[_i].to, after_kill[_i].to);
	ck_assert(guard_try(helper.guard));
	ck_assert_int_eq(guard_balance(helper.guard), after_kill[_i].to);
	ck_assert_int_eq(tokens_in(&make), 3 - after_kill[_i].to);
	end_helper(&helper);
	ck_assert_int_eq(tokens_in(&make), 3);
	make_gone(&make);
	assert_silent();
}
END_TEST

/* Who waits without a guard is woken by make's pipe: for one token, but not for several. */
START_TEST(without_a_guard_the_pipe_wakes)
{
	struct make make = make_with(0);
	struct helper helper = helper_of(&make);
	pid_t guard = only_child(getpid());

	kill(guard, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)guard, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	guard_ask(helper.guard, 1, 1);
	ck_assert(!guard_try(helper.guard));
	/* It has lent its own by now, so it wants two. */
	ck_assert_int_eq(guard_fd(helper.guard), -1);
	ck_assert_int_eq(tokens_in(&make), 1);
	guard_ask(helper.guard, 0, 0);
	take_token(&make);
	ck_assert(!guard_try(helper.guard));
	ck_assert_int_eq(guard_fd(helper.guard), jobserver_fd(helper.jobserver));
	put_tokens(&make, 1);
	await(helper.guard);
	end_helper(&helper);
	make_gone(&make);
}
END_TEST

/* A traced helper stops, goes on, and is hit by signals as any other process. */
START_TEST(signals_reach_the_helper)
{
	struct make make = make_with(1);
	int ready[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = helper_to_kill(&make, 1, ready[1], false);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	kill(pid, SIGCONT);
	ck_assert_int_eq(waitpid(pid, &status, WCONTINUED), pid);
	ck_assert(WIFCONTINUED(status));
	kill(pid, SIGUSR1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	await_tokens(&make, 1);
	close(ready[0]);
	close(ready[1]);
	make_gone(&make);
}
END_TEST

/* What is aimed at the helper's group, ^C, misses the guard, and it blocks the rest. */
START_TEST(the_guard_outlives_its_group)
{
	struct make make = make_with(0);
	struct helper helper = helper_of(&make);
	pid_t guard = only_child(getpid());
	siginfo_t ended = { 0 };

	ask(helper.guard, -1, -1);
	ck_assert_int_ne(getpgid(guard), getpgrp());
	kill(guard, SIGTERM);
	kill(guard, SIGINT);
	take_token(&make);
	put_tokens(&make, 1);
	ask(helper.guard, 0, 0);
	/* It is not even a zombie. */
	ck_assert_int_eq(waitid(P_PID, (id_t)guard, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
	ck_assert_int_eq(ended.si_pid, 0);
	end_helper(&helper);
	ck_assert_int_eq(waitpid(guard, NULL, WNOHANG), -1);
	make_gone(&make);
}
END_TEST

/* Nothing is left of it that would leak: neither descriptors nor processes. */
START_TEST(there_may_be_no_guard)
{
	struct make make = make_with(1);
	struct jobserver *jobserver = jobserver_open(make.auth);
	struct rlimit limit, few;
	struct guard *guard;
	int probe = dup(0), after;

	close(probe);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = (struct rlimit){ .rlim_cur = (rlim_t)probe + 1, .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	guard = guard_open(jobserver, -1);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_ptr_null(guard);
	guard_close(NULL);
	after = dup(0);
	ck_assert_int_eq(after, probe);
	close(after);
	ck_assert_int_eq(tokens_in(&make), 1);
	jobserver_close(jobserver);
	make_gone(&make);
	assert_silent();
}
END_TEST

Suite *
check_guard_suite(void)
{
	Suite *suite = suite_create("guard");
	TCase *tc = support_case(suite, "balance");

	tcase_add_loop_test(tc, the_balance_is_what_is_wanted, 0, countof(wishes));
	tcase_add_test(tc, what_is_above_the_most_is_given);
	tcase_add_test(tc, one_who_waits_for_several_keeps_nothing);
	tcase_add_test(tc, two_who_want_several_do_not_starve_each_other);
	tcase_add_test(tc, each_token_wakes_who_wants_several);
	tcase_add_test(tc, those_who_want_several_try_one_after_the_other);
	tcase_add_test(tc, only_the_last_question_counts);
	tcase_add_test(tc, what_is_out_comes_back_later);
	tc = support_case(suite, "deaths");
	tcase_add_loop_test(tc, a_killed_helper_leaves_the_count_right, 0, countof(balances));
	tcase_add_loop_test(tc, a_helper_killed_with_its_guard_leaves_the_count_right, 0,
	    countof(double_kills));
	tcase_add_test(tc, a_child_that_lives_on_does_not_hide_the_death);
	tcase_add_loop_test(tc, a_killed_guard_is_no_loss, 0, countof(after_kill));
	tcase_add_test(tc, without_a_guard_the_pipe_wakes);
	tcase_add_test(tc, signals_reach_the_helper);
	tcase_add_test(tc, the_guard_outlives_its_group);
	/* valgrind has its own idea of the limit that leaves no guard. */
	if (!getenv("CK_FORK"))
		tcase_add_test(tc, there_may_be_no_guard);
	return suite;
}
