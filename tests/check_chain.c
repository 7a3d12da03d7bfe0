#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/chain.h"
#include "support.h"

/*
 * The plan: b requires a, c requires b, d comes after c, e requires d, f shares db with a, and g is
 * on its own.
 */
#define CLAIM "\"claims\":[{\"resource\":\"db\",\"use\":\"exclusive\"}]"
static const char plan_text[] =
    "{\"schema\":1}\n"
    "{\"target\":\"a\",\"session\":\"a\"," CLAIM "}\n"
    "{\"target\":\"b\",\"session\":\"b\",\"requires\":[\"a\"]}\n"
    "{\"target\":\"c\",\"session\":\"c\",\"requires\":[\"b\"]}\n"
    "{\"target\":\"d\",\"session\":\"d\",\"after\":[\"c\"]}\n"
    "{\"target\":\"e\",\"session\":\"e\",\"requires\":[\"d\"]}\n"
    "{\"target\":\"f\",\"session\":\"f\"," CLAIM "}\n"
    "{\"target\":\"g\",\"session\":\"g\"}\n";

/* Sessions with when they started and ended, in a run of 100 seconds, and what is said of it. */
static const struct {
	const char *sessions, *says;
} runs[] = {
	{ "a 0 60;g 0 50", "" },
	{ "a 0 50;b 50 90;g 0 80",
	    "noxmk: 90% of the wall time: a 50.0s, then b 40.0s, which ended last\n" },
	/* It waited for a job slot meanwhile, or for nobody. */
	{ "a 0 30;b 50 80;g 0 50",
	    "noxmk: 60% of the wall time: a 30.0s, then b 30.0s, which ended last\n" },
	{ "a 0 30;b 30 40;g 41 99",
	    "noxmk: 58% of the wall time: g 58.0s, which ended last\n" },
	{ "a 0 30;b 30 40;g 60 100", "" },
	{ "a 0 40;f 40 95;g 0 80",
	    "noxmk: 95% of the wall time: a 40.0s, then f 55.0s, which ended last\n" },
	{ "a 0 20;b 20 40;c 40 60;d 60 80;e 80 100", "noxmk: 100% of the wall time: "
	    "…, b 20.0s, then c 20.0s, then d 20.0s, then e 20.0s, which ended last\n" },
	/* The one that ended later is the cause; one that ended too late is none. */
	{ "a 0 60;b 30 90;g 0 80", "noxmk: 60% of the wall time: b 60.0s, which ended last\n" },
	/* Clocks are read a little late: no moment counts twice. */
	{ "a 0 50.04;b 50 100;g 0 1", "noxmk: 100% of the wall time: "
	    "a 50.0s, then b 50.0s, which ended last\n" },
	/* Clocks that were set, and nothing at all. */
	{ "a 0 90;b 0 200;g 0 10", "" },
	{ "", "" },
};

static void
put_record(const char *target, double started, double ended)
{
	char *text = xasprintf("{'schema':1,'target':'%s','session':'%s','verdict':'passed',"
		"'reason':null,'exit':0,'signal':null,'started':%f,'ended':%f,"
		"'duration':1,'notify':[],'waits':[]}",
	    target, target, 1000 + started, 1000 + ended);
	char *name = xasprintf("run/%s.json", target);
	json_t *record = json_of(text);
	char *dump = json_dumps(record, 0);

	file_put(name, dump);
	free(dump);
	json_decref(record);
	free(name);
	free(text);
}

START_TEST(the_chain_that_the_time_went_by)
{
	int run = folder_make("run");
	char *copy = xstrdup(runs[_i].sessions), *rest = copy, *word, *text;
	struct planfile *plan;
	struct table table;

	file_put("run/plan.jsonl", plan_text);
	while ((word = strsep(&rest, ";")) && *word) {
		char target[2] = { word[0], '\0' }, *next;
		double started = strtod(word + 1, &next);

		put_record(target, started, strtod(next, NULL));
	}
	plan = planfile_open(run);
	ck_assert_int_eq(table_read(&table, run, plan, NULL, TABLE_ENDED), 0);
	output_begin();
	chain_print(&table, 100);
	text = output_end();
	ck_assert_str_eq(text, runs[_i].says);
	assert_silent();
	free(text);
	free(copy);
	table_clear(&table);
	planfile_close(plan);
	close(run);
}
END_TEST

Suite *
check_chain_suite(void)
{
	Suite *suite = suite_create("chain");
	TCase *tc = support_case(suite, "chain");

	tcase_add_loop_test(tc, the_chain_that_the_time_went_by, 0, countof(runs));
	return suite;
}
