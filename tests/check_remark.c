#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/remark.h"
#include "support.h"

/* What the run of 100 seconds has of session a, and what is said of it. */
static const struct {
	const char *record; /* what is not told here is as of one that has passed in two seconds */
	const char *says;
} remarks[] = {
	{ "{}", NULL },
	{ "{'verdict':'failed','reason':'it broke'}", "it broke" },
	{ "{'verdict':'failed','reason':''}", NULL },
	{ "{'attempts':[{'verdict':'failed'}]}", "flaky: it failed first" },
	{ "{'verdict':'failed','reason':'it broke','recheck':{'verdict':'failed'}}",
	    "it broke; fails alone too" },
	{ "{'left':'sleep (pid 7)'}", "leaked: sleep (pid 7)" },
	{ "{'left':'sleep (pid 7)','verdict':'cancelled','reason':'SIGINT'}", "SIGINT" },
	/* Its usual time is ten seconds. */
	{ "{'duration':20}", NULL },
	{ "{'duration':20.1}", "slow: it usually takes 10.0s" },
	{ "{'duration':25,'crowded':5}", NULL },
	{ "{'duration':26,'crowded':5}", "slow: it usually takes 10.0s" },
	{ "{'duration':50,'crowded':null}", NULL },
	{ "{'duration':50,'verdict':'failed','reason':'it broke'}", "it broke" },
	/* The limit is 60 seconds. */
	{ "{'duration':60,'verdict':'failed','reason':'it broke'}",
	    "it broke; slow: more than 60.0s" },
	{ "{'duration':60,'verdict':'not run'}", NULL },
	{ "{'duration':60,'crowded':null}", "slow: more than 60.0s" },
	{ "{'waits':[{'for':'processors','seconds':6},{'for':'slot','seconds':50},"
	  "{'for':'processors','seconds':5}]}", "waited 11.0s for processors" },
	{ "{'waits':[{'for':'processors','seconds':10}]}", NULL },
	{ "{'waits':[{'for':'processors','seconds':50}],'reason':'it broke','verdict':'aborted'}",
	    "it broke" },
	{ "{'attempts':[{'verdict':'failed'}],'duration':70,'left':'x (pid 7)',"
	  "'waits':[{'for':'processors','seconds':50}]}",
	    "flaky: it failed first; slow: more than 60.0s; leaked: x (pid 7); "
	    "waited 50.0s for processors" },
	/* Of a run of several machines. */
	{ "{'machine':'shard 2/3'}", "on shard 2/3" },
	{ "{'machine':'shard 2/3','verdict':'failed','reason':'it broke'}",
	    "it broke; on shard 2/3" },
	/* Of others neither time nor limit is known; a second session's time is short. */
	{ "{'target':'b','duration':90}", NULL },
	{ "{'target':'c','duration':5}", NULL },
	{ "{'target':'c','duration':5.2}", "slow: it usually takes 0.1s" },
	{ "{'target':'d','duration':90}", NULL },
};

static void
put_record(const char *text)
{
	json_t *record = json_of("{'schema':1,'target':'a','session':'a','verdict':'passed',"
		"'reason':null,'exit':0,'signal':null,'started':100,'ended':102,'duration':2,"
		"'crowded':0,'attempts':[],'notify':[],'waits':[]}");
	json_t *more = json_of(text);
	char *name, *dump;

	json_object_update(record, more);
	name = xasprintf("run/%s.json",
	    json_string_value(json_object_get(record, "target")));
	dump = json_dumps(record, 0);
	file_put(name, dump);
	free(dump);
	free(name);
	json_decref(more);
	json_decref(record);
}

START_TEST(what_is_worth_a_word_is_said)
{
	int run = folder_make("run");
	struct remarks all = { .wall = 100 };
	struct planfile *plan;
	struct table table;
	struct history *history;
	char *words;

	file_put("run/plan.jsonl", "{\"schema\":1}\n"
	    "{\"target\":\"a\",\"session\":\"a\",\"options\":{\"slow\":60}}\n"
	    "{\"target\":\"b\",\"session\":\"b\"}\n{\"target\":\"c\",\"session\":\"c\"}\n"
	    "{\"target\":\"d\",\"session\":\"d\"}\n");
	file_put("run/history.json", "{\"schema\":1,\"sessions\":{\"a\":[10,10,10],\"c\":[0.1],"
	    "\"d\":[1]},\"clients\":[\"d\"]}");
	put_record(remarks[_i].record);
	plan = planfile_open(run);
	ck_assert_int_eq(table_read(&table, run, plan, NULL, TABLE_ENDED), 0);
	ck_assert_uint_eq(table.n, 1);
	all.table = &table;
	all.history = history = history_load(run);
	words = remark_of(&all, &table.records[0]);
	if (remarks[_i].says)
		ck_assert_str_eq(words, remarks[_i].says);
	else
		ck_assert_ptr_null(words);
	ck_assert(remark_is_slow(&all, &table.records[0]) == (words && strstr(words, "slow")));
	assert_silent();
	free(words);
	history_free(history);
	table_clear(&table);
	planfile_close(plan);
	close(run);
}
END_TEST

Suite *
check_remark_suite(void)
{
	Suite *suite = suite_create("remark");
	TCase *tc = support_case(suite, "remark");

	tcase_add_loop_test(tc, what_is_worth_a_word_is_said, 0, countof(remarks));
	return suite;
}
