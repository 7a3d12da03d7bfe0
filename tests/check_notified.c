#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notified.h"
#include "state/record.h"
#include "support.h"

static int
run_with_caller(const char *notify)
{
	int run = folder_make("run");
	char name[] = "a";
	struct record r = { .target = name, .session = name, .notify = json_of(notify) };

	ck_assert_int_eq(record_write(run, &r), 0);
	json_decref(r.notify);
	return run;
}

/* It keeps the names of the targets for the rest of the process: under 100 bytes each. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static int
notified_run_and_leak(int run, const char *key, char *const *make)
{
	int result;

	if (__lsan_disable)
		__lsan_disable();
	result = notified_run(run, key, make);
	if (__lsan_enable)
		__lsan_enable();
	return result;
}

/* A make that does no more than make the records of c and d, as a shell script. */
static char shell[] = "/bin/sh", script[] = "./make";
static char failing[] = "/bin/false", none[] = "./no-make";

START_TEST(nobody)
{
	char *make[] = { none, NULL };
	int run = run_with_caller("[]");

	ck_assert_int_eq(notified_run_and_leak(run, "1-2", make), 0);
	assert_silent();
	close(run);
}
END_TEST

START_TEST(until_none_is_left)
{
	char *make[] = { shell, script, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	/* The first time c notifies d, the second time d notifies c, which has a record. */
	file_put("make", "echo \"$NOXMK_RUN $*\" >>calls\n"
			 "for run; do t=${run##*/}; o=d; [ $t = c ] || o=c\n"
			 "sed 's/\"a\"/\"'$t'\"/; s/\"target\": \"c\"/\"target\": \"'$o'\"/' "
			 "run/a.json >run/$t.json; done\n");
	ck_assert_int_eq(notified_run_and_leak(run, "1-2", make), 0);
	assert_file("calls", "1-2 .noxmk/run/c\n1-2 .noxmk/run/d\n");
	assert_silent();
	close(run);
}
END_TEST

/* A session whose record is lost is not run for ever. */
START_TEST(never_recorded)
{
	char *make[] = { shell, script, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	file_put("make", "echo \"$*\" >>calls\n");
	ck_assert_int_eq(notified_run_and_leak(run, "1-2", make), 0);
	assert_file("calls", ".noxmk/run/c\n");
	close(run);
}
END_TEST

START_TEST(make_fails)
{
	char *make[] = { failing, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	ck_assert_int_eq(notified_run_and_leak(run, NULL, make), -1);
	close(run);
}
END_TEST

START_TEST(make_cannot_start)
{
	char *make[] = { none, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	ck_assert_int_eq(notified_run_and_leak(run, NULL, make), -1);
	assert_warned("cannot run ./no-make for the notified sessions: No such file");
	close(run);
}
END_TEST

Suite *
check_notified_suite(void)
{
	Suite *suite = suite_create("notified");
	TCase *tc = support_case(suite, "notified");

	tcase_add_test(tc, nobody);
	tcase_add_test(tc, until_none_is_left);
	tcase_add_test(tc, never_recorded);
	tcase_add_test(tc, make_fails);
	support_spawn_failure_test(tc, make_cannot_start);
	return suite;
}
