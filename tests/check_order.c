#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpus.h"
#include "order/forecast.h"
#include "order/order.h"
#include "support.h"

#define MADE                                                                                \
	"# Made by noxmk from the plan and from how long sessions took.\n" \
	"_noxmk.order_for := -j2\n"
#define HOSTILE "a\\nall: ; $(shell x) \\\\\\u00e9#"
#define CLAIM(resource, use) "{'resource':'" resource "','use':'" use "'}"

/* With ' for ". */
static void
put(const char *name, const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	file_put(name, copy);
	free(copy);
}

/* .nox/.noxmk with that plan and that history, and two slots. */
static int
state_of(const char *plan, const char *history)
{
	int state = folder_make("state");
	char *lines = xasprintf("{'schema':1}\n%s", plan);
	char *times = xasprintf("{'schema':1,'sessions':{%s}}", history);

	setenv("MAKEFLAGS", " -j2 --jobserver-auth=3,4", 1);
	put("state/plan.jsonl", lines);
	put("state/history.json", times);
	free(lines);
	free(times);
	return state;
}

/* The sessions of that plan. */
static json_t *
active_of(int state)
{
	struct planfile *plan = planfile_open(state);
	json_t *active = json_object(), *line;

	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (json_is_string(json_object_get(line, "target")))
			json_object_set(active,
			    json_string_value(json_object_get(line, "target")), line);
		json_decref(line);
	}
	planfile_close(plan);
	return active;
}

static int
write_order_for(int state, unsigned jobs)
{
	json_t *active = active_of(state);
	int result = order_write(state, active, jobs);

	json_decref(active);
	return result;
}

static int
write_order(int state)
{
	return write_order_for(state, 0);
}

#define END "# end\n"
#define NO_CUES "_noxmk.cued :=\n" END

static const struct {
	const char *plan, *history, *text;
} files[] = {
	/* The longest first, and what others wait for. */
	{ "{'target':'lint'}\n{'target':'tests'}\n{'target':'use','requires':['build']}\n"
	  "{'target':'build'}\n{'group':'ci','members':['lint']}\n",
	  "'lint':[1],'tests':[5],'use':[4],'build':[2]",
	  MADE "_noxmk.order := build tests use lint\n_noxmk.resources :=\n"
	  "_noxmk.cued := lint\n_noxmk.cue/lint := tests\n" END },
	/* Users in the same order; not amounts, lone users, and readers among themselves. */
	{ "{'target':'a','claims':[" CLAIM("db", "shared") "," CLAIM("docs", "exclusive") "]}\n"
	  "{'target':'b','claims':[" CLAIM("db", "exclusive") "," CLAIM("free", "shared") "]}\n"
	  "{'target':'c','claims':[" CLAIM("free", "shared") ","
	  "{'resource':'memory','use':'amount','amount':2,'capacity':4}]}\n"
	  "{'target':'d','claims':[" CLAIM("web:x-1._*", "exclusive") ","
	  "{'resource':'memory','use':'amount','amount':4,'capacity':4}]}\n"
	  "{'target':'e','claims':[" CLAIM("web:x-1._*", "exclusive") "]}\n",
	  "'a':[1],'b':[2],'c':[3],'d':[4],'e':[5]",
	  MADE "_noxmk.order := e b c d a\n_noxmk.resources := 0 1\n"
	  "# db\n_noxmk.resource/0 := b+ a\n# web:x-1._*\n_noxmk.resource/1 := e+ d+\n" NO_CUES },
	/* A name may be anything, and is only for people: nothing that make would read. */
	{ "{'target':'a','claims':[" CLAIM(HOSTILE, "exclusive") "]}\n"
	  "{'target':'b','claims':[" CLAIM(HOSTILE, "exclusive") "]}\n",
	  "", MADE "_noxmk.order := a b\n_noxmk.resources := 0\n"
	  "# a?all:?????shell?x??????\n_noxmk.resource/0 := a+ b+\n" NO_CUES },
	/* make would start d when a ends, in the place of c. */
	{ "{'target':'a'}\n{'target':'b'}\n{'target':'c','requires':['a']}\n{'target':'d'}\n"
	  "{'target':'e'}\n",
	  "'a':[1],'b':[4],'c':[5],'d':[1],'e':[1]",
	  MADE "_noxmk.order := a b c d e\n_noxmk.resources :=\n"
	  "_noxmk.cued := d e\n_noxmk.cue/d := b\n_noxmk.cue/e := d\n" END },
	/* What differs in the third digit keeps the noxfile's order. */
	{ "{'target':'a'}\n{'target':'b'}\n{'target':'c'}\n",
	  "'a':[1.01],'b':[1.04],'c':[1.09]",
	  MADE "_noxmk.order := a b c\n_noxmk.resources :=\n" NO_CUES },
	{ "{'target':'a'}\n{'target':'b'}\n{'target':'c'}\n",
	  "'a':[1.01],'b':[1.04],'c':[1.19]",
	  MADE "_noxmk.order := c a b\n_noxmk.resources :=\n" NO_CUES },
	/* A damaged plan: none, or too much of everything. */
	{ "{'target':7}\n{'target':'a','requires':['a','zzz',8],'after':'x','claims':[7]}\n"
	  "{'target':'b','requires':['c'],'claims':[{}]}\n{'target':'c','requires':['b','b']}\n",
	  "", MADE "_noxmk.order := a b c\n_noxmk.resources := 0\n"
	  "# \n_noxmk.resource/0 := a+ b+\n" NO_CUES },
};

START_TEST(the_file_says_order_resources_and_cues)
{
	int state = state_of(files[_i].plan, files[_i].history);

	ck_assert_int_eq(write_order(state), 0);
	assert_file("state/order.mk", files[_i].text);
	close(state);
	assert_silent();
}
END_TEST

/* make would begin anew for an included file that is new. */
START_TEST(what_says_so_already_is_not_touched)
{
	int state = state_of("{'target':'a'}\n{'target':'b'}\n", "'a':[1],'b':[2]");
	struct stat first, second;

	ck_assert_int_eq(write_order(state), 0);
	ck_assert_int_eq(stat("state/order.mk", &first), 0);
	ck_assert_int_eq(write_order(state), 0);
	ck_assert_int_eq(stat("state/order.mk", &second), 0);
	ck_assert_uint_eq(first.st_ino, second.st_ino);
	ck_assert_int_eq(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
	put("state/history.json", "{'schema':1,'sessions':{'a':[2],'b':[1]}}");
	ck_assert_int_eq(write_order(state), 0);
	assert_file("state/order.mk", MADE "_noxmk.order := a b\n_noxmk.resources :=\n" NO_CUES);
	/* As long as before, but other words. */
	file_put("state/order.mk", MADE "_noxmk.order := b a\n_noxmk.resources :=\n" NO_CUES);
	ck_assert_int_eq(write_order(state), 0);
	assert_file("state/order.mk", MADE "_noxmk.order := a b\n_noxmk.resources :=\n" NO_CUES);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(the_order_is_for_one_j_option)
{
	static const struct {
		const char *flags, *option; /* NULL: for as many as there are processors */
		unsigned jobs;
	} cases[] = {
		{ " -j2", "-j2", 0 }, { "kn -j12 --jobserver-auth=3,4", "-j12", 0 },
		{ " -j", "-j", 0 }, { "", NULL, 0 }, { " -j1", NULL, 0 }, { " -j2", "-j2", 4 },
		{ " -j", "-j4", 4 }, { " -j", "-j1", 1 },
	};
	int state = state_of("{'target':'a'}\n{'target':'b'}\n", "");

	for (size_t i = 0; i < countof(cases); i++) {
		char *option = cases[i].option ? xstrdup(cases[i].option) :
						 xasprintf("-j%u", cpus_available());
		char *text = xasprintf("# Made by noxmk from the plan and from how long sessions "
				       "took.\n_noxmk.order_for := %s\n_noxmk.order := a b\n"
				       "_noxmk.resources :=\n" NO_CUES, option);

		setenv("MAKEFLAGS", cases[i].flags, 1);
		ck_assert_int_eq(write_order_for(state, cases[i].jobs), 0);
		assert_file("state/order.mk", text);
		free(text);
		free(option);
	}
	close(state);
	assert_silent();
}
END_TEST

/* There is but one order of them. */
START_TEST(one_session_needs_no_order)
{
	int state = state_of("{'target':'a'}\n", "");

	file_put("state/order.mk", "old");
	ck_assert_int_eq(write_order(state), 0);
	assert_file("state/order.mk", "old");
	close(state);
	assert_silent();
}
END_TEST

START_TEST(an_order_that_cannot_be_written_is_none)
{
	int state = state_of("{'target':'a'}\n{'target':'b'}\n", ""), result;

	limit_set(RLIMIT_FSIZE, 0);
	result = write_order(state);
	limit_restore();
	ck_assert_int_eq(result, -1);
	assert_warned(".nox/.noxmk/order.mk: File too large");
	ck_assert(!file_there("state/order.mk"));
	close(state);
}
END_TEST

/* make would not see a new file that is as old as what it has read. */
START_TEST(a_new_order_is_newer_than_the_old_one)
{
	int state = state_of("{'target':'a'}\n{'target':'b'}\n", "");
	char flags[] = " -j2";
	struct stat st;

	for (int i = 0; i < 20; i++) {
		struct timespec old = { 0 };

		if (i > 0 && stat("state/order.mk", &st) == 0)
			old = st.st_mtim;
		flags[3] = (char)('2' + i % 8);
		setenv("MAKEFLAGS", flags, 1);
		ck_assert_int_eq(write_order(state), 0);
		ck_assert_int_eq(stat("state/order.mk", &st), 0);
		ck_assert(st.st_mtim.tv_sec != old.tv_sec || st.st_mtim.tv_nsec != old.tv_nsec);
	}
	close(state);
	assert_silent();
}
END_TEST

/* How the active sessions are expected to start, "TARGET PLACE START DURATION KNOWN CUE". */
static void
assert_expected(int state, const char *active, const char *text, double end)
{
	json_t *sessions = json_of(active);
	double wall = -1;
	struct forecast_line *lines = forecast_run(state, sessions, 2, &wall);
	struct buffer found = { 0 };

	buffer_addstr(&found, "");
	for (size_t i = 0; i < json_object_size(sessions); i++) {
		ck_assert_ptr_eq(lines[i].session, json_object_get(sessions, lines[i].target));
		buffer_printf(&found, "%s%s %zu %g %g %d%s%s", i ? ", " : "", lines[i].target,
		    lines[i].place, lines[i].start, lines[i].end - lines[i].start, lines[i].known,
		    lines[i].cue ? " " : "", lines[i].cue ? lines[i].cue : "");
	}
	ck_assert_str_eq(found.data, text);
	ck_assert_double_eq_tol(wall, end, 1e-6);
	buffer_free(&found);
	free(lines);
	json_decref(sessions);
}

#define CUED MADE "_noxmk.order := "
#define CUES "\n_noxmk.resources :=\n_noxmk.cued := c\n_noxmk.cue/c := b\n"
#define ABC "{'a':{'target':'a'},'b':{'target':'b'},'c':{'target':'c'}}"

START_TEST(a_forecast_goes_by_order_and_history)
{
	int state = state_of("", "'a':[1],'b':[2.25]");

	/* Without order.mk as the noxfile has them. */
	assert_expected(state, ABC, "a 0 0 1 1, b 1 0 2.25 1, c 2 1 1.625 0", 2.625);
	assert_expected(state, "{}", "", 0);
	/* What order.mk lacks comes last; what is not active does not count. */
	file_put("state/order.mk", MADE "_noxmk.order := zzz c  c b _noxmk a:\n"
					"_noxmk.resources :=\n_noxmk.order := a\n");
	assert_expected(state, ABC, "c 0 0 1.625 0, b 1 0 2.25 1, a 2 1.625 1 1", 2.625);
	file_put("state/order.mk", "_noxmk.order := c b a\n");
	assert_expected(state, ABC, "a 0 0 1 1, b 1 0 2.25 1, c 2 1 1.625 0", 2.625);
	file_put("state/order.mk", "\n_noxmk.order :=");
	assert_expected(state, ABC, "a 0 0 1 1, b 1 0 2.25 1, c 2 1 1.625 0", 2.625);
	/* Cues count where it is for just these sessions. */
	file_put("state/order.mk", CUED "b a c" CUES);
	assert_expected(state, ABC, "b 0 0 2.25 1, a 1 0 1 1, c 2 2.25 1.625 0 b", 3.875);
	file_put("state/order.mk", CUED "b a c d" CUES);
	assert_expected(state, ABC, "b 0 0 2.25 1, a 1 0 1 1, c 2 1 1.625 0", 2.625);
	file_put("state/order.mk", CUED "b a a c" CUES);
	assert_expected(state, ABC, "b 0 0 2.25 1, a 1 0 1 1, c 2 1 1.625 0", 2.625);
	file_put("state/order.mk", CUED "b a c\n_noxmk.cue/c\n_noxmk.cue/\n_noxmk.cue/d := a\n"
					"_noxmk.cue/c := d\n_noxmk.cue/b := ");
	assert_expected(state, ABC, "b 0 0 2.25 1, a 1 0 1 1, c 2 1 1.625 0", 2.625);
	file_put("state/order.mk", "\n_noxmk.order :=");
	/* Edges and resources count as in make. */
	assert_expected(state, "{'a':{'target':'a','after':['b','zzz'],'claims':["
	    CLAIM("db", "shared") "]},'b':{'target':'b'},'c':{'target':'c','claims':["
	    CLAIM("db", "exclusive") "]}}",
	    "b 1 0 2.25 1, a 0 2.25 1 1, c 2 3.25 1.625 0", 4.875);
	/* One whose tools take the slots that are free is done sooner. */
	put("state/history.json", "{'schema':1,'sessions':{'a':[1],'b':[4]},'clients':['b']}");
	assert_expected(state, "{'b':{'target':'b'}}", "b 0 0 2 1", 2);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(ranks_count_from_one_and_end_behind_all)
{
	int state = folder_make("state");

	ck_assert_uint_eq(order_rank(state, "a"), 0);
	file_put("state/order.mk", MADE "_noxmk.order := b a\n_noxmk.resources :=\n");
	ck_assert_uint_eq(order_rank(state, "b"), 1);
	ck_assert_uint_eq(order_rank(state, "a"), 2);
	ck_assert_uint_eq(order_rank(state, "zzz"), 3);
	close(state);
	assert_silent();
}
END_TEST

Suite *
check_order_suite(void)
{
	Suite *suite = suite_create("order");
	TCase *tc = support_case(suite, "order");

	tcase_add_loop_test(tc, the_file_says_order_resources_and_cues, 0, countof(files));
	tcase_add_test(tc, what_says_so_already_is_not_touched);
	tcase_add_test(tc, the_order_is_for_one_j_option);
	tcase_add_test(tc, one_session_needs_no_order);
	tcase_add_test(tc, a_new_order_is_newer_than_the_old_one);
	tcase_add_test(tc, an_order_that_cannot_be_written_is_none);
	tcase_add_test(tc, a_forecast_goes_by_order_and_history);
	tcase_add_test(tc, ranks_count_from_one_and_end_behind_all);
	return suite;
}
