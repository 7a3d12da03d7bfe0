#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nox/noxcall.h"
#include "support.h"

/* The helper as nox; its output goes to the file out. */
static int
call(const char *program, const char *const *verbs, const char *const *extra)
{
	struct strings nox = { 0 };
	int out = open("out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), code;

	strings_add(&nox, program);
	strings_add(&nox, "print");
	strings_add(&nox, "first");
	code = nox_call(&nox, verbs, extra, out);
	free(nox.v);
	close(out);
	return code;
}

static const struct {
	const char *verbs[5];
	int code;
	const char *out;
} table[] = {
	{ { NULL }, 0, "first\n" },
	{ { "print", "second", "exit", "3" }, 3, "first\nsecond\n" },
	{ { "die", "15" }, 128 + 15, "first\n" },
	{ { "err", "oops", "env", "EXTRA" }, 0, "first\nEXTRA=1\n" },
	{ { "env", "MAKELEVEL", "env", "NOXSESSION" }, 0,
	    "first\nMAKELEVEL unset\nNOXSESSION=s\n" },
};

START_TEST(nox_gets_its_arguments_and_gives_its_code)
{
	static const char *const extra[] = { "EXTRA=1", NULL };

	setenv("MAKELEVEL", "1", 1);
	setenv("NOXSESSION", "s", 1);
	ck_assert_int_eq(call(helper_path(), table[_i].verbs, extra), table[_i].code);
	unsetenv("MAKELEVEL");
	unsetenv("NOXSESSION");
	assert_file("out", table[_i].out);
	ck_assert_str_eq(warnings(), strstr(warnings(), "oops") ? "oops\n" : "");
}
END_TEST

START_TEST(a_missing_nox_is_warned_of)
{
	static const char *const none[] = { NULL };

	ck_assert_int_eq(call("./no-nox", none, none), -1);
	assert_warned("cannot run nox (NOX='./no-nox'): install it, or set NOX to its command");
}
END_TEST

Suite *
check_noxcall_suite(void)
{
	Suite *suite = suite_create("noxcall");
	TCase *tc = support_case(suite, "noxcall");

	tcase_add_loop_test(tc, nox_gets_its_arguments_and_gives_its_code, 0, countof(table));
	support_spawn_failure_test(tc, a_missing_nox_is_warned_of);
	return suite;
}
