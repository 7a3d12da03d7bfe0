#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nox/listing.h"
#include "support.h"

/* What listing_facts makes of a nox that prints these two files. */
static json_t *
facts_from(const char *all, const char *selected)
{
	const char *words[] = { helper_path(), "listing", "all", "selected", "exit", "0" };
	struct strings nox = { words, countof(words) };

	file_put("all", all);
	file_put("selected", selected);
	return listing_facts(&nox, "noxfile.py");
}

static const char two[] =
    "Warning: old\n\n[{\"session\":\"lint\",\"name\":\"lint\",\"description\":\"Look\","
    "\"python\":null,\"tags\":[\"x\"],\"call_spec\":{}},"
    "{\"session\":\"t-3.12\",\"name\":\"t\",\"description\":\"\",\"python\":\"3.12\"}]\n\n";

START_TEST(a_list_becomes_facts)
{
	json_t *json;
	struct facts *facts;
	char *path = realpath(".", NULL), *noxfile = xasprintf("%s/noxfile.py", path);

	file_put("noxfile.py", "");
	json = facts_from(two, "[{\"session\":\"t-3.12\"}]");
	facts = facts_parse(json, "listing");
	ck_assert_ptr_nonnull(facts);
	ck_assert_uint_eq(facts->n, 2);
	ck_assert_str_eq(facts->noxfile, noxfile);
	ck_assert_str_eq(facts->changing, "what this nox does not tell");
	ck_assert_str_eq(facts->sessions[0].description, "Look");
	ck_assert_str_eq(facts->sessions[0].tags.v[0], "x");
	ck_assert_ptr_null(facts->sessions[0].python);
	ck_assert_str_eq(facts->sessions[1].python, "3.12");
	ck_assert_uint_eq(facts->queue.n, 1);
	ck_assert_uint_eq(facts->queue.v[0], 1);
	ck_assert_ptr_null(facts->python);
	assert_warned("noxfile.py: planned from `nox --list --json`: requires= is not known");
	facts_free(facts);
	json_decref(json);
	free(path);
	free(noxfile);
}
END_TEST

START_TEST(a_lost_noxfile_keeps_its_name)
{
	json_t *json = facts_from("[]", "[]");

	ck_assert_str_eq(json_string_value(json_object_get(json, "noxfile")), "noxfile.py");
	json_decref(json);
}
END_TEST

static const struct {
	const char *all, *selected;
	bool parsed; /* it makes facts, if odd ones that facts_parse refuses */
} odd[] = {
	{ "", "[]", false }, { "\n\n", "[]", false }, { "nonsense", "[]", false },
	{ "{}", "[]", false }, { "[]\nand more", "[]", false }, { "[]", "", false },
	{ "[]", "{}", false }, { "[7,null,[]]", "[]", true },
	{ "[{\"session\":7,\"name\":[]}]", "[7]", true },
	{ "[{\"session\":\"a\",\"tags\":7,\"python\":7}]", "[{\"session\":\"a\"}]", true },
};

START_TEST(an_odd_list_is_no_crash)
{
	json_t *json = facts_from(odd[_i].all, odd[_i].selected);

	ck_assert_int_eq(json != NULL, odd[_i].parsed);
	if (odd[_i].parsed)
		ck_assert_ptr_null(facts_parse(json, "listing"));
	else
		assert_warned("noxfile.py: `nox --list --json` gave no list (exit 0)");
	json_decref(json);
}
END_TEST

START_TEST(a_nox_without_a_list_is_warned_of)
{
	const char *words[] = { helper_path(), "print", "[]", "exit", "2" };
	struct strings nox = { words, countof(words) };
	json_t *json;

	ck_assert_ptr_null(listing_facts(&nox, "noxfile.py"));
	assert_warned("gave no list (exit 2)");
	limit_set(RLIMIT_NOFILE, 3);
	json = listing_facts(&nox, "noxfile.py");
	limit_restore();
	ck_assert_ptr_null(json);
	assert_warned("memfd_create: Too many open files");
}
END_TEST

Suite *
check_listing_suite(void)
{
	Suite *suite = suite_create("listing");
	TCase *tc = support_case(suite, "listing");

	tcase_add_test(tc, a_list_becomes_facts);
	tcase_add_test(tc, a_lost_noxfile_keeps_its_name);
	tcase_add_loop_test(tc, an_odd_list_is_no_crash, 0, countof(odd));
	tcase_add_test(tc, a_nox_without_a_list_is_warned_of);
	return suite;
}
