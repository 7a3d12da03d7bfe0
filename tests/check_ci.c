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
	ck_assert_int_eq(ci_reads("annotations"), CI_NONE);
}
END_TEST

START_TEST(the_forge_is_known_by_its_variable)
{
	static const enum ci_forge forges[] = { FORGE_OTHER, FORGE_GITHUB, FORGE_FORGEJO,
		FORGE_GITEA, FORGE_GITLAB, FORGE_OTHER, FORGE_OTHER };

	be_nowhere();
	ck_assert_int_eq(ci_forge(), FORGE_NONE);
	setenv(variables[_i], "false", 1);
	ck_assert_int_eq(ci_forge(), FORGE_NONE);
	setenv(variables[_i], "true", 1);
	ck_assert_int_eq(ci_forge(), forges[_i]);
	/* All set this, and some set GitHub's. */
	setenv("CI", "true", 1);
	ck_assert_int_eq(ci_forge(), forges[_i]);
	if (_i == 2 || _i == 3) {
		setenv("GITHUB_ACTIONS", "true", 1);
		ck_assert_int_eq(ci_forge(), forges[_i]);
	}
}
END_TEST

START_TEST(annotations_pass_in_a_ci_if_wanted)
{
	be_nowhere();
	setenv("CI", "true", 1);
	ck_assert_int_eq(ci_reads("annotations"), CI_ANNOTATIONS);
	ck_assert(!ci_masks());
}
END_TEST

/* To all others a value behind ::add-mask:: would be shown. */
START_TEST(three_forges_know_add_mask_and_annotations)
{
	be_nowhere();
	setenv(variables[_i], "true", 1);
	ck_assert_int_eq(ci_reads(NULL), _i >= 1 && _i <= 3 ? CI_ANNOTATIONS : CI_DEFUSED);
	ck_assert_int_eq(ci_masks(), _i >= 1 && _i <= 3);
}
END_TEST

/* Forgejo and Gitea set GitHub's variable, too. */
START_TEST(one_forge_shows_annotations)
{
	be_nowhere();
	ck_assert(!ci_annotates("annotations"));
	setenv("CI", "true", 1);
	ck_assert(ci_annotates("annotations") && !ci_annotates("none") && !ci_annotates(NULL));
	setenv("GITHUB_ACTIONS", "true", 1);
	ck_assert(ci_annotates(NULL) && !ci_annotates("none"));
	setenv(variables[_i], "true", 1);
	ck_assert_int_eq(ci_annotates(NULL), _i != 2 && _i != 3);
}
END_TEST

static const struct {
	const char *start;
	enum ci_match add_mask, annotation;
} starts[] = {
	{ ":", CI_MAYBE, CI_MAYBE }, { "::", CI_MAYBE, CI_MAYBE }, { "::a", CI_MAYBE, CI_OTHER },
	{ "::add-mask", CI_MAYBE, CI_OTHER }, { "::add-mask:", CI_MAYBE, CI_OTHER },
	{ "::add-mask::", CI_FOUND, CI_OTHER }, { "::ADD-mask x", CI_FOUND, CI_OTHER },
	{ "::add-mask:x", CI_OTHER, CI_OTHER }, { "::add-masks", CI_OTHER, CI_OTHER },
	{ "::error", CI_OTHER, CI_MAYBE }, { "::error file=", CI_OTHER, CI_FOUND },
	{ "::warning::", CI_OTHER, CI_FOUND }, { "::Notice::", CI_OTHER, CI_FOUND },
	{ "::notices", CI_OTHER, CI_OTHER }, { "::debug::", CI_OTHER, CI_OTHER },
	{ " ::error::", CI_OTHER, CI_OTHER }, { "::error\t", CI_OTHER, CI_OTHER },
};

START_TEST(a_command_is_known_by_its_start)
{
	size_t n = strlen(starts[_i].start);

	ck_assert_int_eq(ci_add_mask(starts[_i].start, n), starts[_i].add_mask);
	ck_assert_int_eq(ci_annotation(starts[_i].start, n), starts[_i].annotation);
}
END_TEST

/* In .NET's char.IsWhiteSpace; CR and LF end a line. */
START_TEST(runners_pass_over_these_blanks_only)
{
	static const struct {
		const char *text;
		enum ci_match match;
	} blanks[] = {
		{ " ", CI_FOUND }, { "\t", CI_FOUND }, { "\v", CI_FOUND }, { "\xc2\x85", CI_FOUND },
		{ "\u00a0", CI_FOUND }, { "\u1680", CI_FOUND }, { "\u2000", CI_FOUND },
		{ "\u200a", CI_FOUND }, { "\u2028", CI_FOUND }, { "\u202f", CI_FOUND },
		{ "\u205f", CI_FOUND }, { "\u3000", CI_FOUND }, { "\xe2", CI_MAYBE },
		{ "\xe2\x80", CI_MAYBE }, { "\xe2\x81", CI_MAYBE }, { "\xe2\x82", CI_OTHER },
		{ "\u200b", CI_OTHER }, { "a", CI_OTHER }, { "  ", CI_OTHER }, { "\xff", CI_OTHER },
	};

	for (size_t i = 0; i < countof(blanks); i++)
		ck_assert_int_eq(ci_blank(blanks[i].text, strlen(blanks[i].text)),
		    blanks[i].match);
}
END_TEST

static const struct {
	const char *line, *text; /* NULL: no command */
} texts[] = {
	{ "::add-mask::a b::c", "a b::c" }, { "::error file=a,line=1::x", "x" },
	{ "::add-mask::", "" },
	{ "::add-mask a", NULL }, { "::add-mask:", NULL }, { "::", NULL }, { ":", NULL },
	/* As the runner decodes it: in upper case, and %25 last. */
	{ "::add-mask::a%0Ab%0D%0Ac%25%3A%0a", "a\nb\r\nc%%3A%0a" },
	{ "::add-mask::%250A%", "%0A%" }, { "::add-mask::%2", "%2" },
};

START_TEST(a_text_is_what_the_runner_makes_of_it)
{
	const char *line = texts[_i].line, *text = ci_text(line, strlen(line));
	struct buffer decoded = { 0 };

	if (!texts[_i].text) {
		ck_assert_ptr_null(text);
		return;
	}
	buffer_addstr(&decoded, "");
	ci_decode(text, strlen(text), &decoded);
	ck_assert_str_eq(decoded.data, texts[_i].text);
	buffer_free(&decoded);
}
END_TEST

START_TEST(each_forge_is_known_by_its_variable)
{
	be_nowhere();
	setenv(variables[_i], "true", 1);
	ck_assert_int_eq(ci_reads("none"), CI_DEFUSED);
	setenv(variables[_i], "2024.1", 1);
	ck_assert_int_eq(ci_reads("none"), CI_DEFUSED);
	setenv(variables[_i], "false", 1);
	ck_assert_int_eq(ci_reads("annotations"), CI_NONE);
	setenv(variables[_i], "", 1);
	ck_assert_int_eq(ci_reads("annotations"), CI_NONE);
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
	tcase_add_loop_test(tc, the_forge_is_known_by_its_variable, 0, countof(variables));
	tcase_add_test(tc, annotations_pass_in_a_ci_if_wanted);
	tcase_add_loop_test(tc, three_forges_know_add_mask_and_annotations, 0, countof(variables));
	tcase_add_loop_test(tc, one_forge_shows_annotations, 0, countof(variables));
	tcase_add_loop_test(tc, a_command_is_known_by_its_start, 0, countof(starts));
	tcase_add_loop_test(tc, a_text_is_what_the_runner_makes_of_it, 0, countof(texts));
	tcase_add_loop_test(tc, each_forge_is_known_by_its_variable, 0, countof(variables));
	tcase_add_loop_test(tc, commands_are_defused_and_nothing_else, 0, countof(lines));
	tcase_add_test(tc, runners_pass_over_these_blanks_only);
	return suite;
}
