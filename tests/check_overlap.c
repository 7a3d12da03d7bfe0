#include <stdlib.h>
#include <string.h>

#include "audit/overlap.h"
#include "base/fd.h"
#include "base/json.h"
#include "support.h"

/* Three sessions that all write one thing, and one that reads it. */
static struct actor actors[] = { { .target = "a" }, { .target = "b" }, { .target = "c" },
	{ .target = "d" } };
static struct hazard_member members[] = { { 0, ROLE_WRITES, NULL }, { 1, ROLE_WRITES, NULL },
	{ 2, ROLE_WRITES | ROLE_READS, NULL }, { 3, ROLE_READS, NULL } };

static struct analysis
analysis_with(struct hazard *hazard)
{
	return (struct analysis){ .actors = actors, .n = countof(actors),
		.hazards = { hazard, 1 } };
}

static const struct {
	enum clash_kind kind;
	const char *target, *others, *words;
} cases[] = {
	{ CLASH_WRITES, "a", "['b']", "both write x" },
	{ CLASH_WRITES, "a", "['b','c']", "all write x" },
	{ CLASH_READS, "a", "['d']", "a writes x, d reads it" },
	{ CLASH_READS, "d", "['a','b']", "a, b write x, d reads it" },
	{ CLASH_MISSES, "d", "['a']", "a makes x, d did not find it" },
	{ CLASH_PROBES, "d", "['a']", "a writes x, d asks for it" },
	{ CLASH_TREE, "d", "['a']", "a changes x, d uses it" },
	{ CLASH_PORT, "a", "['b']", "both listen on x" },
	{ CLASH_SERVES, "a", "['d']", "a listens on x, d connects to it" },
	{ CLASH_WRITES, "a", "['e']", NULL },
	{ CLASH_READS, "d", "[]", NULL },
};

START_TEST(a_hazard_between_two_is_said_in_words)
{
	char what[] = "x";
	struct hazard hazard = { .what = what, .level = LEVEL_CONFLICT, .kind = cases[_i].kind,
		.members = members, .nmembers = countof(members), .npaths = 1 };
	struct analysis analysis = analysis_with(&hazard);
	json_t *others = json_of(cases[_i].others);
	json_t *list = overlap_between(&analysis, cases[_i].target, others);

	ck_assert_uint_eq(json_array_size(list), cases[_i].words ? 1 : 0);
	if (cases[_i].words)
		ck_assert_str_eq(json_text(json_array_get(list, 0), "words"), cases[_i].words);
	json_decref(list);
	json_decref(others);
}
END_TEST

/* What the session may find broken when it is alone. */
static const struct {
	enum clash_kind kind;
	enum level level;
	const char *target, *others, *words;
} leavings[] = {
	{ CLASH_WRITES, LEVEL_CONFLICT, "a", "['b']", "a, b write x" },
	{ CLASH_READS, LEVEL_CONFLICT, "d", "['a','b']", "a, b write x, d reads it" },
	{ CLASH_READS, LEVEL_CONFLICT, "a", "['d']", NULL },
	{ CLASH_PROBES, LEVEL_LIKELY, "d", "['a']", NULL },
	{ CLASH_PORT, LEVEL_CONFLICT, "a", "['b']", NULL },
	{ CLASH_SERVES, LEVEL_CONFLICT, "d", "['a']", NULL },
};

START_TEST(what_others_may_have_left_is_what_they_change)
{
	char what[] = "x";
	struct hazard hazard = { .what = what, .level = leavings[_i].level,
		.kind = leavings[_i].kind, .members = members, .nmembers = countof(members),
		.npaths = 1 };
	struct analysis analysis = analysis_with(&hazard);
	json_t *others = json_of(leavings[_i].others);
	json_t *list = overlap_left(&analysis, leavings[_i].target, others);
	const char *words = json_text(json_array_get(list, 0), "words");

	ck_assert_str_eq(words, leavings[_i].words ? leavings[_i].words : "");
	json_decref(list);
	json_decref(others);
}
END_TEST

START_TEST(what_is_harmless_is_none_and_what_is_shown_is_safe)
{
	char what[] = "\033[2Jx";
	struct hazard hazard = { .what = what, .level = LEVEL_HARMLESS, .kind = CLASH_WRITES,
		.members = members, .nmembers = 2, .npaths = 1 };
	struct analysis analysis = analysis_with(&hazard);
	json_t *list = overlap_all(&analysis);
	char *told;

	ck_assert_uint_eq(json_array_size(list), 0);
	json_decref(list);
	hazard.level = LEVEL_LIKELY;
	list = overlap_all(&analysis);
	ck_assert_str_eq(json_text(json_array_get(list, 0), "words"), "both write \\^[[2Jx");
	ck_assert_str_eq(json_text(json_array_get(list, 0), "level"), "likely");
	ck_assert(overlap_is_of(json_array_get(list, 0), "b"));
	ck_assert(!overlap_is_of(json_array_get(list, 0), "c"));
	told = overlap_told(json_array_get(list, 0));
	ck_assert_str_eq(told, "both write \\^[[2Jx (a, b)");
	free(told);
	json_decref(list);
}
END_TEST

static const char *const damaged[] = { "", "[", "{}", "{\"overlaps\":{}}" };

START_TEST(they_are_kept_with_the_run)
{
	int run = folder_make("run");
	json_t *list = json_of("[{'level':'likely','kind':'k','what':'x','paths':1,"
	    "'sessions':['a'],'words':'w'}]"), *read;

	ck_assert_ptr_null(overlap_read(run));
	overlap_write(run, list);
	read = overlap_read(run);
	ck_assert(json_equal(read, list));
	json_decref(read);
	json_array_append_new(list, json_of("{'words':1}"));
	overlap_write(run, list);
	read = overlap_read(run);
	ck_assert_uint_eq(json_array_size(read), 1);
	json_decref(read);
	json_decref(list);
	for (size_t i = 0; i < countof(damaged); i++) {
		file_put("run/.overlaps.json", damaged[i]);
		ck_assert_ptr_null(overlap_read(run));
	}
	for (enum odd odd = 0; odd < ODD_THINGS; odd++) {
		folder_remove("run/.overlaps.json");
		odd_put(odd, "run/.overlaps.json");
		ck_assert_ptr_null(overlap_read(run));
	}
	fd_close(&run);
}
END_TEST

Suite *
check_overlap_suite(void)
{
	Suite *s = suite_create("overlap");
	TCase *tc = support_case(s, "overlap");

	tcase_add_loop_test(tc, a_hazard_between_two_is_said_in_words, 0, countof(cases));
	tcase_add_loop_test(tc, what_others_may_have_left_is_what_they_change, 0,
	    countof(leavings));
	tcase_add_test(tc, what_is_harmless_is_none_and_what_is_shown_is_safe);
	tcase_add_test(tc, they_are_kept_with_the_run);
	return s;
}
