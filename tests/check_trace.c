#include <string.h>
#include <unistd.h>

#include "state/trace.h"
#include "support.h"

/* Reads what the text, where ' stands for ", has as the trace of t. */
static int
read_text(const char *text, struct trace *trace)
{
	int run = folder_make("run"), result;
	char *copy = xstrdup(text), *quote = copy;

	while ((quote = strchr(quote, '\'')))
		*quote = '"';
	file_put("run/t.trace", copy);
	free(copy);
	result = trace_read(run, "t", trace);
	close(run);
	return result;
}

#define BEGIN "{'noxmk-trace':1,'target':'t','root':'/p','began':1.5}\n"
#define END "{'end':2.5,'unreadable':1,'foreign':2,'strays':3,'complete':true,'why':null}\n"
#define PATH(path, op) "{'path':'" path "','ops':['" op "'],'first':'" op "','count':1}\n"

START_TEST(what_is_written_is_read)
{
	int run = folder_make("run");
	struct trace_path paths[] = {
		{ .path = (char *)"/p/\xe9", .ops = TRACE_SET(TRACE_READ), .first = TRACE_READ,
		    .count = 2, .before = { .kind = TRACE_NOTHING }, .read = { -1, -1 },
		    .wrote = { -1, -1 } },
		{ .path = (char *)"/p/.coverage", .ops = TRACE_SET(TRACE_WRITE) |
		    TRACE_SET(TRACE_CREATE), .first = TRACE_CREATE, .count = 3,
		    .before = { .kind = TRACE_NOTHING },
		    .after = { .kind = TRACE_FILE, .mode = 0644, .size = 7, .mtime = 2.25,
		    .ino = 17, .dev = 5 }, .hash = (char *)"9f", .reader = (char *)"pytest",
		    .writer = (char *)"coverage", .read = { -1, -1 }, .wrote = { 0.5, 0.75 } },
	};
	struct trace_socket sockets[] = {
		{ .port = 8765, .binds = true, .address = (char *)"127.0.0.1" },
		{ .path = (char *)"@x", .program = (char *)"psql" },
	};
	struct trace trace = { .target = (char *)"t", .session = (char *)"t(x='1')",
		.mechanism = (char *)"notify", .root = (char *)"/p", .began = 1.5, .ended = 2.5,
		.paths = paths, .npaths = 2, .sockets = sockets, .nsockets = 2, .strays = 1,
		.complete = true };
	struct trace back;
	struct buffer text = { 0 };
	const struct trace_path *it;

	trace_put(&text, &trace);
	file_put("run/t.trace", text.data);
	ck_assert_int_eq(trace_read(run, "t", &back), 1);
	ck_assert_str_eq(back.session, "t(x='1')");
	ck_assert_str_eq(back.mechanism, "notify");
	ck_assert_uint_eq(back.runs, 1);
	ck_assert(back.complete && !back.why && back.strays == 1 && back.ended == 2.5);
	ck_assert_uint_eq(back.npaths, 2);
	it = &back.paths[0];
	ck_assert_str_eq(it->path, "/p/.coverage");
	ck_assert(it->ops == paths[1].ops && it->first == TRACE_CREATE && it->count == 3);
	ck_assert(it->before.kind == TRACE_NOTHING && it->after.kind == TRACE_FILE);
	ck_assert(it->after.size == 7 && it->after.ino == 17 && it->after.dev == 5 &&
	    it->after.mode == 0644 && it->after.mtime == 2.25);
	ck_assert_str_eq(it->hash, "9f");
	ck_assert_str_eq(it->writer, "coverage");
	ck_assert(it->wrote[0] == 0.5 && it->wrote[1] == 0.75 && it->read[0] < 0);
	ck_assert_str_eq(back.paths[1].path, "/p/\xe9");
	ck_assert(back.paths[1].after.kind == TRACE_UNSEEN && !back.paths[1].hash);
	ck_assert(back.sockets[0].port == 8765 && back.sockets[0].binds && !back.sockets[0].udp);
	ck_assert_str_eq(back.sockets[1].path, "@x");
	ck_assert_str_eq(back.sockets[1].program, "psql");
	trace_clear(&back);
	buffer_free(&text);
	close(run);
	assert_silent();
}
END_TEST

/* A trace that lacks something is one, but says that it is not complete. */
static const struct {
	const char *text, *why;
	size_t paths;
} partial[] = {
	{ BEGIN PATH("/p/a", "read"), "it has no end", 1 },
	{ BEGIN PATH("/p/a", "read") "{'path':'/p/b','ops':['re", "it has no end", 1 },
	{ BEGIN "{'path':'/p/a'\n" END, "a line of it is damaged", 0 },
	{ BEGIN PATH("a", "read") END, "a line of it is damaged", 0 },
	/* Our own variables are nobody else's. */
	{ BEGIN "{'path':{'pieces':['/',{'variable':'HOME'}]},'ops':['read'],'first':'read'}\n"
	  END, "a line of it is damaged", 0 },
	{ BEGIN PATH("/p/a", "dance") END, "a line of it is damaged", 0 },
	{ BEGIN "{'path':7,'ops':['read'],'first':'read'}\n" END, "a line of it is damaged", 0 },
	{ BEGIN "{'port':70000,'op':'bind'}\n" END, "a line of it is damaged", 0 },
	{ BEGIN "{'port':7,'op':'listen'}\n" END, "a line of it is damaged", 0 },
	{ BEGIN "[]\n" END, "a line of it is damaged", 0 },
	{ BEGIN "{'end':2.5,'complete':false,'why':'killed'}\n", "killed", 0 },
};

START_TEST(what_is_damaged_is_not_complete)
{
	struct trace trace;

	ck_assert_int_eq(read_text(partial[_i].text, &trace), 1);
	ck_assert(!trace.complete);
	ck_assert_str_eq(trace.why, partial[_i].why);
	ck_assert_uint_eq(trace.npaths, partial[_i].paths);
	trace_clear(&trace);
	assert_silent();
}
END_TEST

START_TEST(a_path_that_is_too_long_is_no_damage)
{
	enum { LENGTH = 12000 };
	char *path = xcalloc(LENGTH + 1, 1), *text;
	struct trace trace;

	memset(path, 'x', LENGTH);
	path[0] = '/';
	text = xasprintf(BEGIN "{'path':'%s','ops':['read'],'first':'read'}\n" END, path);
	ck_assert_int_eq(read_text(text, &trace), 1);
	ck_assert(!trace.complete);
	ck_assert_str_eq(trace.why, "paths that it touched were too long");
	trace_clear(&trace);
	free(text);
	free(path);
}
END_TEST

static const char *const foreign[] = { "", "\n", "{}", "[1]", "x", PATH("/p/a", "read") END,
	"{'noxmk-trace':2,'target':'t'}\n", "{'noxmk-trace':1,'target':'u'}\n",
	"{'noxmk-trace':1}\n" };

START_TEST(what_is_no_trace_of_it_is_warned_of)
{
	struct trace trace;

	ck_assert_int_eq(read_text(foreign[_i], &trace), -1);
	ck_assert(!trace.paths && !trace.target);
	assert_warned("t.trace: not a trace of that session");
}
END_TEST

START_TEST(anything_may_lie_in_its_place)
{
	int run = folder_make("run");
	struct trace trace;

	ck_assert_int_eq(trace_read(run, "t", &trace), 0);
	assert_silent();
	odd_put((enum odd)_i, "run/t.trace");
	ck_assert_int_eq(trace_read(run, "t", &trace), -1);
	assert_warned("t.trace: ");
	close(run);
}
END_TEST

START_TEST(a_path_that_comes_twice_is_one)
{
	struct trace trace;

	ck_assert_int_eq(read_text(BEGIN PATH("/p/b", "read") PATH("/p/a", "read")
	    PATH("/p/b", "write") END, &trace), 1);
	ck_assert_uint_eq(trace.npaths, 2);
	ck_assert_uint_eq(trace.paths[1].ops, TRACE_SET(TRACE_READ) | TRACE_SET(TRACE_WRITE));
	ck_assert_uint_eq(trace.paths[1].count, 2);
	ck_assert_int_eq(trace.paths[1].first, TRACE_WRITE);
	trace_clear(&trace);
}
END_TEST

/* On a clean tree a session makes what a later one only looks at. */
START_TEST(what_any_run_has_shown_is_united)
{
	struct trace old, new;

	ck_assert_int_eq(read_text(BEGIN
	    "{'path':'/p/a','ops':['create'],'first':'create','count':1,'before':null,"
	    "'writer':'cc','wrote':[1,2]}\n" PATH("/p/b", "read")
	    "{'port':7,'proto':'tcp','op':'bind'}\n" END, &old), 1);
	ck_assert_int_eq(read_text(BEGIN
	    "{'path':'/p/a','ops':['probe'],'first':'probe','count':1,"
	    "'before':{'type':'file'},'after':{'type':'file','size':4}}\n" PATH("/p/c", "read")
	    "{'port':7,'proto':'tcp','op':'bind'}\n{'port':7,'proto':'udp','op':'bind'}\n"
	    END, &new), 1);
	trace_unite(&old, &new);
	ck_assert_uint_eq(old.npaths, 3);
	ck_assert(old.paths[0].before.kind == TRACE_NOTHING &&
	    old.paths[0].first == TRACE_CREATE && old.paths[0].after.size == 4);
	ck_assert_uint_eq(old.paths[0].ops, TRACE_SET(TRACE_CREATE) | TRACE_SET(TRACE_PROBE));
	ck_assert_str_eq(old.paths[0].writer, "cc");
	ck_assert(old.paths[0].wrote[0] == 1 && old.paths[0].wrote[1] == 2);
	ck_assert_str_eq(old.paths[2].path, "/p/c");
	ck_assert_uint_eq(old.nsockets, 2);
	ck_assert_uint_eq(old.runs, 2);
	ck_assert(old.complete && !new.paths);
	trace_clear(&old);
}
END_TEST

Suite *
check_trace_suite(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = support_case(suite, "trace");

	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_loop_test(tc, what_is_damaged_is_not_complete, 0, countof(partial));
	tcase_add_test(tc, a_path_that_is_too_long_is_no_damage);
	tcase_add_loop_test(tc, what_is_no_trace_of_it_is_warned_of, 0, countof(foreign));
	tcase_add_loop_test(tc, anything_may_lie_in_its_place, 0, ODD_THINGS);
	tcase_add_test(tc, a_path_that_comes_twice_is_one);
	tcase_add_test(tc, what_any_run_has_shown_is_united);
	return suite;
}
