#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/record.h"
#include "support.h"

static char target[] = "lint", session[] = "lint(1)", reason[] = "it \"broke\"\n";

START_TEST(what_is_written_is_read)
{
	struct record r = { .target = target, .session = session, .verdict = (enum verdict)_i,
		.exit = _i, .signal = _i - 1, .started = 1795396708.25, .ended = 1795396709.75,
		.duration = 1.5, .logged = _i % 2, .live = _i == 2, .excused = _i == 3,
		.cpu = 2.25, .client = _i % 3 - 1, .told = 4 * (unsigned)_i,
		.few = _i == 2 ? reason : NULL,
		.width = 3 * (unsigned)_i, .memory = (unsigned long long)_i << 40,
		.crowded = _i - 1.5, .own = _i - 2.5, .shown = 9 * _i,
		.announced = { (unsigned)_i, 2 }, .slots = (unsigned)_i }, back;

	if (_i > 0)
		r.reason = reason;
	if (_i == 1) {
		r.notify = json_of("[{'target':'coverage','posargs':['-v']}]");
		r.wide = json_of("['pytest','ninja']");
		r.recheck = json_of("{'verdict':'passed','beside':['tests']}");
		r.samples = json_of("{'every':0.25,'cpu':[0.5],'width':[1],'mib':[7.5]}");
	}
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &back), 1);
	ck_assert_str_eq(back.target, target);
	ck_assert_str_eq(back.session, session);
	ck_assert_int_eq(back.verdict, r.verdict);
	ck_assert_pstr_eq(back.reason, r.reason);
	ck_assert_int_eq(back.exit, r.exit);
	ck_assert_int_eq(back.signal, r.signal);
	ck_assert_double_eq(back.started, r.started);
	ck_assert_double_eq(back.ended, r.ended);
	ck_assert_double_eq(back.duration, r.duration);
	ck_assert_int_eq(back.logged, r.logged);
	ck_assert_int_eq(back.live, r.live);
	ck_assert_int_eq(back.excused, r.excused);
	ck_assert_double_eq(back.cpu, r.cpu);
	ck_assert_int_eq(back.client, r.client);
	ck_assert_uint_eq(json_array_size(back.notify), _i == 1);
	ck_assert_uint_eq(back.told, r.told);
	ck_assert_pstr_eq(back.few, r.few);
	ck_assert_uint_eq(back.width, r.width);
	ck_assert_uint_eq(back.memory, r.memory);
	ck_assert(r.wide ? json_equal(back.wide, r.wide) : !back.wide);
	ck_assert(r.recheck ? json_equal(back.recheck, r.recheck) : !back.recheck);
	ck_assert(r.samples ? json_equal(back.samples, r.samples) : !back.samples);
	ck_assert_uint_eq(back.slots, r.slots);
	ck_assert_double_eq(back.crowded, r.crowded < 0 ? -1 : r.crowded);
	ck_assert_double_eq(back.own, r.own < 0 ? -1 : r.own);
	ck_assert_int_eq(back.shown, r.shown);
	ck_assert_mem_eq(back.announced, r.announced, sizeof(r.announced));
	record_clear(&back);
	json_decref(r.notify);
	json_decref(r.wide);
	json_decref(r.recheck);
	json_decref(r.samples);
	assert_silent();
}
END_TEST

static const struct {
	enum verdict verdict;
	const char *name;
	bool excused, bad;
} verdicts[] = {
	{ PASSED, "passed", false, false }, { FAILED, "failed", false, true },
	{ SKIPPED, "skipped", false, false }, { ABORTED, "aborted", false, true },
	{ CANCELLED, "cancelled", false, true }, { NOT_RUN, "not run", false, true },
	{ NOT_RUN, "not run", true, false },
};

START_TEST(bad_records_make_goals_fail)
{
	struct record r = { .verdict = verdicts[_i].verdict, .excused = verdicts[_i].excused };

	ck_assert_str_eq(verdict_name(r.verdict), verdicts[_i].name);
	ck_assert_int_eq(record_is_bad(&r), verdicts[_i].bad);
}
END_TEST

START_TEST(a_lost_verdict_is_warned_of)
{
	struct record r = { .target = target, .session = session };
	char odd[] = "\xff";
	int file, result;

	file_put("file", "");
	file = open("file", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(record_write(file, -1, &r), -1);
	assert_warned("lint.json: the verdict of this session is lost: Not a directory");
	close(file);
	limit_set(RLIMIT_FSIZE, 10);
	result = record_write(AT_FDCWD, -1, &r);
	limit_restore();
	ck_assert_int_eq(result, -1);
	assert_warned("lost: File too large");
	ck_assert(!file_there("lint.json"));
	r.session = odd;
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), -1);
	assert_warned("lint.json: cannot be written as JSON");
}
END_TEST

/* A reason that is no UTF-8 is left out: the verdict counts more. */
/* What was reserved is as large as it was, and is not the record before that is written. */
START_TEST(a_reserved_room_becomes_the_record)
{
	struct record r = { .target = target, .session = session }, read;
	struct stat room, record;

	ck_assert_int_eq(record_reserve(AT_FDCWD, target), 0);
	ck_assert_int_eq(stat(".lint.room", &room), 0);
	ck_assert_int_gt(room.st_blocks * 512, 8192);
	ck_assert_int_eq(record_read(AT_FDCWD, target, &read), 0);
	/* A second time it stays. */
	ck_assert_int_eq(record_reserve(AT_FDCWD, target), 0);
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	ck_assert_int_eq(stat("lint.json", &record), 0);
	ck_assert_int_eq(record.st_ino, room.st_ino);
	ck_assert(!file_there(".lint.room"));
	ck_assert_int_eq(record_read(AT_FDCWD, target, &read), 1);
	record_clear(&read);
	/* What was left is written as any file. */
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	ck_assert_int_eq(record_reserve(AT_FDCWD, target), 0);
	record_release(AT_FDCWD, target);
	ck_assert(!file_there(".lint.room"));
	assert_silent();
}
END_TEST

START_TEST(a_reason_that_is_no_utf8_is_left_out)
{
	char odd[] = "\xff";
	struct record r = { .target = target, .session = session, .reason = odd }, back;

	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &back), 1);
	ck_assert_ptr_null(back.reason);
	record_clear(&back);
}
END_TEST

/* What a record must have, one field at a time; NULL takes it away. */
static const struct {
	const char *key, *value;
	int result;
} damages[] = {
	{ "schema", NULL, -1 }, { "schema", "2", -1 }, { "schema", "'1'", -1 },
	{ "verdict", NULL, -1 }, { "verdict", "'fine'", -1 }, { "verdict", "7", -1 },
	{ "target", NULL, -1 }, { "target", "[]", -1 },
	{ "session", NULL, -1 }, { "session", "null", -1 },
	{ "notify", NULL, -1 }, { "notify", "{}", -1 },
	{ "exit", NULL, 1 }, { "exit", "'0'", 1 }, { "signal", "[]", 1 }, { "reason", "7", 1 },
	{ "started", "'x'", 1 }, { "duration", NULL, 1 }, { "ended", "null", 1 }, { "log", "7", 1 },
	{ "live", NULL, 1 }, { "excused", "'yes'", 1 },
	{ "told", NULL, 1 }, { "told", "-1", 1 }, { "told", "4294967296", 1 }, { "told", "'4'", 1 },
	{ "width", NULL, 1 }, { "width", "2.5", 1 }, { "width", "-9223372036854775808", 1 },
	{ "memory", NULL, 1 }, { "memory", "-1", 1 }, { "memory", "[1]", 1 },
	{ "wide", NULL, 1 }, { "wide", "'pytest'", 1 }, { "wide", "{'pytest':1}", 1 },
	{ "wide", "[1,null,['pytest']]", 1 },
	{ "own", NULL, 1 }, { "own", "-2.5", 1 }, { "own", "{}", 1 },
	{ "shown", NULL, 1 }, { "shown", "-1", 1 }, { "shown", "'1'", 1 },
	{ "announced", NULL, 1 }, { "announced", "[-1,4294967296]", 1 }, { "announced", "7", 1 },
	{ "samples", NULL, 1 }, { "samples", "[]", 1 }, { "samples", "{'every':1}", 1 },
	{ "slots", NULL, 1 }, { "slots", "-1", 1 },
	{ "crowded", NULL, 1 }, { "crowded", "-2.5", 1 }, { "crowded", "'1'", 1 },
};

START_TEST(a_damaged_record_is_warned_of)
{
	struct record r = { .target = target, .session = session, .exit = -1, .signal = -1,
		.crowded = -1, .own = -1 };
	json_t *object;

	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	object = json_load_file("lint.json", 0, NULL);
	if (damages[_i].value)
		json_object_set_new(object, damages[_i].key, json_of(damages[_i].value));
	else
		json_object_del(object, damages[_i].key);
	json_dump_file(object, "lint.json", 0);
	json_decref(object);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &r), damages[_i].result);
	if (damages[_i].result < 0) {
		assert_warned("lint.json: not a record of a session");
		ck_assert_ptr_null(r.target);
	} else {
		ck_assert_int_eq(r.exit, -1);
		ck_assert_int_eq(r.signal, -1);
		ck_assert_ptr_null(r.reason);
		ck_assert(!r.logged && !r.live && !r.excused);
		ck_assert(r.told == 0 && r.width == 0 && r.memory == 0 && !r.wide);
		ck_assert(r.crowded == -1 && r.own == -1 && r.shown == 0);
		ck_assert(r.slots == 0 && !r.samples);
		assert_silent();
	}
	record_clear(&r);
}
END_TEST

/* Of a list only the strings count; and what is no number does not cost the verdict. */
START_TEST(odd_figures_do_no_harm)
{
	struct record r = { .target = target, .session = session, .wide = json_of("[7,'ninja',{}]"),
		.crowded = _i ? (double)INFINITY : (double)NAN }, back;
	json_t *wanted = json_of("['ninja']");

	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &back), 1);
	ck_assert(json_equal(back.wide, wanted));
	ck_assert_double_eq(back.crowded, -1);
	record_clear(&back);
	json_decref(r.wide);
	json_decref(wanted);
	assert_silent();
}
END_TEST

static const char *const no_records[] = { "", "{", "[]", "null", "\"x\"",
	"{\"schema\":1}", "\xff" };

START_TEST(no_record_is_no_error)
{
	struct record r;

	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &r), 0);
	assert_silent();
	file_put("lint.json", no_records[_i]);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &r), -1);
	assert_warned("lint.json: not a record of a session");
	unlink("lint.json");
	ck_assert_int_eq(symlink("lint.json", "lint.json"), 0);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &r), -1);
	assert_warned("lint.json: a link");
}
END_TEST

/* What a helper of another version, or somebody else, has written is no longer than ours. */
START_TEST(a_long_record_is_bounded)
{
	struct record r = { .target = target, .session = session, .steps = json_array(),
		.waits = json_array() }, back;
	char *long_one = xcalloc(9 << 20, 1);

	for (int i = 0; i < 1000; i++) {
		json_array_append_new(r.steps, json_of("{'kind':'run','seconds':1.0}"));
		json_array_append_new(r.waits, json_of("{'for':'build','seconds':1.0}"));
	}
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &back), 1);
	ck_assert_uint_eq(json_array_size(back.steps), 200);
	ck_assert_int_eq(json_integer_value(json_object_get(back.more_steps, "steps")), 800);
	ck_assert_uint_eq(json_array_size(back.waits), 201);
	record_clear(&back);
	memset(long_one, 'x', (9 << 20) - 1);
	r.reason = long_one;
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	assert_silent();
	/* It has its verdict all the same. */
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &back), 1);
	ck_assert(back.verdict == r.verdict && !back.reason);
	record_clear(&back);
	file_put("lint.json", long_one);
	ck_assert_int_eq(record_read(AT_FDCWD, "lint", &back), -1);
	assert_warned("lint.json: larger than a record is");
	free(long_one);
	json_decref(r.steps);
	json_decref(r.waits);
}
END_TEST

START_TEST(records_are_listed_by_target)
{
	int folder = folder_make("run"), file;
	json_t *list = record_list(folder), *wanted = json_of("['a','b-1']");

	ck_assert_uint_eq(json_array_size(list), 0);
	json_decref(list);
	file_put("run/b-1.json", "");
	file_put("run/a.json", "");
	file_put("run/a.log", "");
	file_put("run/.run.json", "");
	file_put("run/.json", "");
	file_put("run/c.json.12~", "");
	list = record_list(folder);
	ck_assert(json_equal(list, wanted));
	json_decref(list);
	json_decref(wanted);
	close(folder);
	file_put("file", "");
	file = open("file", O_RDONLY | O_CLOEXEC);
	ck_assert_ptr_null(record_list(file));
	assert_warned("the run's folder: Not a directory");
	close(file);
}
END_TEST

Suite *
check_record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *tc = support_case(suite, "record");

	tcase_add_loop_test(tc, what_is_written_is_read, 0, VERDICTS);
	tcase_add_loop_test(tc, bad_records_make_goals_fail, 0, countof(verdicts));
	tcase_add_test(tc, a_lost_verdict_is_warned_of);
	tcase_add_test(tc, a_reserved_room_becomes_the_record);
	tcase_add_test(tc, a_reason_that_is_no_utf8_is_left_out);
	tcase_add_loop_test(tc, a_damaged_record_is_warned_of, 0, countof(damages));
	tcase_add_loop_test(tc, odd_figures_do_no_harm, 0, 2);
	tcase_add_loop_test(tc, no_record_is_no_error, 0, countof(no_records));
	tcase_add_test(tc, a_long_record_is_bounded);
	tcase_add_test(tc, records_are_listed_by_target);
	return suite;
}
