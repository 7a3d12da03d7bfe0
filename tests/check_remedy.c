#include <string.h>
#include <unistd.h>

#include "audit/remedy.h"
#include "support.h"

/* A clash of sessions by their letters, of which d and e are parts of t, at a path below /p. */
static struct clash
clash(const char *pair, const char *path, enum clash_kind kind, unsigned first, unsigned second)
{
	return (struct clash){ .first = (size_t)(pair[0] - 'a'), .second = (size_t)(pair[1] - 'a'),
		.kind = kind, .level = LEVEL_CONFLICT, .rule = NOISES, .roles = { first, second },
		.path = path[0] == '/' ? path : xstrdup(path), .is_path = path[0] == '/' };
}

#define BOTH ROLE_WRITES, ROLE_WRITES
#define READ ROLE_WRITES, ROLE_READS
#define READ_FIRST ROLE_READS, ROLE_WRITES

static const struct actor actors[] = { { .target = "a" }, { .target = "b" }, { .target = "c" },
	{ .target = "t.part-1", .whole = "t" }, { .target = "t.part-2", .whole = "t" } };

/* The hazards of some clashes as "WHAT (PATHS): MEMBERS: LINES", one a line. The caller frees. */
static char *
told_of(const struct clash *v, size_t n)
{
	struct clashes clashes = { 0 };
	struct hazards hazards;
	struct buffer text = { 0 };

	clashes.v = xcalloc(n, sizeof(*v));
	memcpy(clashes.v, v, n * sizeof(*v));
	clashes.n = n;
	hazards = hazard_find(&clashes, "/p", "/h");
	buffer_addstr(&text, "");
	for (size_t i = 0; i < hazards.n; i++) {
		json_t *remedy = remedy_of(&hazards.v[i], &clashes, actors);
		char *lines = json_dumps(remedy, JSON_COMPACT | JSON_SORT_KEYS);

		buffer_printf(&text, "%s (%zu):", hazards.v[i].what, hazards.v[i].npaths);
		for (size_t k = 0; k < hazards.v[i].nmembers; k++)
			buffer_printf(&text, " %s", actors[hazards.v[i].members[k].actor].target);
		for (char *quote = lines; (quote = strchr(quote, '"'));)
			*quote = '\'';
		buffer_printf(&text, ": %s\n", lines);
		free(lines);
		json_decref(remedy);
	}
	hazard_clear(&hazards);
	clash_clear(&clashes);
	return text.data;
}

#define assert_told(v, text)                                                          \
	do {                                                                          \
		char *told = told_of(v, countof(v));                                  \
		ck_assert_str_eq(told, text);                                         \
		free(told);                                                           \
	} while (0)

START_TEST(two_writers_use_it)
{
	struct clash v[] = { clash("ab", "/p/out.txt", CLASH_WRITES, BOTH) };

	assert_told(v, "out.txt (1): a b: {'a':{'uses':['out.txt']},'b':{'uses':['out.txt']}}\n");
	v[0].path = "/p/a-***.txt";
	assert_told(v, "a-***.txt (1): a b: {}\n");
	v[0].path = "/p/.nox/x/y";
	assert_told(v, ".nox/x/y (1): a b: {'a':{'uses':['x']},'b':{'uses':['x']}}\n");
	v[0].path = "/h/.config/x";
	assert_told(v, "~/.config/x (1): a b: "
	    "{'a':{'uses':['config-x']},'b':{'uses':['config-x']}}\n");
}
END_TEST

START_TEST(builds_that_make_the_same_need_no_line)
{
	struct clash v[] = { clash("ab", "/p/src/v.py", CLASH_WRITES, BOTH),
		clash("ac", "/p/src/v.py", CLASH_PROBES, READ) };

	v[0].level = LEVEL_LIKELY;
	v[1].level = LEVEL_LIKELY;
	assert_told(v, "src/v.py (1): a b c: {'c':{'after':['a']}}\n");
	v[1] = v[0];
	assert_told(v, "src/v.py (1): a b: {}\n");
}
END_TEST

/* Whatever the second one reads, it comes after, also if the first is the one that reads. */
START_TEST(who_reads_keeps_its_place)
{
	struct clash v[] = { clash("ab", "/p/x", CLASH_READS, READ) };

	assert_told(v, "x (1): a b: {'b':{'after':['a']}}\n");
	v[0] = clash("ab", "/p/x", CLASH_READS, READ_FIRST);
	assert_told(v, "x (1): a b: {'b':{'after':['a']}}\n");
	v[0] = clash("ab", "/p/x", CLASH_WRITES, BOTH);
	v[0].hands_on = true;
	assert_told(v, "x (1): a b: {'b':{'after':['a']}}\n");
	v[0] = clash("bc", "/p/x", CLASH_PROBES, READ);
	assert_told(v, "x (1): b c: {'c':{'after':['b']}}\n");
	v[0] = clash("ac", "/p/x", CLASH_TREE, READ);
	assert_told(v, "x (1): a c: {'c':{'after':['a']}}\n");
	v[0] = clash("ac", "/p/x", CLASH_TREE, BOTH);
	assert_told(v, "x (1): a c: {'a':{'uses':['x']},'c':{'uses':['x']}}\n");
}
END_TEST

START_TEST(a_tool_that_can_goes_elsewhere)
{
	struct clash v[] = { clash("ab", "/p/.coverage", CLASH_WRITES, BOTH) };

	assert_told(v, ".coverage (1): a b: {'a':{'env':{'COVERAGE_FILE':'.coverage.a'}},"
	    "'b':{'env':{'COVERAGE_FILE':'.coverage.b'}}}\n");
	v[0].path = "/p/sub/.mypy_cache/3.11/cache.db";
	assert_told(v, "sub/.mypy_cache/3.11/cache.db (1): a b: "
	    "{'a':{'env':{'MYPY_CACHE_DIR':'.mypy_cache/a'}},"
	    "'b':{'env':{'MYPY_CACHE_DIR':'.mypy_cache/b'}}}\n");
}
END_TEST

/* Data that a third one reads must not go elsewhere, or be left by another one than it was. */
START_TEST(what_is_read_stays_where_it_is)
{
	struct clash v[] = { clash("ab", "/p/.coverage", CLASH_WRITES, BOTH),
		clash("ac", "/p/.coverage", CLASH_READS, READ),
		clash("bc", "/p/.coverage", CLASH_READS, READ) };

	assert_told(v, ".coverage (1): a b c: {'b':{'after':['a']},'c':{'after':['a','b']}}\n");
}
END_TEST

START_TEST(a_port_is_used)
{
	struct clash v[] = { clash("ab", "port 8000/tcp", CLASH_PORT, BOTH) };

	assert_told(v, "port 8000/tcp (1): a b: {'a':{'uses':['port-8000-tcp']},"
	    "'b':{'uses':['port-8000-tcp']}}\n");
}
END_TEST

START_TEST(paths_of_one_place_are_one_hazard)
{
	struct clash v[] = { clash("ab", "/p/out/lib/x", CLASH_WRITES, BOTH),
		clash("ab", "/p/out/lib/y", CLASH_WRITES, BOTH),
		clash("bc", "/p/out/z", CLASH_WRITES, BOTH),
		clash("ab", "/p/other", CLASH_WRITES, BOTH) };

	assert_told(v, "other (1): a b: {'a':{'uses':['other']},'b':{'uses':['other']}}\n"
	    "out/lib (2): a b: {'a':{'uses':['out']},'b':{'uses':['out']}}\n"
	    "out/z (1): b c: {'b':{'uses':['out']},'c':{'uses':['out']}}\n");
}
END_TEST

/* What is named needs not be in UTF-8. */
START_TEST(any_name_will_do)
{
	struct clash v[] = { clash("ab", "/p/\xe9", CLASH_WRITES, BOTH),
		clash("ab", "/p/\xe8", CLASH_WRITES, BOTH) };
	char *told = told_of(v, 2);

	ck_assert_msg(strstr(told, "\xe8 (1): a b: {'a':{'uses':['") != NULL, "%s", told);
	ck_assert(strstr(told, "\xe9 (1): a b: {") && !strstr(told, "['']"));
	free(told);
}
END_TEST

static void
add_line(void *data, const char *line)
{
	buffer_printf(data, "%s\n", line);
}

START_TEST(lines_are_toml)
{
	json_t *all = json_of("{'a':{'uses':['x']}}"), *more = json_of(
	    "{'a':{'uses':['y','x'],'env':{'A':'1 \\u0022'}},'b':{'after':['a']}}");
	struct buffer text = { 0 };
	char *head = remedy_head("t-3.12");

	remedy_merge(all, more);
	remedy_each_line(json_object_get(all, "a"), add_line, &text);
	remedy_each_line(json_object_get(all, "b"), add_line, &text);
	ck_assert_str_eq(text.data, "uses = [\"x\", \"y\"]\nenv = {A = \"1 \\\"\"}\n"
	    "after = [\"a\"]\n");
	ck_assert_str_eq(head, "[tool.noxmk.session.\"t-3.12\"]");
	free(head);
	buffer_free(&text);
	json_decref(all);
	json_decref(more);
}
END_TEST

START_TEST(parts_get_the_lines_of_the_whole)
{
	struct clash v[] = { clash("de", "/p/.coverage", CLASH_WRITES, BOTH),
		clash("ad", "/p/.coverage", CLASH_WRITES, BOTH) };

	assert_told(v, ".coverage (1): a t.part-1 t.part-2: {"
	    "'a':{'env':{'COVERAGE_FILE':'.coverage.a'}},"
	    "'t':{'env':{'COVERAGE_FILE':'.coverage.t.{part}'}}}\n");
	/* Neither comes after the other, though it reads what that has made. */
	v[0] = clash("de", "/p/x", CLASH_READS, READ);
	v[1] = v[0];
	assert_told(v, "x (1): t.part-1 t.part-2: {'t':{'uses':['x']}}\n");
	v[1] = clash("ae", "/p/x", CLASH_READS, READ);
	assert_told(v, "x (1): a t.part-1 t.part-2: {'t':{'after':['a'],'uses':['x']}}\n");
}
END_TEST

Suite *
check_remedy_suite(void)
{
	Suite *suite = suite_create("remedy");
	TCase *tc = support_case(suite, "remedy");

	tcase_add_test(tc, two_writers_use_it);
	tcase_add_test(tc, builds_that_make_the_same_need_no_line);
	tcase_add_test(tc, who_reads_keeps_its_place);
	tcase_add_test(tc, a_tool_that_can_goes_elsewhere);
	tcase_add_test(tc, what_is_read_stays_where_it_is);
	tcase_add_test(tc, a_port_is_used);
	tcase_add_test(tc, paths_of_one_place_are_one_hazard);
	tcase_add_test(tc, any_name_will_do);
	tcase_add_test(tc, lines_are_toml);
	tcase_add_test(tc, parts_get_the_lines_of_the_whole);
	return suite;
}
