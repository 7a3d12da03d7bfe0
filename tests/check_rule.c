#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/planner.h"
#include "plan/rule.h"
#include "support.h"

enum { MAKES_MAX = 4, ROUND = 150 };

/* The makes of this machine: $MAKE, and those that scripts/peers has built below $TOP/build. */
static size_t
find_makes(char *makes[MAKES_MAX])
{
	const char *usual = getenv("MAKE"), *top = getenv("TOP");
	char *pattern = xasprintf("%s/build/peers/make-*/bin/make", top && *top ? top : ".");
	glob_t found = { 0 };
	size_t n = 0;

	makes[n++] = xstrdup(usual && *usual ? usual : "make");
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && n < MAKES_MAX; i++)
			makes[n++] = realpath(found.gl_pathv[i], NULL);
	globfree(&found);
	free(pattern);
	return n;
}

static char *makes[MAKES_MAX];
static size_t nmakes;

/* `make -f mk` must end well, and the file `got` then be `wanted`. */
static void
make_gives(const char *make, const struct buffer *mk, const struct buffer *wanted)
{
	char *command = xasprintf("env -i PATH=\"$PATH\" %s -rR -s -f mk >out 2>&1", make);
	char *out, *got;
	int status;

	unlink("got");
	file_put("mk", mk->data);
	status = system(command); /* NOLINT: make's own name may be several words */
	out = file_get("out");
	ck_assert_msg(status == 0, "%s: %.500s", make, out);
	got = file_get("got");
	if (strcmp(got, wanted->data) != 0)
		diagnose("%s\ngot:\n%s\nwanted:\n%s\n", mk->data, got, wanted->data);
	ck_assert_msg(!strcmp(got, wanted->data), "%s: see standard error", make);
	free(got);
	free(out);
	free(command);
}

/* Letters, and often what make or the shell find special. */
static char
any_char(const char *special)
{
	size_t n = strlen(special);

	switch (random() % 8) {
	case 0: case 1: case 2: case 3:
		return special[(size_t)random() % n];
	case 4:
		return (char)(0x80 + random() % 0x80);
	case 5:
		return (char)(' ' + random() % ('~' - ' '));
	default:
		return (char)('a' + random() % 26);
	}
}

static char *
any_text(const char *special)
{
	size_t n = (size_t)random() % 12;
	char *text = xcalloc(n + 1, 1);

	for (size_t i = 0; i < n; i++)
		text[i] = any_char(special);
	return text;
}

START_TEST(value_round_trip)
{
	struct buffer mk = { 0 }, wanted = { 0 };

	srandom((unsigned)_i);
	buffer_addstr(&mk, "_noxmk.nothing :=\n");
	for (int i = 0; i < ROUND; i++) {
		/* Blanks at the start are no part of a value, in make; `inputs` has none there. */
		char *text = any_text("$#\\\\\\ \t\n\r=:;,()%'\"~*?[]{}|&<>`!@^+-"), *value;

		buffer_addstr(&mk, "V := x");
		rule_add_value(&mk, text);
		buffer_addstr(&mk, "\n$(file >>got,[$(V)])\n");
		value = text;
		buffer_addstr(&wanted, "[x");
		for (; *value; value++)
			buffer_add(&wanted, strchr("\n\r", *value) ? " " : value, 1);
		buffer_addstr(&wanted, "]\n");
		free(text);
	}
	buffer_addstr(&mk, "all: ;\n");
	for (size_t i = 0; i < nmakes; i++)
		make_gives(makes[i], &mk, &wanted);
	buffer_free(&mk);
	buffer_free(&wanted);
}
END_TEST

/*
 * As nox.mk uses it: the list is a variable, its words are targets and prerequisites. The files
 * are there: of a name with * ? [ that is not, make keeps the backslashes.
 */
START_TEST(path_round_trip)
{
	struct buffer mk = { 0 }, wanted = { 0 };
	char *folder = getcwd(NULL, 0);

	srandom((unsigned)_i);
	close(folder_make("d"));
	buffer_addstr(&mk, "paths :=");
	for (int i = 0; i < ROUND; i++) {
		char *text = any_text("$$# :*?[]=&~{}'\"!@^+-,<>`()");
		char *path = xasprintf("%s/d/%d%s%s", folder, i, text, "z");

		for (char *slash = path + strlen(folder) + 3; (slash = strchr(slash, '/'));)
			*slash = '_';
		file_put(path, "");
		buffer_addstr(&mk, " \\\n  ");
		if (rule_add_path(&mk, path))
			buffer_printf(&wanted, "%s\n", path);
		free(path);
		free(text);
	}
	buffer_addstr(&mk, "\n\nall: $(paths)\n.PHONY: $(paths)\n"
			   "$(paths) other: ; @:$(file >>got,$@)\n");
	for (size_t i = 0; i < nmakes; i++)
		make_gives(makes[i], &mk, &wanted);
	buffer_free(&mk);
	buffer_free(&wanted);
	free(folder);
}
END_TEST

static const struct {
	const char *path, *text; /* NULL: none */
} paths[] = {
	{ "/a/b.py", "/a/b.py" }, { "/a b", "/a\\ b" }, { "/a#b", "/a\\#b" }, { "/a:b", "/a\\:b" },
	{ "/a$b", "/a$$b" }, { "/a*?[b]", "/a\\*\\?\\[b]" }, { "/a%b", NULL }, { "/a;b", NULL },
	{ "/a|b", NULL }, { "/a\\b", NULL }, { "/a\nb", NULL }, { "/a\tb", NULL },
	{ "/a\x7f", NULL }, { "/a (1)", NULL }, { "/a(b)/c", "/a(b)/c" }, { "/a\x01", NULL },
	{ "/\xc3\xa9", "/\xc3\xa9" }, { "/a ", NULL }, { "", NULL },
};

START_TEST(path_text)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	ck_assert_int_eq(rule_add_path(&b, paths[_i].path), paths[_i].text != NULL);
	ck_assert_str_eq(b.data, paths[_i].text ? paths[_i].text : "");
	buffer_free(&b);
}
END_TEST

START_TEST(whole_file)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_of("[{'name':'lint','notifies':[2]},{'name':'build'},"
		"{'name':'t','session':'t(1)','signatures':['t(1)'],'requires':[1]},"
		"{'name':'t','session':'t(2)','signatures':['t(2)']}]", "[0,2]");
	struct plan *plan = planner_make(facts, &nothing);
	struct buffer b = { 0 };

	strings_add(&facts->depends, "/p/a%b");
	strings_add(&facts->depends, "/p/a b");
	rule_write(plan, "NOX=nox #1", &b);
	ck_assert_str_eq(b.data,
	    "# Made by noxmk from the noxfile; make remakes it when that changes.\n"
	    "_noxmk.nothing :=\n"
	    "_noxmk.planned := NOX=nox \\#1\n"
	    "_noxmk.sessions := lint build t-1 t-2\n"
	    "_noxmk.groups := ci t\n"
	    "\n# goal -> the sessions it runs, those they require included\n"
	    "_noxmk/lint := lint\n_noxmk/build := build\n_noxmk/t-1 := build t-1\n"
	    "_noxmk/t-2 := t-2\n"
	    "_noxmk/ci := lint build t-1\n_noxmk/t := build t-1 t-2\n"
	    "\n# session -> those that come first if they run at all\n"
	    "_noxmk.late := t-1\n_noxmk.after/t-1 := lint\n"
	    "\n# variables that the noxfile asked for, and what they were\n"
	    "_noxmk.environ :=\n_noxmk.environ_was := \n"
	    "\n# files that decided this plan\n"
	    "_noxmk.depends := \\\n  /p/noxfile.py \\\n  /p/a\\ b\n"
	    "\n# requires=\n.noxmk/run/t-1: | .noxmk/run/build\n"
	    "\n# groups; one that is a goal leaves the order to .noxmk/end\n"
	    "ci: | $(if $(filter ci,$(_noxmk.asked)),.noxmk/end)"
	    " .noxmk/run/lint .noxmk/run/t-1\n"
	    "t: | $(if $(filter t,$(_noxmk.asked)),.noxmk/end)"
	    " .noxmk/run/t-1 .noxmk/run/t-2\n"
	    "# end\n");
	assert_warned("/p/a%b: make cannot name this file");
	buffer_free(&b);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* As $(strip NAME=$(NAME) …) would be. */
START_TEST(variables_of_the_noxfile_are_kept_with_their_values)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_of("[]", "[]");
	struct plan *plan = planner_make(facts, &nothing);
	json_t *table = json_of("{'CI':' a\\t\\n b ','EMPTY':'','X_1':'$x #y\\\\'}");
	struct buffer b = { 0 };

	facts->environ = table;
	rule_write(plan, "", &b);
	ck_assert_ptr_nonnull(strstr(b.data, "\n_noxmk.environ := CI EMPTY X_1\n"
		"_noxmk.environ_was := CI= a b EMPTY= X_1=$$x \\#y\\$(_noxmk.nothing)\n"));
	buffer_free(&b);
	json_decref(table);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

Suite *
check_rule_suite(void)
{
	Suite *suite = suite_create("rule");
	TCase *tc = support_case(suite, "text");

	tcase_add_loop_test(tc, path_text, 0, countof(paths));
	tcase_add_test(tc, whole_file);
	tcase_add_test(tc, variables_of_the_noxfile_are_kept_with_their_values);
	tc = support_case(suite, "make");
	if (nmakes == 0)
		nmakes = find_makes(makes);
	tcase_add_loop_test(tc, value_round_trip, 0, 4);
	tcase_add_loop_test(tc, path_round_trip, 0, 4);
	return suite;
}
