#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "shard/shards.h"
#include "support.h"

enum { SESSIONS = 30 };

static unsigned
any(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static struct history *
history_of(json_t *sessions)
{
	json_t *root = json_pack("{s:i,s:o}", "schema", 1, "sessions", sessions);
	int state = folder_make("state");
	struct history *history;

	ck_assert_int_eq(json_dump_file(root, "state/history.json", 0), 0);
	json_decref(root);
	history = history_load(state);
	close(state);
	return history;
}

/* The targets of that shard, as "a b". The caller frees. */
static char *
targets_of(const struct shards *shards, size_t at)
{
	struct strings targets = { 0 };
	const char *target;
	json_t *line;
	char *text;

	json_object_foreach(shards->v[at].sessions, target, line)
		strings_add(&targets, target);
	text = strings_join(&targets, " ");
	free(targets.v);
	return text;
}

/* The place of the session among the shards; it must have just one. */
static size_t
shard_of(const struct shards *shards, const char *target)
{
	size_t found = shards->n;

	for (size_t i = 0; i < shards->n; i++)
		if (json_object_get(shards->v[i].sessions, target)) {
			ck_assert_uint_eq(found, shards->n);
			found = i;
		}
	ck_assert_uint_lt(found, shards->n);
	return found;
}

/* Sessions that require, follow or go with others that come before them, and some labels. */
static json_t *
random_sessions(unsigned seed, json_t *seconds)
{
	static const char *const keys[] = { "requires", "after", "together" };
	json_t *active = json_object();
	size_t n = 1 + any(&seed, SESSIONS);

	for (size_t i = 0; i < n; i++) {
		char *target = xasprintf("s%zu", i);
		json_t *line = json_pack("{s:s,s:[],s:[],s:[],s:{}}", "target", target, "requires",
		    "after", "together", "options");

		for (unsigned links = any(&seed, 4) == 0; links > 0 && i > 0; links--) {
			char *other = xasprintf("s%u", any(&seed, (unsigned)i));

			json_array_append_new(json_object_get(line, keys[any(&seed, 3)]),
			    json_string(other));
			free(other);
		}
		if (any(&seed, 2))
			json_object_set_new(seconds, target, json_pack("[f]",
			    any(&seed, 1000) / 10.0));
		json_object_set_new(active, target, line);
		free(target);
	}
	return active;
}

START_TEST(each_session_is_in_one_shard_with_those_that_it_belongs_to)
{
	static const char *const keys[] = { "requires", "after", "together" };
	json_t *seconds = json_object(), *active = random_sessions((unsigned)_i, seconds), *line;
	struct history *history = history_of(seconds);
	const char *target;
	const json_t *item;
	size_t i;

	for (size_t n = 1; n < 9; n++) {
		struct shards *shards = shards_new(active, history, n), *again;

		ck_assert_ptr_nonnull(shards);
		ck_assert_uint_eq(shards->n, n);
		json_object_foreach(active, target, line)
			for (size_t k = 0; k < countof(keys); k++)
				json_array_foreach(json_object_get(line, keys[k]), i, item)
					ck_assert_uint_eq(shard_of(shards, target),
					    shard_of(shards, json_string_value(item)));
		json_object_foreach(active, target, line)
			(void)shard_of(shards, target);
		for (size_t k = 1; k < n; k++)
			ck_assert_int_ge(shards->v[k - 1].ms, shards->v[k].ms);
		again = shards_new(active, history, n);
		ck_assert_str_eq(shards->hash, again->hash);
		shards_free(again);
		shards_free(shards);
	}
	history_free(history);
	json_decref(active);
	assert_silent();
}
END_TEST

/* Sessions with their times, how many shards, and what these have. */
static const struct {
	const char *sessions, *seconds;
	size_t n;
	const char *shards[3];
} divisions[] = {
	{ "{'a':{},'b':{},'c':{}}", "{'a':[9],'b':[5],'c':[4]}", 2, { "a", "b c" } },
	/* Without a history they count alike. */
	{ "{'a':{},'b':{},'c':{},'d':{}}", "{}", 2, { "a c", "b d" } },
	{ "{'a':{},'b':{'requires':['a']},'c':{}}", "{'a':[9],'b':[9],'c':[1]}", 2,
	    { "a b", "c" } },
	/* What is not among the sessions binds nobody. */
	{ "{'a':{'after':['z'],'together':['y']},'b':{'after':['z']}}", "{}", 2, { "a", "b" } },
	/* Shards with a label come behind all others, whatever they take. */
	{ "{'a':{'options':{'runs-on':'gpu'}},'b':{},'c':{}}", "{'a':[90],'b':[5],'c':[4]}", 3,
	    { "b", "c", "a" } },
	/* One that belongs to a session with a label has it, too. */
	{ "{'a':{'options':{'runs-on':'gpu'}},'b':{'after':['a']},'c':{}}",
	    "{'a':[1],'b':[5],'c':[4]}", 2, { "c", "a b" } },
	/* Whoever is alone keeps all four processors of a machine. */
	{ "{'a':{'claims':[{'resource':'*','use':'exclusive'}]},'b':{},'c':{},'d':{},'e':{}}",
	    "{'a':[4],'b':[4],'c':[4],'d':[4],'e':[4]}", 2, { "a", "b c d e" } },
	{ "{'a':{'options':{'jobs':[4,4]}},'b':{},'c':{},'d':{},'e':{}}",
	    "{'a':[4],'b':[4],'c':[4],'d':[4],'e':[4]}", 2, { "a", "b c d e" } },
};

/* With the target in each line. */
static json_t *
sessions_of(const char *text)
{
	json_t *active = json_of(text), *line;
	const char *target;

	json_object_foreach(active, target, line)
		json_object_set_new(line, "target", json_string(target));
	return active;
}

START_TEST(divisions_are_even)
{
	json_t *active = sessions_of(divisions[_i].sessions);
	struct history *history = history_of(json_of(divisions[_i].seconds));
	struct shards *shards = shards_new(active, history, divisions[_i].n);

	ck_assert_ptr_nonnull(shards);
	for (size_t i = 0; i < shards->n; i++) {
		char *targets = targets_of(shards, i);

		ck_assert_str_eq(targets, divisions[_i].shards[i]);
		free(targets);
	}
	shards_free(shards);
	history_free(history);
	json_decref(active);
	assert_silent();
}
END_TEST

START_TEST(what_cannot_be_is_told)
{
	json_t *active = sessions_of("{'a':{'options':{'runs-on':'gpu'}},'b':{}}");
	json_t *torn = sessions_of("{'a':{'options':{'runs-on':'gpu'}},"
	    "'b':{'after':['a'],'options':{'runs-on':'arm'}}}");
	struct history *history = history_of(json_object());

	ck_assert_ptr_null(shards_new(active, history, 1));
	assert_warned("sessions run on 2 kinds of machines, by their runs-on, and so need as many "
	    "shards; 1 is too few");
	ck_assert_ptr_null(shards_new(torn, history, 3));
	assert_warned("b runs on \"arm\", and sessions that it belongs together with on \"gpu\"");
	history_free(history);
	json_decref(active);
	json_decref(torn);
}
END_TEST

START_TEST(another_history_has_another_hash)
{
	json_t *active = sessions_of("{'a':{},'b':{},'c':{}}");
	struct history *one = history_of(json_of("{'a':[9],'b':[5],'c':[4]}"));
	struct history *other = history_of(json_of("{'a':[1],'b':[5],'c':[9]}"));
	struct shards *a = shards_new(active, one, 2), *b = shards_new(active, other, 2);
	char *name = shards_name(a, 1), *expected = xasprintf("2/2@%s", a->hash);

	ck_assert_str_ne(a->hash, b->hash);
	ck_assert_str_eq(name, expected);
	free(expected);
	free(name);
	shards_free(a);
	shards_free(b);
	history_free(one);
	history_free(other);
	json_decref(active);
}
END_TEST

/* Ten sessions of a minute; a machine runs four at once. */
START_TEST(as_few_as_keep_within_a_time)
{
	static const struct {
		double seconds, cost;
		size_t n;
	} cases[] = { { 180, 0, 1 }, { 120, 0, 2 }, { 60, 0, 3 }, { 100, 40, 3 }, { 3600, 40, 1 } };
	json_t *active = json_object(), *seconds = json_object();
	struct history *history;
	struct shards *shards;

	for (int i = 0; i < 10; i++) {
		char *target = xasprintf("s%d", i);

		json_object_set_new(active, target, json_pack("{s:s}", "target", target));
		json_object_set_new(seconds, target, json_pack("[f]", 60.0));
		free(target);
	}
	history = history_of(seconds);
	shards = shards_within(active, history, cases[_i].seconds, cases[_i].cost);
	ck_assert_uint_eq(shards->n, cases[_i].n);
	for (size_t i = 0; i < shards->n; i++)
		ck_assert_double_le(shards_expect(history, shards->v[i].sessions) + cases[_i].cost,
		    cases[_i].seconds);
	assert_silent();
	shards_free(shards);
	ck_assert_ptr_null(shards_within(active, history, 59, 0));
	assert_warned("no machine can be done in 59.0s: s0 alone takes 60.0s: to be faster, cut "
	    "it: parts = 2 in [tool.noxmk.session.s0], see nox.mk(5)");
	assert_warned("so do 2 more");
	history_free(history);
	json_decref(active);
}
END_TEST

/* Does each bundle alone take no longer than that? */
static bool
each_is_within(const json_t *active, const struct history *history, double seconds)
{
	struct shards *shards = shards_new(active, history, 1);
	bool is = true;

	for (size_t bundle = 0; bundle < shards->bundles.n; bundle++) {
		json_t *sessions = json_object();

		for (size_t i = 0; i < shards->work->schedule.n; i++)
			if (shards->bundles.of[i] == bundle)
				json_object_set(sessions, workload_target(shards->work, i),
				    json_array_get(shards->work->sessions, i));
		is = is && shards_expect(history, sessions) <= seconds;
		json_decref(sessions);
	}
	shards_free(shards);
	return is;
}

/* Some of the sessions share what a machine has but once, or are wide. */
START_TEST(a_time_is_kept_wherever_it_can_be)
{
	unsigned seed = (unsigned)_i + 100;
	json_t *seconds = json_object(), *active = random_sessions(seed, seconds), *line;
	struct history *history;
	const char *target;

	json_object_foreach(active, target, line) {
		if (any(&seed, 4) == 0)
			json_object_set_new(line, "claims", json_of("[{'resource':'db','use':"
			    "'exclusive'}]"));
		if (any(&seed, 4) == 0)
			json_object_set_new(line, "options", json_of("{'jobs':[3,3]}"));
		json_object_set_new(seconds, target, json_pack("[f]", any(&seed, 1000) / 10.0));
	}
	history = history_of(seconds);
	for (double limit = 20; limit < 500; limit *= 1.7) {
		size_t told = strlen(warnings());
		struct shards *shards = shards_within(active, history, limit, 0);

		ck_assert_int_eq(shards != NULL, each_is_within(active, history, limit));
		ck_assert_int_eq(shards == NULL, strlen(warnings()) > told);
		for (size_t i = 0; shards && i < shards->n; i++)
			ck_assert_double_le(shards_expect(history, shards->v[i].sessions), limit);
		shards_free(shards);
	}
	history_free(history);
	json_decref(active);
}
END_TEST

START_TEST(there_are_so_many_machines_and_no_more)
{
	json_t *active = json_object(), *seconds = json_object();
	struct history *history;

	for (int i = 0; i <= SHARDS_MOST; i++) {
		char *target = xasprintf("s%d", i);

		json_object_set_new(active, target, json_pack("{s:s,s:[{s:s,s:s}]}", "target",
		    target, "claims", "resource", "*", "use", "exclusive"));
		json_object_set_new(seconds, target, json_pack("[f]", 60.0));
		free(target);
	}
	history = history_of(seconds);
	ck_assert_ptr_null(shards_within(active, history, 60, 0));
	assert_warned("1000 machines are too few to be done in that time, and more than 1000 there "
	    "cannot be");
	history_free(history);
	json_decref(active);
}
END_TEST

START_TEST(no_sessions_are_empty_shards)
{
	json_t *active = json_object();
	struct history *history = history_of(json_object());
	struct shards *shards = shards_new(active, history, 3);

	ck_assert_uint_eq(shards->n, 3);
	ck_assert_uint_eq(json_object_size(shards->v[2].sessions), 0);
	shards_free(shards);
	shards = shards_within(active, history, 60, 0);
	ck_assert_uint_eq(shards->n, 0);
	shards_free(shards);
	history_free(history);
	json_decref(active);
}
END_TEST

Suite *
check_shards_suite(void)
{
	Suite *suite = suite_create("shards");
	TCase *tc = support_case(suite, "divisions");

	tcase_add_loop_test(tc, each_session_is_in_one_shard_with_those_that_it_belongs_to, 0, 40);
	tcase_add_loop_test(tc, divisions_are_even, 0, countof(divisions));
	tcase_add_test(tc, what_cannot_be_is_told);
	tcase_add_test(tc, another_history_has_another_hash);
	tcase_add_loop_test(tc, as_few_as_keep_within_a_time, 0, 5);
	tcase_add_loop_test(tc, a_time_is_kept_wherever_it_can_be, 0, 40);
	tcase_add_test(tc, there_are_so_many_machines_and_no_more);
	tcase_add_test(tc, no_sessions_are_empty_shards);
	return suite;
}
