#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "session/passage.h"
#include "support.h"

static int state, folder;

static void
setup(void)
{
	state = folder_make("state");
	folder = folder_make("run");
}

static void
teardown(void)
{
	close(state);
	close(folder);
}

/* A session that has had its turn. */
struct one {
	struct turn *turn;
	struct passage *passage;
	struct record record;
	struct learned learned;
	bool suffices; /* what others leave */
};

static unsigned
first(void *data)
{
	(void)data;
	return 0;
}

static bool
suffices(void *data, unsigned few)
{
	(void)few;
	return *(bool *)data;
}

static struct one *
begin_on(unsigned processors, const char *target, unsigned told)
{
	struct makeflags makeflags = { .slots = 8, .unlimited = true };
	struct one *one = xcalloc(1, sizeof(*one));

	one->turn = turn_open(&(struct turn_options){ .state = state, .folder = folder,
	    .key = own_key(), .target = target, .makeflags = &makeflags, .least = 1, .most = 1,
	    .processors = processors });
	one->record.told = told;
	one->learned = learned_of(state, target);
	one->passage = passage_open(&(struct passage_options){ .state = state, .target = target,
	    .function = "tests", .turn = one->turn, .told = told,
	    .processors = processors, .record = &one->record, .rank = first,
	    .learned = &one->learned, .suffices = suffices, .data = &one->suffices });
	ck_assert(turn_try(one->turn));
	return one;
}

static struct one *
begin(const char *target, unsigned told)
{
	return begin_on(2, target, told);
}

static void
end(struct one *one)
{
	passage_close(one->passage);
	turn_close(one->turn);
	record_clear(&one->record);
	learned_clear(&one->learned);
	free(one);
}

static bool
asks(struct one *one, enum ask_kind kind, const char *name)
{
	struct ask_question question = { .kind = kind };
	unsigned told = 77;
	bool goes;

	strcpy(question.name, name);
	goes = passage_ask(one->passage, &question, &told);
	ck_assert_uint_ne(told, 77);
	return goes;
}

/* "processors pytest 2 2, build": what it has waited for. */
static void
assert_waits(const struct one *one, const char *text)
{
	json_t *waits = passage_waits(one->passage), *wait;
	struct buffer found = { 0 };
	size_t i;

	buffer_addstr(&found, "");
	json_array_foreach(waits, i, wait) {
		ck_assert_double_gt(json_number(wait, "seconds"), 0);
		ck_assert_double_eq_tol(json_number(wait, "started") + json_number(wait, "seconds"),
		    clock_now(), 30);
		buffer_printf(&found, "%s%s", i ? ", " : "", json_text(wait, "for"));
		if (json_object_get(wait, "command"))
			buffer_printf(&found, " %s %lld %lld", json_text(wait, "command"),
			    (long long)json_number(wait, "needed"),
			    (long long)json_number(wait, "used"));
	}
	ck_assert_str_eq(found.data, text);
	buffer_free(&found);
	json_decref(waits);
}

START_TEST(a_wide_command_waits_for_processors_and_lends_its_slot)
{
	struct one *busy = begin("busy", 2), *wide = begin("wide", 2);
	unsigned told = 0;

	gate_use(turn_gate(busy->turn), 2);
	ck_assert(asks(wide, ASK_PLAIN, "ruff"));
	ck_assert(!asks(wide, ASK_WIDE, "pytest") && !passage_try(wide->passage, &told));
	ck_assert_int_gt(passage_timeout(wide->passage), 0);
	usleep(6000);
	gate_use(turn_gate(busy->turn), 1);
	ck_assert(passage_try(wide->passage, &told));
	ck_assert_uint_eq(told, 2);
	assert_waits(wide, "processors pytest 2 2");
	ck_assert(turn_slot(wide->turn) && slot_count(turn_slot(wide->turn)) == 1);
	end(wide);
	end(busy);
	assert_silent();
}
END_TEST

START_TEST(what_a_sibling_was_seen_to_use_is_what_others_need)
{
	struct one *busy = begin("busy", 2), *sibling = begin("sibling", 2);
	unsigned told;

	gate_use(turn_gate(busy->turn), 2);
	ck_assert(!asks(sibling, ASK_SIBLING, "tool"));
	gate_note(turn_gate(busy->turn), "other tool", 1);
	gate_note(turn_gate(busy->turn), "tests other", 1);
	ck_assert(!passage_try(sibling->passage, &told));
	gate_note(turn_gate(busy->turn), "tests tool", 1);
	ck_assert(passage_try(sibling->passage, &told));
	end(sibling);
	end(busy);
}
END_TEST

START_TEST(who_gives_up_is_in_nobodys_way)
{
	struct one *busy = begin("busy", 2), *gone = begin("gone", 2), *wide = begin("wide", 2);
	unsigned told;

	gate_use(turn_gate(busy->turn), 2);
	ck_assert(!asks(gone, ASK_WIDE, "pytest") && !asks(wide, ASK_WIDE, "pytest"));
	gate_use(turn_gate(busy->turn), 1);
	passage_give_up(gone->passage);
	end(gone);
	ck_assert(passage_try(wide->passage, &told));
	end(wide);
	end(busy);
}
END_TEST

/* What history says of the session, the question, and whether it goes beside one that uses all. */
static const struct {
	const char *learned;
	enum ask_kind kind;
	const char *name;
	unsigned told;
	bool goes;
} cases[] = {
	{ NULL, ASK_PLAIN, "make", 2, true },
	{ NULL, ASK_SIBLING, "make", 2, false },
	{ NULL, ASK_WIDE, "pytest", 2, false },
	{ NULL, ASK_WIDE, "pytest", 0, true }, /* its tools are told no more than its slots */
	{ "{'told':2,'width':1}", ASK_SIBLING, "make", 2, true },
	{ "{'told':2,'width':1}", ASK_WIDE, "pytest", 2, false }, /* maybe too short to be seen */
	{ "{'told':2,'width':2,'wide':['make']}", ASK_PLAIN, "make", 2, false },
	{ "{'told':2,'width':1,'wide':['make']}", ASK_PLAIN, "make", 2, true },
	{ "{'told':2,'width':2,'wide':['make']}", ASK_PLAIN, "ruff", 2, true },
	{ "{'told':1,'width':1}", ASK_SIBLING, "make", 2, false }, /* it was told less */
	{ "{'told':1,'width':1,'wide':['make']}", ASK_PLAIN, "ruff", 2, true },
	{ "{'told':1,'width':2,'wide':['make']}", ASK_PLAIN, "make", 2, false },
};

/* What earlier runs have taught of `it`. */
static void
teach(const char *learned)
{
	char *text = xasprintf("{'schema':1,'sessions':{'it':[1]},'learned':{'it':%s}}", learned);

	file_put_json("state/history.json", text);
	free(text);
}

START_TEST(what_is_known_of_a_session_decides)
{
	struct one *busy = begin("busy", 2), *it;

	if (cases[_i].learned)
		teach(cases[_i].learned);
	gate_use(turn_gate(busy->turn), 2);
	it = begin("it", cases[_i].told);
	ck_assert_int_eq(asks(it, cases[_i].kind, cases[_i].name), cases[_i].goes);
	end(it);
	end(busy);
	assert_silent();
}
END_TEST

/* Of four processors: what others use, if the rest suffices, and what ours is told of. */
static const struct {
	const char *learned, *name;
	unsigned others, processes;
	bool suffices;
	unsigned told;
} rests[] = {
#define WIDE "{'told':4,'width':4,'wide':['pytest']}"
	{ WIDE, "pytest", 2, 0, true, 2 }, { WIDE, "pytest", 2, 0, false, 4 },
	{ WIDE, "pytest", 1, 0, true, 3 },
	{ WIDE, "pytest", 2, 3, true, 4 }, /* it has a number of its own */
	{ "{'told':4,'width':2,'wide':['pytest']}", "pytest", 2, 0, true, 4 }, /* there is room */
	{ "{'told':4,'width':2,'wide':['pytest']}", "pytest", 3, 0, true, 1 },
	{ "{'told':4,'width':1}", "pytest", 3, 0, true, 1 }, /* maybe too short to be seen */
	{ NULL, "pytest", 2, 0, true, 4 },
	/* Nothing is known of it, and under nox it would be narrow. */
	{ NULL, "mypy", 2, 0, false, 2 }, { NULL, "mypy", 4, 0, false, 1 },
	{ "{'told':1,'width':1}", "mypy", 2, 0, false, 4 }, /* it was told so little then */
};

START_TEST(where_the_rest_suffices_a_command_is_told_of_that)
{
	bool is_wide = !strcmp(rests[_i].name, "pytest");
	struct ask_question question = { .kind = is_wide ? ASK_WIDE : ASK_PLAIN,
		.processes = rests[_i].processes };
	struct one *busy = begin_on(4, "busy", 4), *it;
	unsigned told = 0;

	strcpy(question.name, rests[_i].name);
	if (rests[_i].learned)
		teach(rests[_i].learned);
	gate_use_at_most(turn_gate(busy->turn), rests[_i].others);
	gate_use(turn_gate(busy->turn), is_wide ? 1 : rests[_i].others);
	it = begin_on(4, "it", 4);
	it->suffices = rests[_i].suffices;
	ck_assert(passage_ask(it->passage, &question, &told));
	ck_assert_uint_eq(told, rests[_i].told);
	ck_assert_uint_eq(it->record.told, rests[_i].told);
	ck_assert_pstr_eq(it->record.few, told < 4 ? "others had the rest of 4" : NULL);
	end(it);
	end(busy);
	assert_silent();
}
END_TEST

START_TEST(what_is_left_of_all_is_weighed_anew_when_it_changes)
{
	struct one *busy = begin_on(4, "busy", 4), *it;
	unsigned told = 0;

	teach(WIDE);
	gate_use_at_most(turn_gate(busy->turn), 4);
	gate_use(turn_gate(busy->turn), 4);
	it = begin_on(4, "it", 4);
	it->suffices = true;
	ck_assert(!asks(it, ASK_WIDE, "pytest"));
	gate_use_at_most(turn_gate(busy->turn), 1);
	gate_use(turn_gate(busy->turn), 1);
	ck_assert(passage_try(it->passage, &told));
	ck_assert_uint_eq(told, 3);
	end(it);
	end(busy);
	/* What may become wide leaves nothing for sure, but to one of its kind. */
	busy = begin_on(4, "busy", 4);
	gate_use(turn_gate(busy->turn), 2);
	it = begin_on(4, "it", 4);
	it->suffices = true;
	ck_assert(asks(it, ASK_WIDE, "pytest"));
	ck_assert_uint_eq(it->record.told, 2);
	ck_assert_str_eq(it->record.few, "2 sessions of its function shared 4");
	end(it);
	gate_belong(turn_gate(busy->turn), "other");
	it = begin_on(4, "it", 4);
	it->suffices = true;
	ck_assert(asks(it, ASK_WIDE, "pytest"));
	ck_assert_uint_eq(it->record.told, 4);
	end(it);
	end(busy);
	assert_silent();
}
END_TEST

START_TEST(who_has_no_siblings_shares_with_none)
{
	struct one *busy = begin_on(8, "busy", 8), *it;

	teach("{'told':8,'width':8,'wide':['pytest']}");
	gate_use_at_most(turn_gate(busy->turn), 2);
	gate_belong(turn_gate(busy->turn), "other");
	it = begin_on(8, "it", 8);
	it->suffices = true;
	ck_assert(asks(it, ASK_WIDE, "pytest"));
	ck_assert_uint_eq(it->record.told, 6);
	ck_assert_str_eq(it->record.few, "others had the rest of 8");
	end(it);
	end(busy);
	assert_silent();
}
END_TEST

START_TEST(what_ends_before_it_settles_has_used_what_was_seen)
{
	struct one *first = begin_on(4, "first", 4), *second = begin_on(4, "second", 4),
		   *third = begin_on(4, "third", 4);
	unsigned told;

	ck_assert(asks(first, ASK_SIBLING, "tool"));
	ck_assert(!asks(second, ASK_SIBLING, "tool") && !passage_try(second->passage, &told));
	ck_assert(asks(first, ASK_PLAIN, "ruff"));
	gate_use(turn_gate(first->turn), 2);
	ck_assert(passage_try(second->passage, &told));
	/* It does not stand at the gate any more. */
	ck_assert(!gate_is_awaited(turn_gate(third->turn)));
	ck_assert(asks(third, ASK_SIBLING, "tool"));
	end(third);
	end(second);
	end(first);
	assert_silent();
}
END_TEST

/* Processes that keep a processor busy each, and their end. */
static void
begin_work(pid_t *children, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		children[i] = fork();
		if (children[i] == 0)
			for (;;)
				;
	}
}

static void
end_work(const pid_t *children, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		kill(children[i], SIGKILL);
		ck_assert_int_eq(waitpid(children[i], NULL, 0), children[i]);
	}
}

/* How a command begins that is of a kind of which nothing is known, and has a sampler. */
static struct sampler *
begin_unknown(struct one *one)
{
	struct sampler *sampler = sampler_open(getpid(), -1);

	ck_assert(asks(one, ASK_SIBLING, "tool"));
	passage_see(one->passage, sampler);
	return sampler;
}

static void
look(struct one *one, struct sampler *sampler)
{
	poll(NULL, 0, clock_until(sampler_due(sampler), -1));
	sampler_look(sampler);
	passage_see(one->passage, sampler);
}

/* What is told of it to others when it ends after a look that sees two at work. */
static unsigned
note_of_two(struct one *one, struct sampler *sampler)
{
	pid_t children[2];
	unsigned noted;

	begin_work(children, countof(children));
	do
		look(one, sampler);
	while (sampler_last(sampler) < 2);
	ck_assert(asks(one, ASK_PLAIN, "next"));
	noted = gate_noted(turn_gate(one->turn), "tests tool");
	end_work(children, countof(children));
	sampler_close(sampler);
	return noted;
}

/* One look alone may have seen what was about to end; but of what is short there is no other. */
START_TEST(what_one_look_has_seen_counts_for_what_ends_before_it_settles)
{
	struct one *one = begin("one", 2);
	double begun = clock_monotonic();
	struct sampler *sampler = begin_unknown(one);
	unsigned noted;

	while (_i && gate_noted(turn_gate(one->turn), "tests tool") == 0)
		look(one, sampler);
	noted = note_of_two(one, sampler);
	/* On a machine that is this slow it has settled. */
	if (_i || clock_monotonic() < begun + 0.9)
		ck_assert_uint_eq(noted, _i ? 1 : 2);
	end(one);
	assert_silent();
}
END_TEST

/* What else the session does while its command waits is not what that command does. */
START_TEST(a_command_that_waits_is_not_seen_to_be_wide)
{
	struct one *busy = begin("busy", 2), *one = begin("one", 2);
	struct sampler *sampler = sampler_open(getpid(), -1);
	pid_t children[2];
	unsigned told;

	gate_use(turn_gate(busy->turn), 2);
	ck_assert(!asks(one, ASK_WIDE, "pytest"));
	begin_work(children, countof(children));
	passage_see(one->passage, sampler);
	for (int i = 0; i < 3 || sampler_most(sampler) < 2; i++)
		look(one, sampler);
	ck_assert_uint_eq(one->record.width, sampler_most(sampler));
	ck_assert_ptr_null(one->record.wide);
	gate_use(turn_gate(busy->turn), 1);
	ck_assert(passage_try(one->passage, &told));
	for (int i = 0; i < 50 && !one->record.wide; i++)
		look(one, sampler);
	ck_assert_uint_eq(json_array_size(one->record.wide), 1);
	end_work(children, countof(children));
	sampler_close(sampler);
	end(one);
	end(busy);
	assert_silent();
}
END_TEST

/* N, sessions of the function besides, what one of these used, and what ours is told of. */
static const struct {
	unsigned processors, siblings, noted;
	enum ask_kind kind;
	unsigned processes, told;
} shares[] = {
	{ 16, 1, 0, ASK_WIDE, 0, 16 }, /* nothing is known */
	{ 16, 1, 1, ASK_WIDE, 0, 16 },
	{ 16, 1, 16, ASK_WIDE, 0, 8 }, { 16, 3, 16, ASK_WIDE, 0, 4 }, { 16, 5, 16, ASK_WIDE, 0, 4 },
	{ 16, 0, 16, ASK_WIDE, 0, 16 },
	{ 16, 3, 16, ASK_WIDE, 6, 16 }, /* it has a number of its own */
	{ 16, 3, 16, ASK_SIBLING, 0, 4 }, { 16, 1, 16, ASK_SIBLING, 0, 8 },
	{ 16, 3, 1, ASK_SIBLING, 0, 16 }, { 16, 3, 0, ASK_SIBLING, 0, 16 },
	{ 16, 3, 16, ASK_PLAIN, 0, 16 },
	{ 4, 3, 4, ASK_WIDE, 0, 4 }, { 5, 1, 5, ASK_WIDE, 0, 4 },
};

START_TEST(siblings_that_are_known_to_be_wide_share)
{
	unsigned n = shares[_i].processors, told = 0, sharers = 1 + shares[_i].siblings;
	char *few = xasprintf("%u sessions of its function shared %u", sharers, n);
	struct one *ours = begin_on(n, "ours", n), *others[8];
	struct ask_question question = { .kind = shares[_i].kind, .name = "pytest",
		.processes = shares[_i].processes };

	for (unsigned i = 0; i < shares[_i].siblings; i++)
		others[i] = begin_on(n, "other", n);
	if (shares[_i].noted > 0)
		gate_note(turn_gate(ours->turn), "tests pytest", shares[_i].noted);
	ck_assert(passage_ask(ours->passage, &question, &told));
	ck_assert_uint_eq(told, shares[_i].told);
	ck_assert_uint_eq(ours->record.told, shares[_i].told);
	ck_assert_pstr_eq(ours->record.few, told < n ? few : NULL);
	free(few);
	/* The others do not count it any more. */
	if (shares[_i].siblings == 1 && shares[_i].noted > 1) {
		gate_use(turn_gate(ours->turn), 1);
		passage_rest(ours->passage);
		ck_assert(passage_ask(others[0]->passage, &question, &told));
		ck_assert_uint_eq(told, n);
	}
	for (unsigned i = 0; i < shares[_i].siblings; i++)
		end(others[i]);
	end(ours);
	assert_silent();
}
END_TEST

/* What others leave now is not all for one: siblings are about to start their workers, too. */
START_TEST(who_has_what_others_leave_has_no_more_than_its_share)
{
	struct one *ours = begin_on(16, "ours", 16), *other = begin_on(16, "other", 16);

	gate_note(turn_gate(ours->turn), "tests mypy", 4);
	ck_assert(asks(ours, ASK_SIBLING, "mypy"));
	ck_assert_uint_eq(ours->record.told, 8);
	ck_assert(asks(other, ASK_SIBLING, "mypy"));
	ck_assert_uint_eq(other->record.told, 15);
	end(other);
	end(ours);
	assert_silent();
}
END_TEST

START_TEST(builds_follow_each_other)
{
	struct one *one = begin("one", 2), *two = begin("two", 0);
	unsigned told;

	ck_assert(asks(one, ASK_BUILD, ""));
	ck_assert(!asks(two, ASK_BUILD, "") && !passage_try(two->passage, &told));
	ck_assert_int_gt(passage_timeout(two->passage), 0);
	usleep(6000);
	passage_built(one->passage);
	for (int i = 0; i < 20000 && !passage_try(two->passage, &told); i++)
		usleep(5000);
	assert_waits(two, "build");
	end(two);
	/* Its end is an end of the build, too. */
	ck_assert(asks(one, ASK_BUILD, ""));
	end(one);
	assert_silent();
}
END_TEST

START_TEST(while_it_is_stopped_nobody_is_in_its_way)
{
	struct one *busy = begin("busy", 2), *it = begin("it", 2);
	double begun = clock_monotonic(), stopped;
	struct sampler *sampler;
	pid_t child;

	begin_work(&child, 1);
	gate_use(turn_gate(busy->turn), 99);
	sampler = sampler_open(getpid(), -1);
	passage_see(it->passage, sampler);
	poll(NULL, 0, clock_until(sampler_due(sampler), -1));
	stopped = (clock_monotonic() - begun) * 0.9;
	passage_suspended(it->passage, stopped);
	sampler_look(sampler);
	passage_see(it->passage, sampler);
	ck_assert_double_gt(it->record.crowded, 0);
	ck_assert_double_lt(it->record.crowded, clock_monotonic() - begun - stopped);
	end_work(&child, 1);
	sampler_close(sampler);
	end(it);
	end(busy);
	assert_silent();
}
END_TEST

Suite *
check_passage_suite(void)
{
	Suite *suite = suite_create("passage");
	TCase *tc = support_case(suite, "passage");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_wide_command_waits_for_processors_and_lends_its_slot);
	tcase_add_test(tc, what_a_sibling_was_seen_to_use_is_what_others_need);
	tcase_add_test(tc, who_gives_up_is_in_nobodys_way);
	tcase_add_loop_test(tc, what_is_known_of_a_session_decides, 0, (int)countof(cases));
	tcase_add_loop_test(tc, where_the_rest_suffices_a_command_is_told_of_that, 0,
	    (int)countof(rests));
	tcase_add_test(tc, what_is_left_of_all_is_weighed_anew_when_it_changes);
	tcase_add_test(tc, who_has_no_siblings_shares_with_none);
	tcase_add_test(tc, what_ends_before_it_settles_has_used_what_was_seen);
	tcase_add_loop_test(tc, what_one_look_has_seen_counts_for_what_ends_before_it_settles, 0,
	    2);
	tcase_add_test(tc, a_command_that_waits_is_not_seen_to_be_wide);
	tcase_add_loop_test(tc, siblings_that_are_known_to_be_wide_share, 0, (int)countof(shares));
	tcase_add_test(tc, who_has_what_others_leave_has_no_more_than_its_share);
	tcase_add_test(tc, builds_follow_each_other);
	tcase_add_test(tc, while_it_is_stopped_nobody_is_in_its_way);
	return suite;
}
