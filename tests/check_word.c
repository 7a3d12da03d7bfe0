#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "state/word.h"
#include "support.h"

static const struct {
	const char *word, *json;
} words[] = {
	{ "", "\"\"" }, { "-k", "\"-k\"" }, { "\xe9", "{'hex':'e9'}" },
	{ "hunter22", "{'pieces':['',{'variable':'A_TOKEN'},'']}" },
	{ "--token=hunter22:\xff,hunter22",
	    "{'pieces':['--token=',{'variable':'A_TOKEN'},{'hex':'3aff2c'},"
	    "{'variable':'A_TOKEN'},'']}" },
	{ "hunter2", "\"hunter2\"" },
};

START_TEST(a_word_comes_back_and_has_no_secret_meanwhile)
{
	struct secrets secrets = { 0 };
	json_t *json, *wanted;
	char *text;

	setenv("A_TOKEN", "hunter22", 1);
	secrets_add_usual(&secrets.mask);
	json = word_json(words[_i].word, &secrets);
	wanted = *words[_i].json == '"' ? json_string(words[_i].word) : json_of(words[_i].json);
	ck_assert(json_equal(json, wanted));
	text = word_text(json);
	ck_assert_str_eq(text, words[_i].word);
	free(text);
	json_decref(json);
	json_decref(wanted);
	/* Without a list nothing is secret. */
	json = word_json(words[_i].word, NULL);
	ck_assert_ptr_null(json_object_get(json, "pieces"));
	text = word_text(json);
	ck_assert_str_eq(text, words[_i].word);
	free(text);
	json_decref(json);
	secrets_clear(&secrets);
}
END_TEST

START_TEST(what_is_no_word_is_empty)
{
	static const char *const texts[] = { "{}", "[]", "{'hex':'x'}", "{'hex':3}",
		"{'pieces':'a'}", "{'pieces':[3,{'variable':'NOT_THERE'}]}", "{'variable':''}" };

	for (size_t i = 0; i < countof(texts); i++) {
		json_t *json = json_of(texts[i]);
		char *text = word_text(json);

		ck_assert_str_eq(text, "");
		free(text);
		json_decref(json);
	}
}
END_TEST

Suite *
check_word_suite(void)
{
	Suite *suite = suite_create("word");
	TCase *tc = support_case(suite, "word");

	tcase_add_loop_test(tc, a_word_comes_back_and_has_no_secret_meanwhile, 0, countof(words));
	tcase_add_test(tc, what_is_no_word_is_empty);
	return suite;
}
