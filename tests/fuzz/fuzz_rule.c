/*
 * A noxfile with any names, to the two files that make and the helper read of it. The input is the
 * probe's JSON itself if it starts with '{', else a short form of it, which every input is: counts,
 * session numbers and texts, taken one after the other; a text is a length and its bytes, of which
 * those above 127 stand for the pieces below.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan/facts.h"
#include "plan/planfile.h"
#include "plan/planner.h"
#include "plan/rule.h"
#include "rulecheck.h"

static const char *const pieces[] = {
	"$(shell touch CANARY)", "`touch CANARY`", ";touch CANARY", "\ntouch CANARY",
	"\n\ttouch CANARY", "$(eval x:=y)", "$$(", "\\#", "\\\\", "\\", "\r\n", "\t",
	"define x\n", "\nendef\n", "ci", "clean", "nox-list", "nox-clean", "Makefile",
	"GNUmakefile", "all", "nox-", "tag-", "-2", "..", " at 0x7f00", "%", "|", "::", ":=",
	"é", "漢", "\xe2\x80\xa8", "tests-3.12(django='4.2')", "lint", ".PHONY",
	".SECONDEXPANSION", "include /dev/stdin\n", "/home/user", "session-", "*", "?", "[a]",
	"~",
};

struct input {
	const uint8_t *p, *end;
	struct buffer text; /* the last one taken */
};

static unsigned
take(struct input *in, unsigned limit)
{
	return in->p < in->end && limit > 0 ? *in->p++ % limit : 0;
}

static const char *
take_text(struct input *in)
{
	unsigned length = take(in, 256);
	/* The last few lengths mean a long text of few pieces. */
	unsigned repeat = length > 250 ? 200 : 1;

	length = length > 250 ? length - 250 : length % 40;
	in->text.len = 0;
	buffer_addstr(&in->text, "");
	for (; length > 0 && in->p < in->end; length--) {
		uint8_t c = *in->p++;

		for (unsigned i = 0; i < repeat; i++) {
			if (c > 127)
				buffer_addstr(&in->text, pieces[(c - 128) % countof(pieces)]);
			else
				buffer_add(&in->text, c ? (char *)&c : " ", 1);
		}
	}
	return in->text.data;
}

static json_t *
take_texts(struct input *in, const char *before)
{
	json_t *list = json_array();

	for (unsigned n = take(in, 4); n > 0; n--)
		json_array_append_new(list, json_sprintf("%s%s", before, take_text(in)));
	return list;
}

static json_t *
take_numbers(struct input *in, unsigned limit)
{
	json_t *list = json_array();

	for (unsigned n = limit ? take(in, 5) : 0; n > 0; n--)
		json_array_append_new(list, json_integer(take(in, limit)));
	return list;
}

static void
set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *
take_session(struct input *in, unsigned limit)
{
	static const char *const texts[] = { "name", "session", "description" };
	static const char *const lists[] = { "signatures", "tags" };
	static const char *const numbers[] = { "requires", "notifies" };
	json_t *object = json_object();

	for (size_t i = 0; i < countof(texts); i++)
		set(object, texts[i], json_string(take_text(in)));
	for (size_t i = 0; i < countof(lists); i++)
		set(object, lists[i], take_texts(in, ""));
	for (size_t i = 0; i < countof(numbers); i++)
		set(object, numbers[i], take_numbers(in, limit));
	if (take(in, 8) == 1)
		set(object, "requires_error", json_string(take_text(in)));
	return object;
}

static json_t *
take_environ(struct input *in)
{
	json_t *table = json_object();

	for (unsigned n = take(in, 4); n > 0; n--) {
		char *name = xstrdup(take_text(in));

		set(table, name, json_string(take_text(in)));
		free(name);
	}
	return table;
}

static json_t *
take_facts(struct input *in)
{
	unsigned n = take(in, 24);
	json_t *sessions = json_array(), *root;

	root = json_pack("{s:i,s:s}", "schema", 1, "nox", "1");
	set(root, "noxfile", json_string(take_text(in)));
	set(root, "path", take_texts(in, ""));
	set(root, "args", take_texts(in, "-"));
	set(root, "environ", take_environ(in));
	set(root, "queue", take_numbers(in, n));
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(sessions, take_session(in, n));
	set(root, "sessions", sessions);
	return root;
}

static void
check(const struct facts *facts, const struct strings *words)
{
	struct planfile_nox nox = { .noxfile = "noxfile.py", .command = words,
		.environ = facts->environ };
	struct plan *plan = planner_make(facts, words);
	struct buffer rules = { 0 }, lines = { 0 };

	if (!plan)
		return; /* the input had a configuration, and a wrong one */
	rule_write(plan, &rules);
	planfile_write(plan, &nox, &lines);
	rulecheck_makefile(rules.data, plan, words);
	rulecheck_planfile(lines.data, plan);
	REQUIRE(strlen(rules.data) == rules.len && strlen(lines.data) == lines.len);
	buffer_free(&rules);
	buffer_free(&lines);
	plan_free(plan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .p = data, .end = data + size };
	bool is_json = size > 0 && *data == '{';
	json_t *root = is_json ? json_loadb((const char *)data, size, 0, NULL) : NULL;
	json_t *words, *word;
	struct strings list = { 0 };
	struct facts *facts;
	size_t i;

	words = is_json ? json_pack("[s,s]", "clean", "all") : take_texts(&in, "");
	json_array_foreach(words, i, word)
		strings_add(&list, json_string_value(word));
	if (!is_json)
		root = take_facts(&in);
	facts = facts_parse(root, "input");
	REQUIRE(is_json || facts);
	if (facts)
		check(facts, &list);
	facts_free(facts);
	json_decref(root);
	json_decref(words);
	free(list.v);
	buffer_free(&in.text);
	return 0;
}
