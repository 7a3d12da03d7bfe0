#include <string.h>
#include <unistd.h>

#include "audit/alias.h"
#include "audit/clash.h"
#include "support.h"

/* Lines of traces, where ' stands for ". */
#define P(path, ops, first, before, after)                                                   \
	"{'path':'" path "','ops':[" ops "],'first':'" first "','count':1,'before':" before  \
	",'after':" after "}\n"
#define F(ino, size) "{'type':'file','mode':420,'ino':" ino ",'dev':1,'size':" size ",'mtime':5}"
#define NONE "null"
#define DIR "{'type':'folder'}"
#define OLD "{'type':'folder','ino':3,'dev':1}"
#define NEW "{'type':'folder','ino':4,'dev':1}"

/* One of several names of a file. */
#define N(links, size)                                                                       \
	"{'type':'file','mode':420,'ino':9,'dev':1,'links':" links ",'size':" size ",'mtime':5}"

#define MAKES(path) P(path, "'create','write'", "create", NONE, F("1", "5"))
#define WRITES(path) P(path, "'write','truncate'", "truncate", F("1", "5"), F("1", "6"))
/* As a backend makes it, and reads it to pack it. */
#define BUILT(path, hash, writer)                                                            \
	"{'path':'" path "','ops':['read','create','write'],'first':'create','count':1,"     \
	"'before':null,'after':" F("1", "5") ",'hash':'" hash "','reader':'" writer          \
	"','writer':'" writer "'}\n"
#define READS(path) P(path, "'read'", "read", F("1", "5"), F("1", "5"))
#define PROBES(path) P(path, "'probe','missing'", "probe", NONE, NONE)
#define MISSES(path) P(path, "'missing'", "missing", NONE, NONE)
#define LISTS(path) P(path, "'list'", "list", DIR, DIR)
#define MKDIR(path) P(path, "'mkdir'", "mkdir", NONE, DIR)
#define APPENDS(path) P(path, "'write','append'", "write", F("1", "5"), F("1", "6"))
#define TEMPORARY(path) P(path, "'create','write','excl','delete'", "create", NONE, NONE)
#define NOTES(size)                                                                          \
	P("/p/.git/index", "'read','rename-to'", "read", F("1", "5"), F("2", size))          \
	P("/p/.git/index.lock", "'create','write','excl','rename-from'", "create", NONE, NONE)
#define BIND(port, address)                                                                  \
	"{'port':" port ",'proto':'tcp','address':'" address "','op':'bind'}\n"
#define CONNECT(port) "{'port':" port ",'proto':'tcp','address':'127.0.0.1','op':'connect'}\n"

/* What two sessions do, and what comes of it: "KIND LEVEL [RULE]" for each clash. */
static const struct {
	const char *a, *b, *told;
} cases[] = {
	{ MAKES("/p/x"), MAKES("/p/x"), "write/write conflict;" },
	{ MAKES("/p/x"), MAKES("/p/y"), "" },
	{ MAKES("/p/x"), READS("/p/x"), "write/read conflict;" },
	{ READS("/p/x"), WRITES("/p/x"), "write/read conflict;" },
	{ READS("/p/x"), READS("/p/x"), "" },
	{ MISSES("/p/x"), MAKES("/p/x"), "create/missing conflict;" },
	{ MAKES("/p/x"), PROBES("/p/x"), "write/probe likely;" },
	{ MAKES("/p/x"), LISTS("/p/x"), "" },
	{ MISSES("/p/d"), MKDIR("/p/d"), "create/missing likely;" },
	{ P("/p/x", "'delete'", "delete", F("1", "5"), NONE), READS("/p/x"),
	    "write/read conflict;" },
	/* git status notes what it has looked at, if it can; who changes more waits for nobody. */
	{ NOTES("5"), NOTES("5"), "" },
	{ NOTES("5"), READS("/p/.git/index"), "" },
	{ NOTES("6"), READS("/p/.git/index"), "write/read conflict;" },
	{ NOTES("5") MAKES("/p/.git/objects/1"), READS("/p/.git/index"), "write/read conflict;" },
	{ NOTES("5"), NOTES("5") MAKES("/p/.git/MERGE_HEAD"), "write/read conflict;" },
	{ WRITES("/p/.git/index"), READS("/p/.git/index"), "write/read conflict;" },
	/* Files are replaced by renaming, too. */
	{ P("/p/x", "'rename-to'", "rename-to", F("1", "5"), F("2", "5")), READS("/p/x"),
	    "write/read conflict;" },
	/* What could not be made is not written. */
	{ P("/p/x", "'write'", "write", NONE, NONE), MAKES("/p/x"), "create/missing conflict;" },
	/* The kernel has refused to remove it, to rename it, to put something there. */
	{ P("/p/x", "'delete'", "delete", F("1", "5"), F("1", "5")), WRITES("/p/x"),
	    "write/probe likely;" },
	{ P("/p/x", "'rename-from'", "rename-from", F("1", "5"), F("1", "5")), READS("/p/x"), "" },
	{ P("/p/x", "'rename-to'", "rename-to", F("1", "5"), F("1", "5")), READS("/p/x"), "" },
	{ P("/p/x", "'rename-to'", "rename-to", NONE, NONE), MAKES("/p/x"),
	    "write/probe likely;" },
	{ P("/p/d", "'rename-to','subtree'", "rename-to", OLD, OLD), MAKES("/p/d/x"), "" },
	{ P("/p/d", "'rename-from','subtree'", "rename-from", OLD, OLD), MAKES("/p/d/x"), "" },
	{ P("/p/d", "'list','rmdir'", "list", OLD, OLD), READS("/p/d/x"), "" },
	/* It was gone meanwhile, or is another one. */
	{ P("/p/x", "'rename-from','rename-to'", "rename-from", F("1", "5"), F("1", "5")),
	    READS("/p/x"), "write/read conflict;" },
	{ P("/p/x", "'delete','create','write'", "delete", F("1", "5"), F("1", "5")),
	    READS("/p/x"), "write/read conflict;" },
	{ P("/p/d", "'rename-to','subtree'", "rename-to", OLD, NEW), MAKES("/p/d/x"),
	    "folder/use conflict;" },
	{ P("/p/d", "'list','rmdir','mkdir'", "list", OLD, OLD), READS("/p/d/x"),
	    "folder/use conflict;" },
	{ P("/p/x", "'rename-to','rename-from'", "rename-to", NONE, NONE), MAKES("/p/x"),
	    "write/write conflict;" },
	/* What gets another mode, or other times, for a while. */
	{ P("/p/x", "'meta'", "meta", F("1", "5"), F("1", "5")), READS("/p/x"),
	    "write/read conflict;" },
	{ P("/p/x", "'meta'", "meta", F("1", "5"), F("1", "5")), PROBES("/p/x"),
	    "write/probe likely;" },
	{ P("/p/d", "'meta','close'", "meta", OLD, OLD), MAKES("/p/d/x"), "folder/use conflict;" },
	{ P("/p/d", "'meta','close'", "meta", OLD, OLD), READS("/p/d/x"), "" },
	{ P("/p/d", "'meta','close'", "meta", OLD, OLD), MAKES("/p/d/e/x"), "" },
	{ P("/p/d", "'meta','subtree'", "meta", OLD, OLD), READS("/p/d/x"),
	    "folder/use conflict;" },
	{ P("/p/d", "'meta'", "meta", OLD, OLD), MAKES("/p/d/x"), "" },
	/* A file that is changed under another name: both have it, or one is made meanwhile. */
	{ P("/p/y", "'write'", "write", N("2", "5"), N("2", "6")),
	    P("/p/x", "'read'", "read", N("2", "6"), N("2", "6")), "write/read conflict;" },
	{ P("/p/x", "'read'", "read", N("1", "5"), N("2", "6"))
	  P("/p/y", "'create','write'", "create", NONE, N("2", "6")),
	    P("/p/x", "'read'", "read", N("1", "5"), N("1", "5")), "write/read conflict;" },
	{ P("/p/y", "'meta'", "meta", N("2", "5"), N("2", "5")),
	    P("/p/x", "'read'", "read", N("2", "5"), N("2", "5")), "write/read conflict;" },
	/* It only gets one more name, or the name gets another file. */
	{ P("/p/x", "'read'", "read", N("1", "5"), N("2", "5"))
	  P("/p/y", "'create'", "create", NONE, N("2", "5")),
	    P("/p/x", "'read'", "read", N("2", "5"), N("2", "5")), "" },
	{ P("/p/y", "'delete','create','write'", "delete", N("2", "5"), F("7", "6")),
	    P("/p/x", "'read'", "read", N("2", "5"), N("2", "5")), "" },
	/* Numbers of files that have one name only come again. */
	{ P("/p/y", "'write'", "write", N("1", "5"), N("1", "6")),
	    P("/p/x", "'read'", "read", N("1", "6"), N("1", "6")), "" },
	/* Folders with all in them. */
	{ P("/p/d", "'rename-from','subtree'", "rename-from", DIR, NONE), MAKES("/p/d/x"),
	    "folder/use conflict;" },
	{ P("/p/d", "'list','rmdir'", "list", DIR, NONE), READS("/p/d/x"),
	    "folder/use conflict;" },
	{ P("/p/d", "'rmdir'", "rmdir", DIR, NONE), READS("/p/d/x"), "" },
	/* What is only asked for in there, and at no time there, unless it went along unseen. */
	{ P("/p/d", "'list','rmdir'", "list", DIR, NONE), MISSES("/p/d/x"), "" },
	{ P("/p/d", "'rename-from','subtree'", "rename-from", DIR, NONE), MISSES("/p/d/x"),
	    "folder/use conflict;" },
	{ P("/p/d", "'list','rmdir'", "list", DIR, NONE)
	  P("/p/d/x", "'delete'", "delete", F("1", "5"), NONE), MISSES("/p/d/x"),
	    "create/missing conflict;folder/use conflict;" },
	{ P("/p/d", "'list','rmdir'", "list", DIR, NONE), READS("/p/dx"), "" },
	/* Each rule: what it is about, and what it is not. */
	{ MAKES("/dev/x"), MAKES("/dev/x"), "" },
	{ MAKES("/dev/shm/x"), MAKES("/dev/shm/x"), "write/write conflict;" },
	{ MAKES("/p/own/x"), MAKES("/p/own/x"), "" },
	{ MAKES("/p/owner"), MAKES("/p/owner"), "write/write conflict;" },
	{ P("/p/__pycache__/m.c-1.pyc", "'read'", "read", F("1", "5"), F("1", "5")),
	    WRITES("/p/m.py"), "write/read conflict;" },
	{ MAKES("/p/__pycache__/m.c-1.pyc"), MAKES("/p/__pycache__/m.c-1.pyc"), "" },
	{ MAKES("/p/m.pyc"), MAKES("/p/m.pyc"), "write/write conflict;" },
	{ READS("/p/d.db") MAKES("/p/d.db-journal"), READS("/p/d.db"), "write/read conflict;" },
	{ READS("/p/d.db") MAKES("/p/d.db-shm"), READS("/p/d.db"), "" },
	{ MAKES("/p/d-wal"), MAKES("/p/d-wal"), "write/write conflict;" },
	{ P("/p/x", "'read','write'", "read", F("1", "5"), F("1", "5")), READS("/p/x"), "" },
	{ P("/p/x", "'read','write'", "read", F("1", "5"), F("2", "5")), READS("/p/x"),
	    "write/read conflict;" },
	{ MKDIR("/p/d"), MKDIR("/p/d"), "" },
	{ MKDIR("/p/d"), P("/p/d", "'probe'", "probe", DIR, DIR), "" },
	{ MKDIR("/p/d"), MAKES("/p/d"), "write/write conflict;" },
	{ MAKES("/p/d/CACHEDIR.TAG"), PROBES("/p/d/CACHEDIR.TAG"), "" },
	{ MAKES("/p/d/.gitignore"), READS("/p/d/.gitignore"), "" },
	{ MAKES("/p/.gitignore"), READS("/p/.gitignore"), "write/read conflict;" },
	{ TEMPORARY("/p/t"), TEMPORARY("/p/u"), "" },
	{ TEMPORARY("/p/t"), MAKES("/p/t"), "" },
	/* A name that both make up alike is none. */
	{ TEMPORARY("/p/t"), TEMPORARY("/p/t"), "write/write conflict;" },
	{ TEMPORARY("/dev/shm/t"), TEMPORARY("/dev/shm/t"), "write/write conflict;" },
	{ TEMPORARY("/p/t.lock"), TEMPORARY("/p/t.lock"), "" },
	{ P("/p/t", "'create','write','delete'", "create", NONE, NONE), MAKES("/p/t"),
	    "write/write conflict;" },
	{ MAKES("/tmp/x/pytest-of-me/pytest-0/x"), MAKES("/tmp/x/pytest-of-me/pytest-0/x"), "" },
	{ MAKES("/tmp/x/pytest-0/x"), MAKES("/tmp/x/pytest-0/x"), "write/write conflict;" },
	{ P("/p/a.lock", "'create','write'", "create", NONE, F("1", "0")),
	    P("/p/a.lock", "'write'", "write", F("1", "0"), F("1", "0")), "" },
	{ MAKES("/p/a.lock"), MAKES("/p/a.lock"), "write/write conflict;" },
	{ APPENDS("/p/log"), APPENDS("/p/log"), "write/write harmless appended;" },
	{ APPENDS("/p/log"), READS("/p/log"), "write/read conflict;" },
	{ APPENDS("/p/log"), WRITES("/p/log"), "write/write conflict;" },
	{ MAKES("/p/.pytest_cache/x"), MAKES("/p/.pytest_cache/x"),
	    "write/write harmless caches;" },
	{ P("/p/.pytest_cache", "'rename-to','subtree'", "rename-to", NONE, DIR),
	    MAKES("/p/.pytest_cache/x"), "folder/use harmless caches;" },
	{ MAKES("/p/.pytest_cached"), MAKES("/p/.pytest_cached"), "write/write conflict;" },
	{ MAKES("/p/.mypy_cache/3.11/cache.db"), MAKES("/p/.mypy_cache/3.11/cache.db"),
	    "write/write conflict;" },
	{ MAKES("/p/d/x"), PROBES("/p/d/x") LISTS("/p/d"), "write/probe harmless walkers;" },
	{ MAKES("/p/d/x"), PROBES("/p/d/x") LISTS("/p"), "write/probe likely;" },
	{ MAKES("/q/x"), PROBES("/q/x"), "" },
	{ MAKES("/q/x"), READS("/q/x"), "write/read conflict;" },
	{ MAKES("/p/n.egg-info/x"), MAKES("/p/n.egg-info/x"), "write/write harmless builds;" },
	{ MAKES("/p/build/x"), MAKES("/p/build/x"), "write/write harmless builds;" },
	{ MAKES("/p/build/x"), READS("/p/build/x"), "write/read conflict;" },
	{ MAKES("/q/build/x"), MAKES("/q/build/x"), "write/write conflict;" },
	{ BUILT("/p/v.py", "a1", "_in_process.py"), BUILT("/p/v.py", "a1", "_in_process.py"),
	    "write/write likely;" },
	{ BUILT("/p/v.py", "a1", "_in_process.py"), BUILT("/p/v.py", "a2", "_in_process.py"),
	    "write/write conflict;" },
	{ BUILT("/p/v.py", "a1", "setup.py"), BUILT("/p/v.py", "a1", "_in_process.py"),
	    "write/write conflict;" },
	{ BUILT("/q/v.py", "a1", "_in_process.py"), BUILT("/q/v.py", "a1", "_in_process.py"),
	    "write/write conflict;" },
	/* Ports and sockets. */
	{ BIND("8000", "127.0.0.1"), BIND("8000", "127.0.0.1"), "port/port conflict;" },
	{ BIND("8000", "127.0.0.1"), BIND("8000", "0.0.0.0"), "port/port conflict;" },
	{ BIND("8000", "127.0.0.1"), BIND("8000", "127.0.0.2"), "" },
	{ BIND("8000", "127.0.0.1"), BIND("8001", "127.0.0.1"), "" },
	{ BIND("0", "127.0.0.1"), BIND("0", "127.0.0.1"), "" },
	{ BIND("8000", "127.0.0.1"), CONNECT("8000"), "serve/connect likely;" },
	{ BIND("8000", "127.0.0.1") CONNECT("8000"), BIND("8000", "127.0.0.1") CONNECT("8000"),
	    "port/port conflict;" },
	{ CONNECT("8000"), CONNECT("8000"), "" },
	{ "{'unix':'/p/s','op':'bind'}\n", "{'unix':'/p/s','op':'bind'}\n",
	    "port/port conflict;" },
	{ "{'unix':'/run/s','op':'bind'}\n", "{'unix':'/run/s','op':'connect'}\n", "" },
};

/* The trace of that target, which does this. */
static struct trace
trace_of(const char *target, const char *lines)
{
	char *text = xasprintf("{'noxmk-trace':1,'target':'%s','began':1}\n%s"
	    "{'end':2,'complete':true}\n", target, lines);
	char *name = xasprintf("run/%s.trace", target), *quote = text;
	int run = folder_make("run");
	struct trace trace;

	while ((quote = strchr(quote, '\'')))
		*quote = '"';
	file_put(name, text);
	ck_assert_int_eq(trace_read(run, target, &trace), 1);
	ck_assert_msg(trace.complete, "%s", text);
	free(text);
	free(name);
	close(run);
	return trace;
}

/* What comes of two sessions under these rules. The caller frees. */
static char *
told_of(const char *a, const char *b, unsigned rules)
{
	struct trace traces[2] = { trace_of("a", a), trace_of("b", b) };
	struct actor actors[2] = { access_of(&traces[0], rules), access_of(&traces[1], rules) };
	const char *own = "/p/own";
	struct clash_scene scene = { .actors = actors, .n = 2, .rules = rules, .root = "/p",
		.own = { &own, 1 }, .builds_apart = true };
	struct clashes clashes;
	struct buffer text = { 0 };

	if (!(rules & NOISE_SET(NOISE_OWN_STATE)))
		scene.own.n = 0;
	alias_spread(actors, 2);
	clashes = clash_find(&scene);
	buffer_addstr(&text, "");
	for (size_t i = 0; i < clashes.n; i++) {
		const struct clash *clash = &clashes.v[i];

		buffer_printf(&text, "%s %s%s%s;", clash_name(clash->kind),
		    level_name(clash->level), clash->rule == NOISES ? "" : " ",
		    clash->rule == NOISES ? "" : noise_name(clash->rule));
	}
	clash_clear(&clashes);
	for (size_t i = 0; i < 2; i++) {
		access_clear(&actors[i]);
		trace_clear(&traces[i]);
	}
	return text.data;
}

#define ALL (NOISE_SET(NOISES) - 1)

START_TEST(two_sessions_clash_where_it_matters)
{
	char *told = told_of(cases[_i].a, cases[_i].b, ALL);

	ck_assert_msg(!strcmp(told, cases[_i].told), "%s%s: \"%s\", not \"%s\"", cases[_i].a,
	    cases[_i].b, told, cases[_i].told);
	free(told);
	assert_silent();
}
END_TEST

#define SAME(path, hash)                                                                     \
	"{'path':'" path "','ops':['create','write'],'first':'create','count':1,"            \
	"'before':null,'after':" F("1", "5") ",'hash':'" hash "'}\n"

START_TEST(the_same_content_is_harmless_if_nobody_reads_it)
{
	char *told = told_of(SAME("/p/x", "aa"), SAME("/p/x", "aa"), ALL);

	ck_assert_str_eq(told, "write/write harmless same;");
	free(told);
	told = told_of(SAME("/p/x", "aa"), SAME("/p/x", "bb"), ALL);
	ck_assert_str_eq(told, "write/write conflict;");
	free(told);
	told = told_of(SAME("/p/x", "aa"), SAME("/p/x", "aa") READS("/p/x"), ALL);
	ck_assert_str_eq(told, "write/write conflict;");
	free(told);
}
END_TEST

/* What each rule hides is there without it. */
static const struct {
	const char *rule, *a, *b, *told;
} hidden[] = {
	{ "system", MAKES("/dev/x"), MAKES("/dev/x"), "write/write conflict;" },
	{ "own-state", MAKES("/p/own/x"), MAKES("/p/own/x"), "write/write conflict;" },
	{ "bytecode", MAKES("/p/__pycache__/m.1.pyc"), MAKES("/p/__pycache__/m.1.pyc"),
	    "write/write conflict;" },
	{ "databases", READS("/p/d") MAKES("/p/d-shm"), READS("/p/d") MAKES("/p/d-shm"),
	    "write/write conflict;" },
	{ "git-index", NOTES("5"), READS("/p/.git/index"), "write/read conflict;" },
	{ "unchanged", P("/p/x", "'write'", "write", F("1", "5"), F("1", "5")), READS("/p/x"),
	    "write/read conflict;" },
	{ "folders", MKDIR("/p/d"), MKDIR("/p/d"), "write/write conflict;" },
	{ "temporary", TEMPORARY("/p/t"), MAKES("/p/t"), "write/write conflict;" },
	{ "pytest-tmp", MAKES("/tmp/x/pytest-of-me/x"), MAKES("/tmp/x/pytest-of-me/x"),
	    "write/write conflict;" },
	{ "locks", P("/p/a.lock", "'create','write'", "create", NONE, F("1", "0")),
	    P("/p/a.lock", "'create','write'", "create", NONE, F("1", "0")),
	    "write/write conflict;" },
	{ "appended", APPENDS("/p/log"), APPENDS("/p/log"), "write/write conflict;" },
	{ "caches", MAKES("/p/.ruff_cache/x"), MAKES("/p/.ruff_cache/x"),
	    "write/write conflict;" },
	{ "same", SAME("/p/x", "aa"), SAME("/p/x", "aa"), "write/write conflict;" },
	{ "walkers", MAKES("/p/d/x"), PROBES("/p/d/x") LISTS("/p/d"), "write/probe likely;" },
	{ "outside", MAKES("/q/x"), PROBES("/q/x"), "write/probe likely;" },
	{ "builds", MAKES("/p/n.egg-info/x"), MAKES("/p/n.egg-info/x"), "write/write conflict;" },
};

/* The last rule is about the plan: check_analysis.c. */
_Static_assert(countof(hidden) == NOISE_DECLARED, "a case for each other rule");

START_TEST(without_its_rule_nothing_is_harmless)
{
	enum noise rule = noise_of(hidden[_i].rule);
	char *told;

	ck_assert_int_eq(rule, _i);
	ck_assert_str_ne(noise_reason(rule), "");
	told = told_of(hidden[_i].a, hidden[_i].b, ALL & ~NOISE_SET(rule));
	ck_assert_str_eq(told, hidden[_i].told);
	free(told);
	told = told_of(hidden[_i].a, hidden[_i].b, ALL);
	ck_assert_msg(!strcmp(told, "") || strstr(told, "harmless"), "%s", told);
	free(told);
}
END_TEST

Suite *
check_clash_suite(void)
{
	Suite *suite = suite_create("clash");
	TCase *tc = support_case(suite, "clash");

	tcase_add_loop_test(tc, two_sessions_clash_where_it_matters, 0, countof(cases));
	tcase_add_test(tc, the_same_content_is_harmless_if_nobody_reads_it);
	tcase_add_loop_test(tc, without_its_rule_nothing_is_harmless, 0, countof(hidden));
	return suite;
}
