#include <stdlib.h>

#include "kept.h"
#include "support.h"

#define KEPT_START 1795396700.0

int
kept_begin(void)
{
	int run = folder_make(KEPT_FOLDER);

	file_put(KEPT_FOLDER "/.run.json", "{\"schema\":1,\"run\":\"" KEPT_RUN "\","
		"\"make\":\"1-2-3\",\"started\":1795396700.0,\"clock\":1.0,\"jobs\":2}");
	file_put(KEPT_FOLDER "/.request.json", "{\"schema\":1,\"knobs\":{},\"goals\":[\"ci\"],"
		"\"alone\":\"\",\"posargs\":[],\"processors\":2}");
	file_put(KEPT_FOLDER "/.ended", "");
	file_put(KEPT_FOLDER "/plan.jsonl",
	    "{\"schema\":1}\n"
	    "{\"target\":\"a\",\"session\":\"a\"}\n"
	    "{\"target\":\"b\",\"session\":\"b\",\"requires\":[\"a\"]}\n"
	    "{\"target\":\"c\",\"session\":\"c\",\"claims\":[{\"resource\":\"db\",\"use\":"
	    "\"exclusive\",\"by\":\"uses of c\"}]}\n"
	    "{\"target\":\"d\",\"session\":\"d\",\"claims\":[{\"resource\":\"db\",\"use\":"
	    "\"exclusive\",\"by\":\"uses of d\"}]}\n"
	    "{\"target\":\"e\",\"session\":\"e\",\"claims\":[{\"resource\":\"env:e\",\"use\":"
	    "\"exclusive\",\"by\":\"its environment\"}]}\n"
	    "{\"group\":\"ci\",\"members\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}\n");
	return run;
}

struct record
kept_record(const char *target, enum verdict verdict, double started, double ended,
    const char *waits)
{
	return (struct record){ .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .verdict = verdict, .started = KEPT_START + started,
		.ended = KEPT_START + ended, .duration = ended - started,
		.own = ended - started - 0.25, .waits = waits ? json_of(waits) : NULL };
}

void
kept_put(int run, struct record r)
{
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	record_clear(&r);
}

int
kept_put_all(void)
{
	struct record r = kept_record("b", FAILED, 4, 8, NULL);
	int run = kept_begin();

	kept_put(run, kept_record("a", PASSED, 1, 4, NULL));
	r.reason = xstrdup("broken\033[2J\nthing");
	r.width = 3;
	r.slots = 2;
	r.cpu = 4;
	r.samples = json_of("{'every':2,'cpu':[1.0,3.2],'width':[1,3],'mib':[10.0,20.5]}");
	r.steps = json_of("[{'kind':'environment','command':'created','exit':0,'started':"
		"1795396704.5,'seconds':0.5,'waited':0},{'kind':'install','command':'install x',"
		"'exit':3,'started':1795396705.25,'seconds':1.0,'waited':0.5}]");
	kept_put(run, r);
	kept_put(run, kept_record("c", PASSED, 1, 3, NULL));
	kept_put(run, kept_record("d", PASSED, 5, 9, "[{'for':'slot','seconds':0.5},"
		"{'for':'resource','seconds':1.5,'resource':'db','target':'c','pid':7}]"));
	kept_put(run, kept_record("e", PASSED, 9, 10.5, NULL));
	return run;
}

char *
kept_printed(const struct report_options *options, int expected)
{
	char *text;
	int result;

	output_begin();
	result = report_print(options);
	text = output_end();
	ck_assert_int_eq(result, expected);
	return text;
}

json_t *
kept_parsed(const char *format)
{
	char *text = kept_printed(&(struct report_options){ .format = format }, 0);
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_msg(json, "no JSON: %s", text);
	free(text);
	return json;
}

double
kept_number(const json_t *object, const char *key)
{
	ck_assert_msg(json_is_number(json_object_get(object, key)), "no number: %s", key);
	return json_number_value(json_object_get(object, key));
}
