#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/history.h"
#include "state/learned.h"
#include "support.h"

/* The alone that stands for none. */
#define NONE (-1.0)

static void
assert_learned(const struct learned *it, unsigned told, unsigned width, unsigned long long memory,
    const char *wide, double alone)
{
	json_t *wanted = wide ? json_of(wide) : NULL;

	ck_assert_uint_eq(it->told, told);
	ck_assert_uint_eq(it->width, width);
	ck_assert_uint_eq(it->memory, memory);
	ck_assert(wanted ? json_equal(it->wide, wanted) : !it->wide);
	ck_assert_double_eq(it->alone, alone);
	ck_assert_int_eq(it->known, width > 0);
	json_decref(wanted);
}

/* What a file's object says, and what of it is taken; alone: NONE where there is no such number. */
static const struct {
	const char *object;
	unsigned told, width;
	unsigned long long memory;
	const char *wide;
	double alone;
} objects[] = {
	{ "{'told':4,'width':3,'memory':7,'cpu':1.5,'wide':['pytest'],'alone':2.5}", 4, 3, 7,
	    "['pytest']", 2.5 },
	{ "{'told':4,'width':1,'alone':2}", 4, 1, 0, NULL, 2 },
	{ "{'alone':0}", 0, 0, 0, NULL, 0 },
	{ "{}", 0, 0, 0, NULL, NONE }, { "[4,3]", 0, 0, 0, NULL, NONE },
	{ "7", 0, 0, 0, NULL, NONE },
	{ "{'told':-4,'width':3}", 0, 3, 0, NULL, NONE },
	{ "{'told':'4','width':3.5}", 0, 0, 0, NULL, NONE },
	{ "{'told':4294967298,'width':4294967295}", 0, 4294967295, 0, NULL, NONE },
	{ "{'width':2,'memory':-1,'cpu':-1,'alone':-1}", 0, 2, 0, NULL, NONE },
	{ "{'width':2,'memory':1e9,'cpu':1e9,'alone':1e9}", 0, 2, 0, NULL, NONE },
	{ "{'width':2,'memory':9223372036854775807,'alone':'2'}", 0, 2, INT64_MAX, NULL, NONE },
	{ "{'width':2,'wide':[7,'a',null,['b'],'c']}", 0, 2, 0, "['a','c']", NONE },
	{ "{'width':2,'wide':'a'}", 0, 2, 0, NULL, NONE },
	{ "{'width':2,'wide':['a','b','c','d','e','f','g','h','i']}", 0, 2, 0,
	    "['a','b','c','d','e','f','g','h']", NONE },
};

START_TEST(what_makes_no_sense_is_unknown)
{
	json_t *object = json_of(objects[_i].object);
	struct learned it = learned_read(object);

	ck_assert_double_eq(it.cpu, _i == 0 ? 1.5 : 0);
	assert_learned(&it, objects[_i].told, objects[_i].width, objects[_i].memory,
	    objects[_i].wide, objects[_i].alone);
	json_decref(object);
	learned_clear(&it);
	assert_learned(&it, 0, 0, 0, NULL, NONE);
}
END_TEST

START_TEST(a_long_name_of_a_command_is_left_out)
{
	char name[102] = "";
	json_t *object;
	struct learned it;

	memset(name, 'x', 100);
	object = json_pack("{s:i,s:[s]}", "width", 2, "wide", name);
	it = learned_read(object);
	ck_assert_uint_eq(json_array_size(it.wide), 1);
	learned_clear(&it);
	name[100] = 'x';
	json_object_set_new(object, "wide", json_pack("[s]", name));
	it = learned_read(object);
	ck_assert_ptr_null(it.wide);
	learned_clear(&it);
	json_decref(object);
}
END_TEST

/* On four processors, a session of 10 or of 0.5 seconds. */
static const struct {
	unsigned told, width;
	double crowded, seconds, alone;
} times[] = {
	/* It had all processors, or did not know of any limit. */
	{ 4, 4, 0, 10, 10 }, { 4, 1, 0, 10, 10 }, { 0, 0, 0, 10, 10 }, { 0, 9, 0, 10, 10 },
	{ 8, 8, 0, 10, 10 },
	/* Told of fewer, it might have used more; or not, since it did not use these. */
	{ 2, 2, 0, 10, NONE }, { 1, 1, 0, 10, NONE }, { 3, 2, 0, 10, 10 }, { 2, 5, 0, 10, NONE },
	{ 2, 0, 0, 10, NONE }, { 2, 0, 0, 0.5, 0.5 },
	/* Others were in its way, for a while, for long, or nobody knows. */
	{ 4, 4, 2, 10, 8 }, { 4, 4, 2.01, 10, NONE }, { 4, 4, 10, 10, NONE },
	{ 4, 4, -1, 10, NONE }, { 0, 0, -1, 10, NONE },
	{ 4, 0, -1, 0.5, NONE },
};

START_TEST(only_what_was_undisturbed_tells_the_time_alone)
{
	struct record r = { .told = times[_i].told, .width = times[_i].width,
		.crowded = times[_i].crowded, .duration = times[_i].seconds };

	ck_assert_double_eq(learned_alone(&r, 4), times[_i].alone);
}
END_TEST

static void
assert_added(const char *before, struct record r, const char *after)
{
	json_t *old = before ? json_of(before) : NULL, *wanted = after ? json_of(after) : NULL;
	json_t *new = learned_add(old, &r, 4);
	char *text = json_dumps(new, 0);

	ck_assert_msg(after ? json_equal(new, wanted) : !new, "%s", text);
	free(text);
	json_decref(old);
	json_decref(new);
	json_decref(wanted);
	json_decref(r.wide);
}

static struct record
ran(double seconds, unsigned width, double crowded, const char *wide)
{
	return (struct record){ .duration = seconds, .told = 4, .width = width, .memory = 9,
		.cpu = 6.5,
		.crowded = crowded, .wide = wide ? json_of(wide) : NULL };
}

/* It was told of one, and so was not wide; but what it computes may be more or less by now. */
#define MYPY "{'told':4,'width':2,'memory':5,'cpu':%f,'wide':['mypy'],'alone':%f}"
static const struct {
	double seconds, cpu, crowded;
	unsigned width;
	double alone;
} parts[] = {
	{ 30, 30, 0, 1, 20.5 },
	{ 100, 100, 0, 1, 25 }, /* more than four can do in 20.5 seconds */
	{ 100, 40, 0, 1, 70 }, /* most of the time it waited */
	{ 100, 40, 60, 1, 20.5 }, /* for others */
	{ 8, 7, 0, 1, 8 },
	{ 8, 7, 3, 1, 8 },
};

START_TEST(the_last_run_with_a_look_counts)
{
	static const char before[] =
	    "{'told':2,'width':2,'memory':5,'cpu':2.5,'wide':['ninja'],'alone':20.5}";
	static const char wide[] =
	    "{'told':4,'width':4,'memory':5,'cpu':2.5,'wide':['pytest'],'alone':20.5}";

	assert_added(NULL, ran(10, 4, 0, "['pytest']"),
	    "{'told':4,'width':4,'memory':9,'cpu':6.5,'wide':['pytest'],'alone':10.0}");
	assert_added(before, ran(10, 4, 0, "['pytest']"),
	    "{'told':4,'width':4,'memory':9,'cpu':6.5,'wide':['pytest'],'alone':10.0}");
	/* Commands that are not wide any more are none. */
	assert_added(before, ran(10, 1, 0, NULL),
	    "{'told':4,'width':1,'memory':9,'cpu':6.5,'alone':10.0}");
	/* One that has a number of its own, seen once, is not said to heed what it is told. */
	assert_added(wide,
	    (struct record){ .duration = 30, .told = 2, .width = 4, .memory = 9, .cpu = 6.5,
		.crowded = 15 },
	    "{'told':2,'width':4,'memory':9,'cpu':6.5,'alone':20.5}");
	assert_added("{'told':2,'width':4,'memory':5,'cpu':2.5,'alone':20.5}", ran(10, 4, 0, NULL),
	    "{'told':2,'width':4,'memory':9,'cpu':6.5,'alone':10.0}");
	/* What shared the processors with others would use more. */
	for (size_t i = 0; i < countof(parts); i++) {
		char *wanted = xasprintf(MYPY, parts[i].cpu, parts[i].alone);

		assert_added("{'told':4,'width':2,'memory':5,'cpu':2.5,'wide':['mypy'],"
			     "'alone':20.5}",
		    (struct record){ .duration = parts[i].seconds, .told = 1,
			.width = parts[i].width, .cpu = parts[i].cpu,
			.crowded = parts[i].crowded },
		    wanted);
		free(wanted);
	}
	/* Or of nothing, one session at a time. But who uses more than is known has changed. */
	assert_added(wide, (struct record){ .duration = 30, .width = 2, .cpu = 30, .crowded = -1 },
	    wide);
	assert_added(wide, (struct record){ .duration = 30, .width = 5, .cpu = 30, .crowded = -1 },
	    "{'told':0,'width':5,'memory':0,'cpu':30.0,'alone':20.5}");
	/* What is known of a larger machine is not, of all that there is here. */
	assert_added("{'told':64,'width':64,'memory':5,'cpu':2.5,'wide':['ninja'],'alone':20.5}",
	    ran(10, 1, 0, NULL), "{'told':4,'width':1,'memory':9,'cpu':6.5,'alone':10.0}");
	/* In a crowd its width is seen, but not what it takes. */
	assert_added(before, ran(30, 4, 15, "['ninja']"),
	    "{'told':4,'width':4,'memory':9,'cpu':6.5,'wide':['ninja'],'alone':20.5}");
	assert_added(NULL, ran(30, 4, 15, NULL), "{'told':4,'width':4,'memory':9,'cpu':6.5}");
}
END_TEST

START_TEST(without_a_look_only_the_time_counts)
{
	static const char before[] =
	    "{'told':2,'width':2,'memory':5,'cpu':2.5,'wide':['ninja'],'alone':20.5}";

	/* A make that runs one session at a time need not look. */
	assert_added(NULL, (struct record){ .duration = 10, .cpu = 7 }, "{'alone':10.0}");
	assert_added(before, (struct record){ .duration = 10, .cpu = 7 },
	    "{'told':2,'width':2,'memory':5,'cpu':2.5,'wide':['ninja'],'alone':10.0}");
	/* Too short for a look is narrow, if nobody knows better. */
	assert_added(NULL, ran(0.5, 0, 0, NULL),
	    "{'told':4,'width':1,'memory':9,'cpu':6.5,'alone':0.5}");
	assert_added(before, ran(0.5, 0, 0, NULL),
	    "{'told':2,'width':2,'memory':5,'cpu':2.5,'wide':['ninja'],'alone':0.5}");
	assert_added("{'alone':3.0}", ran(0.5, 0, 0, NULL),
	    "{'told':4,'width':1,'memory':9,'cpu':6.5,'alone':0.5}");
	/* Nothing, and what is not fit to be kept. */
	assert_added(NULL, ran(10, 0, -1, NULL), NULL);
	assert_added("{'width':-3,'alone':'x'}", ran(10, 0, -1, NULL), NULL);
	assert_added("['x']", ran(10, 0, -1, NULL), NULL);
}
END_TEST

#define OWN "state/history.json"

static struct learned
look_up(const char *target)
{
	int state = folder_make("state");
	struct learned it = learned_of(state, target), same;
	struct history *history = history_load(state);

	/* Whoever reads all of the file finds the same. */
	same = history_learned(history, target);
	ck_assert_uint_eq(it.width, same.width);
	ck_assert_double_eq(it.alone, same.alone);
	learned_clear(&same);
	history_free(history);
	close(state);
	return it;
}

static void
put(const char *name, const char *text, size_t flags)
{
	json_t *object = json_of(text);

	close(folder_make("state"));
	ck_assert_int_eq(json_dump_file(object, name, flags), 0);
	json_decref(object);
}

/* Targets that are also keys of the file, or parts of each other; commands that are targets. */
static const char several[] =
    "{'schema':1,'sessions':{'learned':[1],'tests':[2],'test':[3],'pytest':[4],'sessions':[5]},"
    "'clients':['learned','test'],"
    "'learned':{'tests':{'told':2,'width':2,'wide':['test','pytest']},"
    "'learned':{'width':3},'test':{'width':4},'pytest':7,'sessions':{'width':5},"
    "'odd':{'width':{}}}}";

START_TEST(one_session_is_found_among_others)
{
	static const size_t flags[] = { JSON_COMPACT, 0, JSON_INDENT(2), JSON_SORT_KEYS };
	static const struct {
		const char *target;
		unsigned width;
	} found[] = { { "tests", 2 }, { "learned", 3 }, { "test", 4 }, { "sessions", 5 },
		{ "pytest", 0 }, { "odd", 0 }, { "schema", 0 }, { "width", 0 }, { "", 0 },
		{ "tests\":", 0 }, { "zzz", 0 } };

	put(OWN, several, flags[_i]);
	for (size_t i = 0; i < countof(found); i++) {
		struct learned it = look_up(found[i].target);

		ck_assert_msg(it.width == found[i].width, "%s: %u", found[i].target, it.width);
		ck_assert_int_eq(it.known, it.width > 0);
		learned_clear(&it);
	}
	assert_silent();
}
END_TEST

START_TEST(blanks_may_stand_anywhere)
{
	struct learned it;

	close(folder_make("state"));
	file_put(OWN, "{\"schema\":1,\"sessions\":{},\n\"learned\" \t:\r\n{ \"a\"\n:\n"
		"{\"width\" : 6 } } }\n");
	it = look_up("a");
	ck_assert_uint_eq(it.width, 6);
	learned_clear(&it);
}
END_TEST

START_TEST(a_seed_tells_what_we_do_not_know)
{
	struct learned it;

	put(OWN, "{'schema':1,'sessions':{'a':[1]},'learned':{'a':{'width':2}}}", 0);
	put("seed.json", "{'schema':1,'sessions':{'a':[1],'b':[1]},'learned':{'a':{'width':8},"
		"'b':{'width':3}}}", 0);
	setenv("NOXMK_HISTORY", "seed.json", 1);
	it = look_up("a");
	ck_assert_uint_eq(it.width, 2);
	learned_clear(&it);
	it = look_up("b");
	ck_assert_uint_eq(it.width, 3);
	learned_clear(&it);
	it = learned_of(-1, "b");
	ck_assert_uint_eq(it.width, 3);
	learned_clear(&it);
	setenv("NOXMK_HISTORY", "", 1);
	it = look_up("b");
	ck_assert(!it.known);
	learned_clear(&it);
	unsetenv("NOXMK_HISTORY");
	assert_silent();
}
END_TEST

/* A helper says nothing of them: who plans the order has said it. */
static const char *const damaged[] = { "", "{", "\xff", "\"learned\"", "\"learned\":{\"a\"",
	"\"learned\":{\"a\":", "\"learned\":{\"a\":{", "\"learned\":{\"a\":{\"width\":2",
	"\"learned\":{\"a\":[{\"width\":2}]", "{\"a\":{\"width\":2}}" };

START_TEST(a_damaged_file_tells_nothing)
{
	int state = folder_make("state");
	struct learned it;

	file_put(OWN, damaged[_i]);
	it = learned_of(state, "a");
	ck_assert(!it.known && it.alone == NONE);
	learned_clear(&it);
	unlink(OWN);
	close(folder_make(OWN));
	it = learned_of(state, "a");
	ck_assert(!it.known);
	close(state);
	assert_silent();
}
END_TEST

Suite *
check_learned_suite(void)
{
	Suite *suite = suite_create("learned");
	TCase *tc = support_case(suite, "learned");

	tcase_add_loop_test(tc, what_makes_no_sense_is_unknown, 0, countof(objects));
	tcase_add_test(tc, a_long_name_of_a_command_is_left_out);
	tcase_add_loop_test(tc, only_what_was_undisturbed_tells_the_time_alone, 0,
	    countof(times));
	tcase_add_test(tc, the_last_run_with_a_look_counts);
	tcase_add_test(tc, without_a_look_only_the_time_counts);
	tcase_add_loop_test(tc, one_session_is_found_among_others, 0, 4);
	tcase_add_test(tc, blanks_may_stand_anywhere);
	tcase_add_test(tc, a_seed_tells_what_we_do_not_know);
	tcase_add_loop_test(tc, a_damaged_file_tells_nothing, 0, countof(damaged));
	return suite;
}
