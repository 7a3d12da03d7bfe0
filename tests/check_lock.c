#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/lock.h"
#include "state/state.h"
#include "support.h"

/* "x:db s:docs 3/8:memory": exclusive, shared, and 3 of 8. */
static json_t *
claims_of(const char *words)
{
	char *copy = xstrdup(words), *rest = copy, *word;
	json_t *claims = json_array();

	while ((word = strsep(&rest, " "))) {
		char *use = strsep(&word, ":");
		json_t *claim = json_pack("{s:s}", "resource", word);
		int amount, capacity;

		if (sscanf(use, "%d/%d", &amount, &capacity) == 2) {
			json_object_set_new(claim, "use", json_string("amount"));
			json_object_set_new(claim, "amount", json_integer(amount));
			json_object_set_new(claim, "capacity", json_integer(capacity));
		} else {
			json_object_set_new(claim, "use",
			    json_string(*use == 'x' ? "exclusive" : "shared"));
		}
		json_array_append_new(claims, claim);
	}
	free(copy);
	return claims;
}

static struct lock *
claim(int state, const char *target, const char *words)
{
	json_t *claims = claims_of(words);
	struct lock *lock = lock_open(state, target, claims, false);

	json_decref(claims);
	ck_assert_ptr_nonnull(lock);
	return lock;
}

static const struct {
	const char *first, *second;
	bool both;
} pairs[] = {
	{ "x:a", "x:a", false },
	{ "x:a", "s:a", false },
	{ "s:a", "x:a", false },
	{ "s:a", "s:a", true },
	{ "x:a", "x:b", true },
	{ "x:a x:b", "x:c x:b", false },
	{ "s:a x:b", "s:a x:c", true },
	{ "3/8:a", "5/8:a", true },
	{ "3/8:a", "6/8:a", false },
	{ "3/8:a 1/1:b", "3/8:a 1/1:b", false },
	{ "8/8:a", "1/8:a", false },
	{ "3/8:a", "x:a", false },
	{ "s:a", "3/8:a", false },
	/* More than there is: nobody else may have any. */
	{ "1/8:a", "9/8:a", false },
	{ "1/8:b", "9/8:a", true },
};

START_TEST(two_claims_wait_for_each_other_or_not)
{
	int state = folder_make("state");
	struct lock *first = claim(state, "one", pairs[_i].first);
	struct lock *second = claim(state, "two", pairs[_i].second);
	struct pollfd fd = { .events = POLLIN };

	ck_assert(lock_try(first) && lock_try(first));
	ck_assert_int_eq(lock_try(second), pairs[_i].both);
	ck_assert_int_eq(lock_may_lend(second), !pairs[_i].both);
	ck_assert_ptr_null(lock_blocker(first));
	if (!pairs[_i].both) {
		const json_t *blocker = lock_blocker(second);

		ck_assert_str_eq(json_string_value(json_object_get(blocker, "target")), "one");
		ck_assert_int_eq(json_integer_value(json_object_get(blocker, "pid")), getpid());
		ck_assert_ptr_nonnull(strstr(pairs[_i].first,
		    json_string_value(json_object_get(blocker, "resource"))));
		fd.fd = lock_fd(second);
		ck_assert_int_eq(poll(&fd, 1, 0), 0);
		ck_assert(!lock_try(second));
	}
	lock_close(first);
	ck_assert(lock_try(second));
	ck_assert_int_eq(lock_fd(second), -1);
	lock_close(second);
	lock_close(NULL);
	ck_assert(!file_there("state/locks/0000000001") && !file_there("state/locks/0000000002"));
	close(state);
	assert_silent();
}
END_TEST

START_TEST(what_the_file_says)
{
	int state = folder_make("state");
	struct lock *a = claim(state, "a\"b", "s:x"), *b = claim(state, "b", "x:x");
	char *expected = xasprintf("h\n{\"schema\":1,\"pid\":%d,\"target\":\"a\\\"b\",\"claims\":"
	    "[{\"resource\":\"x\",\"use\":\"shared\"}]}\n", (int)getpid()), *text;

	ck_assert(lock_try(a) && !lock_try(b));
	assert_file("state/locks/0000000001", expected);
	text = file_get("state/locks/0000000002");
	ck_assert_int_eq(strncmp(text, "w\n", 2), 0);
	free(text);
	lock_close(a);
	ck_assert(lock_try(b));
	text = file_get("state/locks/0000000002");
	ck_assert_int_eq(strncmp(text, "h\n", 2), 0);
	free(text);
	free(expected);
	lock_close(b);
	close(state);
}
END_TEST

/* A reader does not slip past a writer that waits, but a stranger to both does. */
START_TEST(in_order)
{
	int state = folder_make("state");
	struct lock *reader = claim(state, "reader", "s:a");
	struct lock *writer = claim(state, "writer", "x:a");
	struct lock *late = claim(state, "late", "s:a"), *other = claim(state, "other", "x:b");
	struct lock *both = claim(state, "both", "x:a x:b");

	ck_assert(lock_try(reader) && !lock_try(writer) && !lock_try(late) && lock_try(other));
	lock_close(reader);
	/* Of all that are in the way, one that holds is named. */
	ck_assert(!lock_try(both));
	ck_assert_str_eq(json_string_value(json_object_get(lock_blocker(both), "target")), "other");
	lock_close(both);
	ck_assert(!lock_try(late));
	ck_assert_str_eq(json_string_value(json_object_get(lock_blocker(late), "target")),
	    "writer");
	ck_assert(lock_try(writer) && !lock_try(late));
	/* Whoever gives up is out of the way. */
	lock_close(writer);
	ck_assert(lock_try(late));
	lock_close(late);
	lock_close(other);
	close(state);
}
END_TEST

START_TEST(owner_dies)
{
	int state = folder_make("state"), ends[2], status;
	struct lock *mine = claim(state, "mine", "x:a");
	struct pollfd fd = { .events = POLLIN };
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct lock *held = claim(state, "held", "x:a");

		if (lock_try(held))
			(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert(!lock_try(mine));
	ck_assert_int_eq(json_integer_value(json_object_get(lock_blocker(mine), "pid")), pid);
	fd.fd = lock_fd(mine);
	kill(pid, SIGKILL);
	/* valgrind may not know pidfd_open(2): then there is nothing to watch. */
	if (fd.fd >= 0 || !getenv("CK_FORK"))
		ck_assert_int_eq(poll(&fd, 1, 100000), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(lock_try(mine));
	ck_assert(!file_there("state/locks/0000000001"));
	lock_close(mine);
	close(ends[0]);
	close(ends[1]);
	close(state);
}
END_TEST

/* When nothing can be watched the ticks have to do, and they stay short. */
START_TEST(nothing_to_watch)
{
	int state = folder_make("state"), first, probe, sum = 0;
	struct lock *a = claim(state, "a", "x:a"), *b = claim(state, "b", "x:a");
	struct rlimit limit = { 0 };

	ck_assert(lock_try(a) && !lock_try(b));
	first = lock_timeout(b);
	ck_assert_int_ge(first, 1);
	for (int i = 0; i < 20; i++) {
		int tick = lock_timeout(b);

		ck_assert_int_ge(tick, first);
		ck_assert_int_le(tick, 1000);
		sum += tick;
	}
	ck_assert_int_gt(sum, 1000);
	lock_close(b);
	b = claim(state, "b", "x:a");
	/* Descriptors for the claim and the other's file, and no more. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	probe = dup(state);
	close(probe);
	limit.rlim_cur = (rlim_t)probe + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(!lock_try(b));
	ck_assert_int_eq(lock_fd(b), -1);
	for (int i = 0; i < 20; i++)
		ck_assert_int_le(lock_timeout(b), 100);
	lock_close(a);
	ck_assert(lock_try(b));
	lock_close(b);
	limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	close(state);
}
END_TEST

/* Somebody decides just now, and may have been stopped at that: no reason to hang. */
START_TEST(mutex_is_taken)
{
	int state = folder_make("state"), mutex;
	struct lock *a = claim(state, "a", "x:a");

	mutex = open("state/locks/mutex", O_WRONLY);
	ck_assert_int_eq(flock(mutex, LOCK_EX), 0);
	ck_assert(!lock_try(a) && !lock_may_lend(a));
	ck_assert_int_eq(lock_timeout(a), 1);
	close(mutex);
	ck_assert(lock_try(a));
	lock_close(a);
	close(state);
}
END_TEST

START_TEST(strange_files)
{
	int state = folder_make("state"), fd;
	struct lock *a = claim(state, "a", "x:a");

	file_put("state/locks/0000000007", "h\nleft by a dead one");
	file_put("state/locks/source-build", "");
	file_put("state/locks/123", "");
	/* One that lives, but we cannot tell what it claims. */
	file_put("state/locks/0000000009", "?");
	fd = open("state/locks/0000000009", O_RDONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert(!lock_try(a));
	ck_assert_str_eq(json_string_value(json_object_get(lock_blocker(a), "target")), "?");
	ck_assert(!file_there("state/locks/0000000007") && file_there("state/locks/source-build"));
	ck_assert(file_there("state/locks/123") && file_there("state/locks/0000000010"));
	close(fd);
	ck_assert(lock_try(a));
	lock_close(a);
	close(state);
	assert_silent();
}
END_TEST

/* Whoever may use the folder can see whether a claim lives, and lock what we have locked. */
START_TEST(everybody_can_open_what_locks_whatever_the_umask)
{
	static const char *const names[] = { "locks", "locks/mutex", "locks/0000000001" };
	mode_t mask = umask(077);
	int state = folder_make("state");
	struct lock *a = claim(state, "a", "x:a");
	struct stat st;

	ck_assert(lock_try(a));
	umask(mask);
	for (size_t i = 0; i < countof(names); i++) {
		ck_assert_int_eq(fstatat(state, names[i], &st, 0), 0);
		ck_assert_int_eq(st.st_mode & 0666, 0666);
	}
	lock_close(a);
	close(state);
}
END_TEST

START_TEST(what_is_no_claim_is_removed)
{
	int state = folder_make("state");
	struct lock *a;

	close(folder_make("state/locks"));
	odd_put(_i, "state/locks/0000000007");
	odd_put(_i, "state/locks/9999999999");
	odd_put(_i, "state/locks/told");
	if (_i != ODD_HUGE)
		odd_put(_i, "state/locks/mutex");
	a = claim(state, "a", "x:a");
	ck_assert(lock_try(a));
	ck_assert(file_there("state/locks/0000000001"));
	ck_assert(!file_there("state/locks/0000000007") && !file_there("state/locks/9999999999"));
	lock_close(a);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(what_is_no_folder_is_made_anew)
{
	int state = folder_make("state");
	struct lock *a;

	if (_i == ODD_FOLDER)
		return;
	odd_put(_i, "state/locks");
	a = claim(state, "a", "x:a");
	ck_assert(lock_try(a));
	lock_close(a);
	close(state);
	assert_warned(".nox/.noxmk/locks: ");
	assert_warned("it is made anew");
}
END_TEST

/* One that cannot be opened may live, so it is waited for; see below for how long. */
START_TEST(a_claim_that_cannot_be_opened_counts_as_held)
{
	int state = folder_make("state");
	struct lock *a, *b;
	bool granted;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown("state", 65534, 65534), 0);
	a = claim(state, "a", "x:a");
	ck_assert(lock_try(a));
	ck_assert_int_eq(chmod("state/locks/0000000001", 0), 0);
	b = claim(state, "b", "x:a");
	ck_assert_int_eq(seteuid(65534), 0);
	granted = lock_try(b);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert(!granted);
	ck_assert_ptr_null(lock_refusal(b));
	ck_assert_str_eq(json_string_value(json_object_get(lock_blocker(b), "resource")), "a");
	lock_close(a);
	ck_assert(lock_try(b));
	lock_close(b);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(no_locks)
{
	int state = folder_make("state");
	struct lock *lock = claim(state, "lint", "x:a");

	/* One that is removed is made anew, with the state folder if need be. */
	folder_remove("state");
	ck_assert(lock_try(lock));
	ck_assert(file_there(".nox/.noxmk/locks/0000000001"));
	lock_close(lock);
	close(state);
}
END_TEST

/* A lock that is not to be had is no lock, unless best effort is enough. */
START_TEST(no_space)
{
	int state = folder_make("state");
	struct lock *a = claim(state, "a", "x:a"), *b = claim(state, "b", "x:a");
	bool granted;

	ck_assert(lock_try(b));
	limit_set(RLIMIT_FSIZE, 0);
	granted = lock_try(a);
	limit_restore();
	ck_assert(!granted && !lock_try(a));
	ck_assert_ptr_nonnull(strstr(lock_refusal(a), "its resources cannot be locked: "
	    ".nox/.noxmk/locks: File too large (file system "));
	ck_assert_ptr_nonnull(strstr(lock_refusal(a), "or locks = \"best-effort\""));
	ck_assert(!file_there("state/locks/0000000002"));
	ck_assert_ptr_null(lock_refusal(b));
	lock_close(a);
	lock_close(b);
	close(state);
	assert_silent();
}
END_TEST

/*
 * A few dozen lend. The rest keep their slots, until one that is granted lacks its own: it might
 * wait for just them.
 */
START_TEST(enough_lenders)
{
	int state = folder_make("state");
	struct lock *waiters[40];

	for (size_t i = 0; i < countof(waiters); i++) {
		waiters[i] = claim(state, "w", "x:a");
		ck_assert_int_eq(lock_try(waiters[i]), i == 0);
		ck_assert_int_eq(lock_may_lend(waiters[i]), i > 0 && i < 32);
		if (lock_may_lend(waiters[i]))
			lock_lent(waiters[i], true);
	}
	ck_assert_int_le(lock_timeout(waiters[39]), 250);
	lock_close(waiters[0]);
	ck_assert(!lock_try(waiters[39]) && !lock_may_lend(waiters[39]));
	ck_assert(lock_try(waiters[1]));
	ck_assert(!lock_try(waiters[39]) && lock_may_lend(waiters[39]));
	lock_lent(waiters[1], false);
	ck_assert(!lock_try(waiters[39]) && !lock_may_lend(waiters[39]));
	for (size_t i = 1; i < countof(waiters); i++) {
		ck_assert(lock_try(waiters[i]));
		lock_close(waiters[i]);
	}
	close(state);
}
END_TEST

/* What can write no claim is alone with its like, and one make says so once. */
START_TEST(claims_that_cannot_be_written_are_granted_one_at_a_time)
{
	int state = folder_make("state");
	struct lock *a = lock_open(state, "a", NULL, true);
	struct lock *b = lock_open(state, "b", NULL, true);
	bool first, second;

	limit_set(RLIMIT_FSIZE, 0);
	first = lock_try(a);
	second = lock_try(b);
	ck_assert(first && !second && !lock_try(b));
	lock_close(a);
	second = lock_try(b);
	limit_restore();
	ck_assert(second);
	lock_close(b);
	assert_warned("sessions that claim something run one at a time, and makes on other "
	    "machines");
	close(state);
}
END_TEST

/* The holder's claim follows the folder, so that nobody gets in its way. */
START_TEST(a_claim_outlives_its_folder)
{
	int state = state_make(), again;
	json_t *claims = claims_of("x:a");
	struct lock *a = lock_open(state, "a", claims, false), *b;

	ck_assert(lock_try(a));
	lock_keep(a);
	folder_remove(".nox");
	/* Whoever removes it may still be at it. */
	lock_keep(a);
	ck_assert(!file_there(".nox"));
	again = state_make();
	lock_keep(a);
	ck_assert(file_there(".nox/.noxmk/locks/0000000001"));
	b = lock_open(again, "b", claims, false);
	ck_assert(!lock_try(b));
	/* One that waits follows it, too. */
	folder_remove(".nox");
	close(state_make());
	lock_keep(a);
	ck_assert(!lock_try(b));
	lock_close(a);
	ck_assert(lock_try(b));
	lock_close(b);
	json_decref(claims);
	close(again);
	close(state);
	assert_silent();
}
END_TEST

Suite *
check_lock_suite(void)
{
	Suite *suite = suite_create("lock");
	TCase *tc = support_case(suite, "claims");

	tcase_add_loop_test(tc, two_claims_wait_for_each_other_or_not, 0, countof(pairs));
	tcase_add_test(tc, what_the_file_says);
	tcase_add_test(tc, in_order);
	tcase_add_test(tc, owner_dies);
	tcase_add_test(tc, nothing_to_watch);
	tcase_add_test(tc, mutex_is_taken);
	tcase_add_test(tc, strange_files);
	tcase_add_test(tc, everybody_can_open_what_locks_whatever_the_umask);
	tcase_add_loop_test(tc, what_is_no_claim_is_removed, 0, ODD_STRANGER);
	tcase_add_loop_test(tc, what_is_no_folder_is_made_anew, 0, ODD_STRANGER);
	tcase_add_test(tc, a_claim_that_cannot_be_opened_counts_as_held);
	tcase_add_test(tc, no_locks);
	tcase_add_test(tc, no_space);
	tcase_add_test(tc, enough_lenders);
	tcase_add_test(tc, claims_that_cannot_be_written_are_granted_one_at_a_time);
	tcase_add_test(tc, a_claim_outlives_its_folder);
	return suite;
}
