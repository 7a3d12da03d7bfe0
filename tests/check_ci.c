#include <stdlib.h>
#include <string.h>

#include "output/ci.h"
#include "support.h"

static const char *const variables[] = { "CI", "GITHUB_ACTIONS", "FORGEJO_ACTIONS", "GITEA_ACTIONS",
	"GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION" };

static void
be_nowhere(void)
{
	for (size_t i = 0; i < countof(variables); i++)
		unsetenv(variables[i]);
}

START_TEST(without_a_variable_there_is_no_ci)
{
	be_nowhere();
	ck_assert(!ci_reads());
}
END_TEST

START_TEST(each_forge_is_known_by_its_variable)
{
	be_nowhere();
	setenv(variables[_i], "true", 1);
	ck_assert(ci_reads());
	setenv(variables[_i], "2024.1", 1);
	ck_assert(ci_reads());
	setenv(variables[_i], "false", 1);
	ck_assert(!ci_reads());
	setenv(variables[_i], "", 1);
	ck_assert(!ci_reads());
}
END_TEST

/* Lines with their guards in them. */
static const struct {
	const char *line, *guarded;
} lines[] = {
	{ "", "" },
	{ "a b", "a b" },
	{ "::error::x", "| ::error::x" },
	{ ":", "| :" },
	{ " \t ::x", " \t | ::x" },
	{ "a ::x", "a ::x" },
	{ "#:", "#:" },
	{ "##[error]x", "##|[error]x" },
	{ "  a##vso[x]", "  a##|vso[x]" },
	{ "####teamcity[x]", "####|teamcity[x]" },
	{ "##[a]##[b]", "##|[a]##|[b]" },
	{ "# a", "# a" },
	{ "## a", "## a" },
	{ "##\ta", "##\ta" },
	{ "#a#b", "#a#b" },
	{ "##", "##" },
	{ " ##a", " ##|a" },
	{ "##:a", "##|:a" },
};

START_TEST(commands_are_defused_and_nothing_else)
{
	struct ci_line line = { 0 };
	struct buffer guarded = { 0 };

	buffer_addstr(&guarded, "");
	for (const char *p = lines[_i].line; *p; p++) {
		buffer_addstr(&guarded, ci_guard(&line, *p));
		buffer_add(&guarded, p, 1);
	}
	ck_assert_str_eq(guarded.data, lines[_i].guarded);
	buffer_free(&guarded);
}
END_TEST

Suite *
check_ci_suite(void)
{
	Suite *suite = suite_create("ci");
	TCase *tc = support_case(suite, "ci");

	tcase_add_test(tc, without_a_variable_there_is_no_ci);
	tcase_add_loop_test(tc, each_forge_is_known_by_its_variable, 0, countof(variables));
	tcase_add_loop_test(tc, commands_are_defused_and_nothing_else, 0, countof(lines));
	return suite;
}
