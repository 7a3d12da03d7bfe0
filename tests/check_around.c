#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/lock.h"
#include "support.h"

/* A claim of that session. */
static struct lock *
open_lock(int state, const char *target, const char *claims)
{
	json_t *list = json_of(claims);
	struct lock *lock = lock_open(state, target, list, false);

	ck_assert_ptr_nonnull(lock);
	json_decref(list);
	return lock;
}

/* In a process of its own, as a session that this one runs. */
static void
within(int state, const char *claims, bool granted, const char *refusal)
{
	pid_t pid = fork();
	struct lock *lock;
	int status;

	if (pid == 0) {
		lock = open_lock(state, "inner", claims);
		ck_assert_int_eq(lock_try(lock), granted);
		if (refusal)
			ck_assert_ptr_nonnull(strstr(lock_refusal(lock), refusal));
		else
			ck_assert_ptr_null(lock_refusal(lock));
		lock_close(lock);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

#define DB "[{'resource':'db','use':'exclusive'}]"
#define AMOUNT(n) "[{'resource':'ram','use':'amount','amount':" #n ",'capacity':8}]"

static const struct {
	const char *outer, *inner;
	bool granted;
	const char *refusal;
} nested[] = {
	{ DB, "[{'resource':'port','use':'exclusive'}]", true, NULL },
	{ DB, DB, false, "it runs within outer, which has db until it ends" },
	{ DB, "[{'resource':'db','use':'shared'}]", false, "which has db" },
	{ "[{'resource':'db','use':'shared'}]", "[{'resource':'db','use':'shared'}]", true, NULL },
	{ "[{'resource':'*','use':'exclusive'}]", "[{'resource':'*','use':'shared'}]", false,
	    "it runs within outer, which runs alone until it ends" },
	{ AMOUNT(4), AMOUNT(4), true, NULL },
	{ AMOUNT(5), AMOUNT(4), false, "which has ram" },
};

START_TEST(who_needs_what_is_held_around_him_is_refused)
{
	int state = folder_make("state");
	struct lock *outer = open_lock(state, "outer", nested[_i].outer);

	ck_assert(lock_try(outer));
	within(state, nested[_i].inner, nested[_i].granted, nested[_i].refusal);
	lock_close(outer);
	close(state);
}
END_TEST

/* A process beside us has the claim, until it may go. */
static pid_t
beside(int state, const char *claims, bool granted)
{
	int ends[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct lock *lock = open_lock(state, "other", claims);

		ck_assert_int_eq(lock_try(lock), granted);
		(void)!write(ends[1], "x", 1);
		pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void
send_away(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(who_is_beside_is_waited_for)
{
	int state = folder_make("state");
	pid_t other = beside(state, DB, true);

	within(state, DB, false, NULL);
	send_away(other);
	within(state, DB, true, NULL);
	close(state);
}
END_TEST

/* He waits for db, which we have, and for port. Whoever runs within us need not wait for that. */
START_TEST(who_waits_for_us_is_overtaken)
{
	int state = folder_make("state");
	struct lock *outer = open_lock(state, "outer", DB);
	pid_t other;

	ck_assert(lock_try(outer));
	other = beside(state, "[{'resource':'db','use':'exclusive'},"
			      "{'resource':'port','use':'exclusive'}]", false);
	within(state, "[{'resource':'port','use':'exclusive'}]", true, NULL);
	send_away(other);
	/* One that waits for somebody else is not. */
	lock_close(outer);
	outer = open_lock(state, "outer", "[{'resource':'disk','use':'exclusive'}]");
	ck_assert(lock_try(outer));
	other = beside(state, DB, true);
	pid_t waiter = beside(state, "[{'resource':'db','use':'exclusive'},"
				     "{'resource':'port','use':'exclusive'}]", false);

	within(state, "[{'resource':'port','use':'exclusive'}]", false, NULL);
	send_away(waiter);
	send_away(other);
	lock_close(outer);
	close(state);
}
END_TEST

/* A number in another container says nothing: the process with ours has not that file open. */
START_TEST(the_number_of_an_ancestor_is_not_enough)
{
	int state = folder_make("state");
	char *text = xasprintf("h\n{\"schema\":1,\"pid\":%d,\"target\":\"other\",\"claims\":"
	    "[{\"resource\":\"db\",\"use\":\"exclusive\"}]}\n", (int)getpid());
	pid_t other = beside(state, DB, true);

	file_put("state/locks/0000000001", text);
	within(state, DB, false, NULL);
	free(text);
	send_away(other);
	close(state);
}
END_TEST

Suite *
check_around_suite(void)
{
	Suite *suite = suite_create("around");
	TCase *tc = support_case(suite, "around");

	tcase_add_loop_test(tc, who_needs_what_is_held_around_him_is_refused, 0,
	    countof(nested));
	tcase_add_test(tc, who_is_beside_is_waited_for);
	tcase_add_test(tc, who_waits_for_us_is_overtaken);
	tcase_add_test(tc, the_number_of_an_ancestor_is_not_enough);
	return suite;
}
