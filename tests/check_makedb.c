#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "makefile/makedb.h"
#include "support.h"

/* The rules of that makefile as JSON with ' for ". The caller frees. */
static char *
rules_of(const char *makefile)
{
	char program[] = "make", *make[] = { program, NULL }, *text;
	struct makedb db;

	file_put("GNUmakefile", makefile);
	db = makedb_read(make, ".", "GNUmakefile");
	text = json_dumps(db.rules, JSON_SORT_KEYS | JSON_COMPACT);
	for (char *c = text; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	ck_assert_str_eq(json_string_value(json_array_get(db.files, 0)), "GNUmakefile");
	makedb_clear(&db);
	return text;
}

static const struct {
	const char *makefile, *rules;
} makefiles[] = {
	{ "X = 1\n", "{}" },
	{ "a: b c | d\n", "{'a':{'prereqs':['b','c','d'],'recipe':null}}" },
	{ "a: b\na: c\n", "{'a':{'prereqs':['b','c'],'recipe':null}}" },
	{ "a:: b\na:: c ; @x\n", "{'a':{'prereqs':['b','c'],'recipe':'GNUmakefile:2'}}" },
	{ "a: b ; @x\n", "{'a':{'prereqs':['b'],'recipe':'GNUmakefile:1'}}" },
	{ "a:\n\t@x\n\t\n\n\t@# b: c\n",
	    "{'a':{'prereqs':[],'recipe':'GNUmakefile:2'}}" },
	{ ".RECIPEPREFIX := >\na: b\n>x: y\n",
	    "{'a':{'prereqs':['b'],'recipe':'GNUmakefile:3'}}" },
	{ "N := a b\n$(N): c\n$(foreach n,x y,$(eval $n: a))\n",
	    "{'a':{'prereqs':['c'],'recipe':null},'b':{'prereqs':['c'],'recipe':null},"
	    "'x':{'prereqs':['a'],'recipe':null},'y':{'prereqs':['a'],'recipe':null}}" },
	{ ".PHONY: a\na: b\n%.o: %.c ; @x\n", "{'a':{'prereqs':['b'],'recipe':null}}" },
	/* What make or a shell might read is left out. */
	{ "a: b$$c d;e f\\ g h\n$$x: y\n", "{'a':{'prereqs':['d'],'recipe':'GNUmakefile:1'}}" },
	/* Nothing is remade, and no recipe runs. */
	{ "-include x.mk\nx.mk: ; touch x.mk\na: b\n",
	    "{'a':{'prereqs':['b'],'recipe':null},"
	    "'x.mk':{'prereqs':[],'recipe':'GNUmakefile:2'}}" },
	{ "ifdef NOXMK_GRAPH\na: b\nendif\nifeq ($(MAKELEVEL),0)\nc: d\nendif\n",
	    "{'a':{'prereqs':['b'],'recipe':null},'c':{'prereqs':['d'],'recipe':null}}" },
	{ "$(info a: b)\n$(warning c)\na: c\n", "{'a':{'prereqs':['c'],'recipe':null}}" },
	{ "a: b\n$(error stop)\n", "{'a':{'prereqs':['b'],'recipe':null}}" },
};

START_TEST(rules_are_read)
{
	char *rules;

	setenv("MAKELEVEL", "1", 1);
	unsetenv("MAKEFLAGS");
	rules = rules_of(makefiles[_i].makefile);
	ck_assert_str_eq(rules, makefiles[_i].rules);
	ck_assert(!file_there("x.mk"));
	assert_silent();
	free(rules);
}
END_TEST

START_TEST(without_a_make_there_are_no_rules)
{
	char program[] = "./no-such-make", *make[] = { program, NULL };
	struct makedb db = makedb_read(make, ".", "GNUmakefile");

	ck_assert_uint_eq(json_object_size(db.rules), 0);
	ck_assert_uint_eq(json_array_size(db.files), 0);
	makedb_clear(&db);
	assert_silent();
}
END_TEST

START_TEST(only_plain_names_are_plain)
{
	static const char *const odd[] = { "", "a b", "$x", "a:b", "%", "a#b", "x(y)", "~", "a=b",
		"*", "a;b", "a\\b", "\xc3\xa9" };

	ck_assert(makedb_is_plain("../a/b-c_d.e+f@g,h^1"));
	for (size_t i = 0; i < countof(odd); i++)
		ck_assert_msg(!makedb_is_plain(odd[i]), "%s", odd[i]);
}
END_TEST

Suite *
check_makedb_suite(void)
{
	Suite *suite = suite_create("makedb");
	TCase *tc = support_case(suite, "makedb");

	tcase_add_loop_test(tc, rules_are_read, 0, countof(makefiles));
	tcase_add_test(tc, without_a_make_there_are_no_rules);
	tcase_add_test(tc, only_plain_names_are_plain);
	return suite;
}
