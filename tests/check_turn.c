#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cpus.h"
#include "slots/turn.h"
#include "support.h"

#define EXCLUSIVE_DB "[{'resource':'db','use':'exclusive'}]"

static int state, rundir;

static void
folders(void)
{
	state = folder_make("state");
	rundir = folder_make("run");
}

static void
folders_done(void)
{
	close(state);
	close(rundir);
}

static struct turn *
turn_of(const char *target, const char *claims, const char *makeflags, unsigned jobs)
{
	json_t *list = claims ? json_of(claims) : NULL;
	struct makeflags read = makeflags_read(makeflags, jobs);
	struct turn *turn = turn_open(&(struct turn_options){ .state = state, .folder = rundir,
		.key = own_key(), .target = target, .claims = list, .makeflags = &read,
		.least = 1, .most = 1 });

	ck_assert_ptr_nonnull(turn);
	makeflags_clear(&read);
	json_decref(list);
	return turn;
}

/*
 * What was waited for, "slot" or "RESOURCE of TARGET". On a busy machine the first try may come
 * late, which looks like a wait for the slot.
 */
static void
assert_waits(const struct turn *turn, const char *text)
{
	json_t *waits = turn_waits(turn), *wait;
	struct buffer found = { 0 };
	size_t i;

	buffer_addstr(&found, "");
	json_array_foreach(waits, i, wait) {
		const char *what = "", *resource = "?", *target = "?";
		double seconds = 0;

		ck_assert_int_eq(json_unpack(wait, "{s:s,s:F,s?s,s?s}", "for", &what, "seconds",
		    &seconds, "resource", &resource, "target", &target), 0);
		ck_assert_double_ge(seconds, 0.001);
		ck_assert_double_lt(seconds, 60);
		if (i == 0 && !strcmp(what, "slot") && strncmp(text, "slot", 4) != 0)
			continue;
		buffer_addstr(&found, found.len > 0 ? ", " : "");
		if (!strcmp(what, "resource"))
			buffer_printf(&found, "%s of %s", resource, target);
		else
			buffer_addstr(&found, what);
	}
	ck_assert_str_eq(found.data, text);
	buffer_free(&found);
	json_decref(waits);
}

/* Long enough for a wait to be one. */
static void
let_time_pass(void)
{
	poll(NULL, 0, 5);
}

static void
await(struct turn *turn)
{
	struct pollfd fds[TURN_FDS];

	for (int i = 0; i < 100000 && !turn_try(turn); i++) {
		turn_poll(turn, fds);
		poll(fds, TURN_FDS, turn_timeout(turn));
	}
	ck_assert(turn_try(turn));
}

START_TEST(nothing_claimed)
{
	struct turn *turn;

	folders();
	turn = turn_of("a", _i ? "[]" : NULL, NULL, 0);
	ck_assert(turn_try(turn) && turn_try(turn));
	assert_waits(turn, "");
	turn_close(turn);
	turn_close(NULL);
	ck_assert(!file_there("state/locks"));
	folders_done();
	assert_silent();
}
END_TEST

/* No ticket is taken before there is a slot. */
START_TEST(slot_first)
{
	struct turn *a, *b, *c;
	struct pollfd fds[TURN_FDS];

	folders();
	a = turn_of("a", NULL, " -j", 1);
	b = turn_of("b", EXCLUSIVE_DB, " -j", 1);
	c = turn_of("c", EXCLUSIVE_DB, NULL, 0);
	ck_assert(turn_try(a) && !turn_try(b));
	ck_assert(!file_there("state/locks/0000000001"));
	turn_poll(b, fds);
	ck_assert(fds[0].fd >= 0 && fds[1].fd == -1);
	ck_assert_int_gt(turn_timeout(b), 0);
	ck_assert_int_eq(poll(fds, TURN_FDS, 5), 0);
	/* So another gets what b claims, too. */
	ck_assert(turn_try(c));
	turn_close(c);
	turn_close(a);
	ck_assert_int_eq(poll(fds, TURN_FDS, 100000), 1);
	ck_assert(turn_try(b));
	assert_waits(b, "slot");
	ck_assert(file_there("state/locks/0000000001"));
	turn_close(b);
	ck_assert(!file_there("state/locks/0000000001"));
	folders_done();
}
END_TEST

START_TEST(lent_meanwhile)
{
	struct turn *a, *b, *c;
	struct pollfd fds[TURN_FDS];
	const json_t *blocker;

	folders();
	a = turn_of("a", EXCLUSIVE_DB, NULL, 0);
	b = turn_of("b", EXCLUSIVE_DB, " -j", 1);
	c = turn_of("c", NULL, " -j", 1);
	ck_assert(turn_try(a) && !turn_blocker(b) && !turn_try(b) && !turn_try(b));
	blocker = turn_blocker(b);
	ck_assert_str_eq(json_string_value(json_object_get(blocker, "target")), "a");
	ck_assert_str_eq(json_string_value(json_object_get(blocker, "resource")), "db");
	ck_assert_int_eq(json_integer_value(json_object_get(blocker, "pid")), getpid());
	/* Its slot is free for others. */
	ck_assert(turn_try(c));
	turn_poll(b, fds);
	ck_assert_int_eq(fds[0].fd, -1);
	let_time_pass();
	turn_close(a);
	/* It has the locks, but no slot yet: nobody else gets them. */
	ck_assert(!turn_try(b));
	a = turn_of("a", EXCLUSIVE_DB, NULL, 0);
	ck_assert(!turn_try(a));
	turn_poll(b, fds);
	ck_assert(fds[0].fd >= 0 && fds[1].fd == -1);
	let_time_pass();
	assert_waits(b, "db of a");
	turn_close(c);
	ck_assert(turn_try(b));
	assert_waits(b, "db of a, slot");
	turn_close(b);
	ck_assert(turn_try(a));
	turn_close(a);
	folders_done();
	assert_silent();
}
END_TEST

/* To a real make's jobserver, through its pipe. */
START_TEST(lent_to_make)
{
	struct turn *a, *b;
	char *flags, token;
	int ends[2], n = 0;

	folders();
	ck_assert_int_eq(pipe(ends), 0);
	flags = xasprintf(" -j2 --jobserver-auth=%d,%d", ends[0], ends[1]);
	a = turn_of("a", EXCLUSIVE_DB, NULL, 0);
	b = turn_of("b", EXCLUSIVE_DB, flags, 0);
	ck_assert(turn_try(a) && !turn_try(b));
	for (int i = 0; i < 100000 && n == 0; i++) {
		poll(NULL, 0, 1);
		ioctl(ends[0], FIONREAD, &n);
	}
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(read(ends[0], &token, 1), 1);
	turn_close(a);
	ck_assert(!turn_try(b));
	let_time_pass();
	ck_assert_int_eq(write(ends[1], &token, 1), 1);
	await(b);
	ioctl(ends[0], FIONREAD, &n);
	ck_assert_int_eq(n, 0);
	turn_close(b);
	close(ends[0]);
	close(ends[1]);
	free(flags);
	folders_done();
	assert_silent();
}
END_TEST

/* Without a jobserver nothing can be lent, and the locks are waited for all the same. */
START_TEST(not_lent)
{
	struct turn *a, *b, *c;

	folders();
	a = turn_of("a", EXCLUSIVE_DB, NULL, 0);
	b = turn_of("b", EXCLUSIVE_DB, NULL, 0);
	c = turn_of("c", "[{'resource':'db','use':'shared'}]", NULL, 0);
	ck_assert(turn_try(a) && !turn_try(b) && !turn_try(c));
	let_time_pass();
	turn_close(a);
	await(b);
	assert_waits(b, "db of a");
	ck_assert(!turn_try(c));
	turn_close(b);
	await(c);
	/* The one that it met first is kept. */
	assert_waits(c, "db of a");
	turn_close(c);
	folders_done();
}
END_TEST

/* Under `make -j` without a number as many as there are processors. */
START_TEST(as_many_as_processors)
{
	unsigned n = cpus_available();
	struct turn **turns = xcalloc(n + 1, sizeof(struct turn *));

	folders();
	for (unsigned i = 0; i <= n; i++) {
		turns[i] = turn_of("a", NULL, " -j", 0);
		ck_assert_int_eq(turn_try(turns[i]), i < n);
	}
	for (unsigned i = 0; i <= n; i++)
		turn_close(turns[i]);
	free(turns);
	folders_done();
}
END_TEST

START_TEST(a_session_runs_without_its_locks_only_by_best_effort)
{
	json_t *claims = json_of(EXCLUSIVE_DB);
	struct makeflags makeflags = { .slots = 1, .unlimited = true };
	struct turn_options options = { .target = "a", .claims = claims, .makeflags = &makeflags,
		.folder = -1, .best_effort = _i };
	struct turn *turn;
	bool granted;

	folders();
	options.state = state;
	options.folder = rundir;
	options.key = own_key();
	turn = turn_open(&options);
	limit_set(RLIMIT_FSIZE, 0);
	granted = turn_try(turn);
	limit_restore();
	ck_assert_int_eq(granted, _i);
	ck_assert_int_eq(turn_refusal(turn) == NULL, _i);
	if (_i)
		assert_warned("sessions that claim something run one at a time");
	else
		ck_assert_ptr_nonnull(strstr(turn_refusal(turn), "File too large"));
	turn_close(turn);
	json_decref(claims);
	folders_done();
}
END_TEST

/* On two processors, with so many bytes that the session is known to need. */
static struct turn *
turn_beside(const char *target, unsigned long long memory)
{
	struct makeflags makeflags = { .slots = 8, .unlimited = true };
	struct turn *turn = turn_open(&(struct turn_options){ .state = state, .folder = rundir,
		.key = own_key(), .target = target, .makeflags = &makeflags, .least = 1,
		.most = 1, .processors = 2, .memory = memory });

	ck_assert_ptr_nonnull(turn);
	return turn;
}

START_TEST(who_has_not_begun_waits_for_those_at_the_gate)
{
	const struct gate_need need = { .processors = 2, .settles = 1000 };
	struct turn *busy, *waiting, *new;

	folders();
	busy = turn_beside("busy", 0);
	waiting = turn_beside("waiting", 0);
	ck_assert(turn_try(busy) && turn_try(waiting));
	gate_use(turn_gate(busy), 2);
	ck_assert(!gate_try(turn_gate(waiting), &need));
	new = turn_beside("new", 0);
	ck_assert(!turn_try(new));
	ck_assert_int_gt(turn_timeout(new), 0);
	let_time_pass();
	gate_leave(turn_gate(waiting));
	await(new);
	assert_waits(new, "slot");
	turn_close(new);
	turn_close(waiting);
	turn_close(busy);
	folders_done();
	assert_silent();
}
END_TEST

START_TEST(nothing_begins_beside_others_that_does_not_fit_into_memory)
{
	struct turn *busy, *large;

	folders();
	busy = turn_beside("busy", 0);
	ck_assert(turn_try(busy));
	large = turn_beside("large", 1ULL << 60);
	ck_assert(!turn_try(large));
	ck_assert_int_gt(turn_timeout(large), 0);
	let_time_pass();
	/* Alone it may try. */
	turn_close(busy);
	await(large);
	assert_waits(large, "memory");
	turn_close(large);
	folders_done();
	assert_silent();
}
END_TEST

START_TEST(a_slot_that_was_lent_while_the_session_runs_comes_back)
{
	struct turn *turn;

	folders();
	turn = turn_beside("a", 0);
	ck_assert(turn_try(turn));
	for (int i = 0; i < 2; i++) {
		turn_lend(turn);
		ck_assert_uint_eq(slot_count(turn_slot(turn)), 0);
		turn_lend(turn);
		turn_take_back(turn);
		for (int k = 0; k < 1000 && slot_count(turn_slot(turn)) == 0; k++) {
			let_time_pass();
			(void)turn_settle(turn);
		}
		ck_assert_uint_eq(slot_count(turn_slot(turn)), 1);
		ck_assert_int_eq(turn_settle_fd(turn), -1);
		ck_assert_int_eq(turn_settle_timeout(turn), -1);
	}
	turn_close(turn);
	folders_done();
	assert_silent();
}
END_TEST

Suite *
check_turn_suite(void)
{
	Suite *suite = suite_create("turn");
	TCase *tc = support_case(suite, "turn");

	tcase_add_test(tc, who_has_not_begun_waits_for_those_at_the_gate);
	tcase_add_test(tc, nothing_begins_beside_others_that_does_not_fit_into_memory);
	tcase_add_test(tc, a_slot_that_was_lent_while_the_session_runs_comes_back);
	tcase_add_loop_test(tc, nothing_claimed, 0, 2);
	tcase_add_test(tc, slot_first);
	tcase_add_test(tc, lent_meanwhile);
	tcase_add_test(tc, lent_to_make);
	tcase_add_test(tc, not_lent);
	tcase_add_test(tc, as_many_as_processors);
	tcase_add_loop_test(tc, a_session_runs_without_its_locks_only_by_best_effort, 0, 2);
	return suite;
}
