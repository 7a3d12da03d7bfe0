#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan/rule.h"
#include "rulecheck.h"

/* What has been read so far: name -> true, and node -> list of the nodes it waits for. */
struct check {
	json_t *sessions, *groups, *edges;
	const char *inputs;
	bool planned;
	size_t depends;
	const struct strings *paths;
	const json_t *environ;
};

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The word up to the next blank or the end; moves past it. */
static char *
take_word(const char **text)
{
	size_t length = strcspn(*text, " ");
	char *word = strndup(*text, length);

	*text += length;
	return word;
}

/* " A B C" -> each a slug below `prefix`. A new list of the slugs. */
static json_t *
read_names(const char *text, const char *prefix)
{
	json_t *list = json_array();

	while (*text) {
		char *word;

		REQUIRE(*text == ' ' && text[1] != ' ');
		text++;
		word = take_word(&text);
		REQUIRE(starts(word, prefix));
		REQUIRE(fuzz_is_slug(word + strlen(prefix), strlen(word + strlen(prefix))));
		json_array_append_new(list, json_string(word + strlen(prefix)));
		free(word);
	}
	return list;
}

static void
declare(json_t *set, json_t *names, const json_t *other)
{
	json_t *name;
	size_t i;

	REQUIRE(json_object_size(set) == 0);
	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);

		REQUIRE(!json_object_get(set, text) && !json_object_get(other, text));
		json_object_set_new(set, text, json_true());
	}
	json_decref(names);
}

/* node waits for each of the sessions. Prerequisites of a session are nodes of their own. */
static void
add_edges(struct check *c, const char *node, json_t *names)
{
	json_t *list = json_object_get(c->edges, node), *name;
	size_t i;

	if (!list) {
		list = json_array();
		json_object_set_new(c->edges, node, list);
	}
	json_array_foreach(names, i, name) {
		REQUIRE(json_object_get(c->sessions, json_string_value(name)));
		json_array_append(list, name);
	}
	json_decref(names);
}

/* As make reads the right side of `:=`. The caller frees. */
static char *
unquote_value(const char *text)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	while (*text) {
		if (starts(text, "$$")) {
			buffer_addstr(&b, "$");
			text += 2;
		} else if (starts(text, "$(_noxmk.nothing)")) {
			text += strlen("$(_noxmk.nothing)");
		} else if (starts(text, "\\#")) {
			buffer_addstr(&b, "#");
			text += 2;
		} else {
			REQUIRE(*text != '$' && *text != '#' && *text != '\r');
			/* A backslash that make would count: before another, or at the end. */
			REQUIRE(*text != '\\' || (text[1] && text[1] != '\\'));
			buffer_add(&b, text++, 1);
		}
	}
	return b.data;
}

static void
check_planned(struct check *c, const char *value)
{
	char *text = unquote_value(value), *expected = xstrdup(c->inputs);

	for (char *p = expected; *p; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	REQUIRE(!strcmp(text, expected));
	c->planned = true;
	free(text);
	free(expected);
}

/* As make's $(strip) does: words with one blank between them. The caller frees. */
static char *
strip(const char *text)
{
	static const char blanks[] = " \t\n\v\f\r";
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	while (*(text += strspn(text, blanks))) {
		size_t length = strcspn(text, blanks);

		if (b.len > 0)
			buffer_addstr(&b, " ");
		buffer_add(&b, text, length);
		text += length;
	}
	return b.data;
}

/* NAME=VALUE of all variables that the noxfile asked for, stripped. */
static void
check_environ(const struct check *c, const char *value)
{
	char *text = unquote_value(value), *expected;
	struct buffer b = { 0 };
	const char *name;
	json_t *item;

	buffer_addstr(&b, "");
	json_object_foreach((json_t *)c->environ, name, item)
		buffer_printf(&b, " %s=%s", name, json_string_value(item));
	expected = strip(b.data);
	REQUIRE(!strcmp(text, expected));
	free(text);
	free(expected);
	buffer_free(&b);
}

/* One line of _noxmk.depends: the next path of the facts that make can name, each mark escaped. */
static void
check_path(struct check *c, const char *text)
{
	struct buffer b = { 0 };
	bool found = false;

	buffer_addstr(&b, "");
	for (; *text; text++) {
		REQUIRE(!strchr("%;|", *text) && (unsigned char)*text >= ' ' && *text != 0x7f);
		if (*text == '\\')
			REQUIRE(text[1] && strchr(" #:*?[", *++text));
		else if (*text == '$')
			REQUIRE(*++text == '$');
		else
			REQUIRE(!strchr(" #:*?[", *text));
		buffer_add(&b, text, 1);
	}
	while (!found && c->depends < c->paths->n)
		found = !strcmp(c->paths->v[c->depends++], b.data);
	REQUIRE(found);
	buffer_free(&b);
}

/* The same names in the same order; they are words to make, though not slugs (_ may start them). */
static void
check_names(const struct check *c, const char *value)
{
	struct buffer b = { 0 };
	const char *name;
	json_t *item;

	buffer_addstr(&b, "");
	json_object_foreach((json_t *)c->environ, name, item) {
		for (const char *p = name; *p; p++)
			REQUIRE(*p == '_' || fuzz_is_slug(p, 1));
		buffer_printf(&b, " %s", name);
	}
	REQUIRE(!strcmp(value, b.data));
	buffer_free(&b);
}

static void
check_assignment(struct check *c, char *line, const char *value)
{
	char *name = line;

	if (!strcmp(name, "_noxmk.sessions")) {
		declare(c->sessions, read_names(value, ""), c->groups);
	} else if (!strcmp(name, "_noxmk.groups")) {
		declare(c->groups, read_names(value, ""), c->sessions);
	} else if (!strcmp(name, "_noxmk.late")) {
		json_decref(read_names(value, ""));
	} else if (!strcmp(name, "_noxmk.environ")) {
		check_names(c, value);
	} else if (starts(name, "_noxmk.after/")) {
		REQUIRE(json_object_get(c->sessions, name + strlen("_noxmk.after/")));
		add_edges(c, name + strlen("_noxmk.after/"), read_names(value, ""));
	} else if (starts(name, "_noxmk/")) {
		const char *goal = name + strlen("_noxmk/");
		json_t *names = read_names(value, "");
		const json_t *item = json_array_get(names, json_array_size(names) - 1);
		const char *last = json_string_value(item);
		bool is_session = json_object_get(c->sessions, goal) != NULL;

		REQUIRE(is_session || json_object_get(c->groups, goal));
		REQUIRE(!is_session || (last && !strcmp(last, goal)));
		json_decref(names);
	} else {
		REQUIRE(!strcmp(name, "_noxmk.nothing") && !*value);
	}
}

/* .noxmk/run/A: | .noxmk/run/B, or GROUP: | $(if $(filter GROUP,$(_noxmk.asked)),…) .noxmk/run/A */
static void
check_rule(struct check *c, char *line, char *colon)
{
	bool is_run = starts(line, ".noxmk/run/");
	const char *target = is_run ? line + strlen(".noxmk/run/") : line;

	*colon = '\0';
	REQUIRE(starts(colon + 1, " | "));
	REQUIRE(json_object_get(is_run ? c->sessions : c->groups, target));
	if (is_run) {
		add_edges(c, target, read_names(colon + 3, ".noxmk/run/"));
	} else {
		char *first = xasprintf(" $(if $(filter %s,$(_noxmk.asked)),.noxmk/end)", target);

		REQUIRE(starts(colon + 3, first));
		json_decref(read_names(colon + 3 + strlen(first), ".noxmk/run/"));
		free(first);
	}
}

static void
check_line(struct check *c, char *line, bool continued)
{
	static const char comment[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz ,.;:=>/-#";
	char *mark;

	if (continued) {
		REQUIRE(starts(line, "  "));
		check_path(c, line + 2);
	} else if (*line == '#') {
		REQUIRE(strspn(line, comment) == strlen(line));
	} else if (starts(line, "_noxmk.planned := ")) {
		check_planned(c, line + strlen("_noxmk.planned := "));
	} else if (starts(line, "_noxmk.environ_was := ")) {
		check_environ(c, line + strlen("_noxmk.environ_was := "));
	} else if (*line == '_' && (mark = strstr(line, " :="))) {
		*mark = '\0';
		check_assignment(c, line, mark + 3);
	} else if (*line) {
		mark = strchr(line, ':');
		REQUIRE(mark && mark != line);
		check_rule(c, line, mark);
	}
}

enum { GREY = 1, BLACK };

static void
check_acyclic(const struct check *c, const char *node, json_t *colours)
{
	json_t *next;
	size_t i;

	REQUIRE(json_integer_value(json_object_get(colours, node)) != GREY);
	if (json_object_get(colours, node))
		return;
	json_object_set_new(colours, node, json_integer(GREY));
	json_array_foreach(json_object_get(c->edges, node), i, next)
		check_acyclic(c, json_string_value(next), colours);
	json_object_set_new(colours, node, json_integer(BLACK));
}

/* After all lines: what they say together. */
static void
check_whole(const struct check *c, const struct plan *plan, const struct strings *reserved)
{
	json_t *colours = json_object();
	const char *name;
	json_t *unused;

	REQUIRE(c->planned && json_object_get(c->groups, "ci"));
	REQUIRE(json_object_size(c->sessions) == plan->n);
	REQUIRE(json_object_size(c->groups) == plan->ngroups);
	for (size_t i = 0; i < reserved->n; i++) {
		const char *word = reserved->v[i];

		REQUIRE(!json_object_get(c->sessions, word));
		REQUIRE(!json_object_get(c->groups, word) || !strcmp(word, "ci"));
	}
	json_object_foreach(c->edges, name, unused)
		check_acyclic(c, name, colours);
	for (size_t i = c->depends; i < c->paths->n; i++) {
		struct buffer b = { 0 };

		REQUIRE(!rule_add_path(&b, c->paths->v[i]));
		buffer_free(&b);
	}
	json_decref(colours);
}

void
rulecheck_makefile(const char *text, const struct plan *plan, const struct strings *reserved,
    const char *inputs)
{
	struct check c = { .sessions = json_object(), .groups = json_object(),
		.edges = json_object(), .inputs = inputs, .paths = &plan->facts->depends,
		.environ = plan->facts->environ };
	char *copy = xstrdup(text), *rest = copy, *line;
	bool continued = false;

	REQUIRE(*text && text[strlen(text) - 1] == '\n');
	while ((line = strsep(&rest, "\n"))) {
		size_t length = strlen(line);
		bool continues = length > 1 && !strcmp(line + length - 2, " \\") &&
		    (continued || starts(line, "_noxmk.depends :="));

		REQUIRE(*line != '\t');
		if (continues)
			line[length - 2] = '\0';
		if (continued || !starts(line, "_noxmk.depends :="))
			check_line(&c, line, continued);
		else
			REQUIRE(!strcmp(line, "_noxmk.depends :="));
		continued = continues;
	}
	REQUIRE(!continued);
	check_whole(&c, plan, reserved);
	json_decref(c.sessions);
	json_decref(c.groups);
	json_decref(c.edges);
	free(copy);
}

/* {"target":"SLUG", or {"group":"SLUG", comes first, as planfile.c looks lines up by it. */
static void
check_key(const char *line, const char *key, const char *target)
{
	char *start = xasprintf("{\"%s\":\"%s\",", key, target);

	REQUIRE(starts(line, start));
	REQUIRE(fuzz_is_slug(target, strlen(target)));
	free(start);
}

void
rulecheck_planfile(const char *text, const struct plan *plan)
{
	char *copy = xstrdup(text), *rest = copy, *line;
	size_t n = 0;

	for (; (line = strsep(&rest, "\n")) && rest; n++) {
		json_t *object = json_loads(line, 0, NULL);
		size_t session = n - 1, group = session - plan->n;

		REQUIRE(json_is_object(object));
		if (n == 0) {
			REQUIRE(starts(line, "{\"schema\":1,"));
		} else if (session < plan->n) {
			check_key(line, "target", plan->sessions[session].target);
			REQUIRE(json_integer_value(json_object_get(object, "index")) ==
				(json_int_t)session);
		} else {
			REQUIRE(group < plan->ngroups);
			check_key(line, "group", plan->groups[group].target);
		}
		json_decref(object);
	}
	REQUIRE(line && !*line && n == 1 + plan->n + plan->ngroups);
	free(copy);
}
