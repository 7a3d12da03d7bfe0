#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nox/env.h"
#include "support.h"

/* "A=1 B=2 ": what is in the list, in its order. */
static char *
join(char **list)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	for (char **entry = list; *entry; entry++)
		buffer_printf(&b, "%s ", *entry);
	free(list);
	return b.data;
}

static const struct {
	const char *ours[5], *extra[3], *plan, *session;
} table[] = {
	{ { "A=1", "B=2" }, { NULL }, "A=1 B=2 ", "A=1 B=2 " },
	{ { NULL }, { NULL }, "", "" },
	{ { "MAKEFLAGS=-j2", "MAKELEVEL=1", "A=1", "MFLAGS=-j2" }, { NULL }, "A=1 ", "A=1 " },
	{ { "MAKE_TERMOUT=1", "MAKE_TERMERR=1", "MAKE_RESTARTS=2", "MAKEOVERRIDES=x" }, { NULL },
	    "", "" },
	{ { "NOXMK_RUN=1-2", "NOXMK_PROJECT=p", "NOXMK_NOXFILE=n", "NOXMK_RESERVED=r" }, { NULL },
	    "", "" },
	{ { "NOXSESSION=a", "NOXPYTHON=3.9", "NOX_PARALLEL=2", "NOXFORCEPYTHON=3.1" }, { NULL },
	    "NOXSESSION=a NOXPYTHON=3.9 NOX_PARALLEL=2 NOXFORCEPYTHON=3.1 ",
	    "NOXFORCEPYTHON=3.1 " },
	/* Only the whole name counts. */
	{ { "MAKEFLAGSX=1", "MAKEFLAG=1", "XMAKEFLAGS=1" }, { NULL },
	    "MAKEFLAGSX=1 MAKEFLAG=1 XMAKEFLAGS=1 ", "MAKEFLAGSX=1 MAKEFLAG=1 XMAKEFLAGS=1 " },
	{ { "A=1", "B=2" }, { "A=3", "C=4" }, "B=2 A=3 C=4 ", "B=2 A=3 C=4 " },
	{ { "AB=1", "A=1" }, { "A=" }, "AB=1 A= ", "AB=1 A= " },
	/* ARGS of make's command line is ours; any other is the user's. */
	{ { "ARGS=-v", "A=1" }, { NULL }, "ARGS=-v A=1 ", "ARGS=-v A=1 " },
	{ { "ARGS=-v", "MAKEFLAGS=k -- ARGS=-v" }, { NULL }, "", "" },
	{ { "ARGS=-v", "MAKEFLAGS=k -- XARGS=-v" }, { NULL }, "ARGS=-v ", "ARGS=-v " },
};

START_TEST(variables_of_make_and_ours_are_left_out)
{
	char **saved = environ, *ours[5], *plan, *session;

	memcpy(ours, table[_i].ours, sizeof(ours));
	environ = ours;
	plan = join(env_for_plan(table[_i].extra));
	session = join(env_for_session(table[_i].extra));
	environ = saved;
	ck_assert_str_eq(plan, table[_i].plan);
	ck_assert_str_eq(session, table[_i].session);
	free(plan);
	free(session);
}
END_TEST

/* What nox was given, what it had then, and what has become of it on the way. */
static const struct {
	const char *given[5], *had, *difference;
} changes[] = {
	{ { "A=1", "B=2" }, "{'A':'1','B':'2'}", "{'set':{},'unset':[]}" },
	{ { "A=1", "B=2" }, "{'A':'3','C':''}", "{'set':{'A':'3','C':''},'unset':['B']}" },
	{ { "PWD=/a", "SHLVL=1", "_=x", "OLDPWD=/" }, "{'PWD':'/b','SHLVL':'2'}",
	    "{'set':{},'unset':[]}" },
	{ { "A=" }, "{'A':'','MAKEFLAGS':'j','NOX_SCRIPT_MODE':'none'}",
	    "{'set':{},'unset':[]}" },
	/* The probe cannot tell of what is not UTF-8. */
	{ { "A=\xff" }, "{}", "{'set':{},'unset':[]}" },
	{ { "A=a=b" }, "{'A':'a=b=c'}", "{'set':{'A':'a=b=c'},'unset':[]}" },
};

START_TEST(what_a_command_changes_is_known)
{
	json_t *had = json_of(changes[_i].had), *wanted = json_of(changes[_i].difference);
	char *given[5];
	json_t *difference;

	memcpy(given, changes[_i].given, sizeof(given));
	difference = env_difference(given, had);
	ck_assert(json_equal(difference, wanted));
	json_decref(difference);
	json_decref(wanted);
	json_decref(had);
}
END_TEST

START_TEST(what_a_command_changes_can_be_adopted)
{
	json_t *difference = json_of("{'set':{'A':'new','B':7},'unset':['C','D',1]}");

	setenv("A", "old", 1);
	unsetenv("B");
	setenv("C", "old", 1);
	env_adopt(NULL);
	env_adopt(difference);
	ck_assert_str_eq(getenv("A"), "new");
	ck_assert_ptr_null(getenv("B"));
	ck_assert_ptr_null(getenv("C"));
	json_decref(difference);
}
END_TEST

Suite *
check_env_suite(void)
{
	Suite *suite = suite_create("env");
	TCase *tc = support_case(suite, "env");

	tcase_add_loop_test(tc, variables_of_make_and_ours_are_left_out, 0, countof(table));
	tcase_add_loop_test(tc, what_a_command_changes_is_known, 0, countof(changes));
	tcase_add_test(tc, what_a_command_changes_can_be_adopted);
	return suite;
}
