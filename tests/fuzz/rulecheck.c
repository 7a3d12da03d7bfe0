#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rulecheck.h"

/* What has been read so far: name -> true, and node -> list of the nodes it waits for. */
struct check {
	json_t *sessions, *groups, *edges;
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
	} else if (starts(name, "_noxmk.after/")) {
		REQUIRE(json_object_get(c->sessions, name + strlen("_noxmk.after/")));
		add_edges(c, name + strlen("_noxmk.after/"), read_names(value, ""));
	} else {
		const char *goal = name + strlen("_noxmk/");
		json_t *names = read_names(value, "");
		const json_t *item = json_array_get(names, json_array_size(names) - 1);
		const char *last = json_string_value(item);
		bool is_session = json_object_get(c->sessions, goal) != NULL;

		REQUIRE(starts(name, "_noxmk/"));
		REQUIRE(is_session || json_object_get(c->groups, goal));
		REQUIRE(!is_session || (last && !strcmp(last, goal)));
		json_decref(names);
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
check_line(struct check *c, char *line)
{
	static const char comment[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz ,.;:=>/-#";
	char *mark;

	if (*line == '#') {
		REQUIRE(strspn(line, comment) == strlen(line));
	} else if (!strcmp(line, "ifeq (,$(_noxmk.shard))") || !strcmp(line, "endif")) {
		return; /* nothing of the plan is in these */
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

	REQUIRE(json_object_get(c->groups, "ci"));
	REQUIRE(json_object_size(c->sessions) == plan->n);
	REQUIRE(json_object_size(c->groups) == plan->ngroups);
	for (size_t i = 0; i < reserved->n; i++) {
		const char *word = reserved->v[i];

		REQUIRE(!json_object_get(c->sessions, word));
		REQUIRE(!json_object_get(c->groups, word) || !strcmp(word, "ci"));
	}
	json_object_foreach(c->edges, name, unused)
		check_acyclic(c, name, colours);
	json_decref(colours);
}

void
rulecheck_makefile(const char *text, const struct plan *plan, const struct strings *reserved)
{
	struct check c = { .sessions = json_object(), .groups = json_object(),
		.edges = json_object() };
	char *copy = xstrdup(text), *rest = copy, *line;

	REQUIRE(*text && text[strlen(text) - 1] == '\n');
	while ((line = strsep(&rest, "\n"))) {
		REQUIRE(*line != '\t');
		check_line(&c, line);
	}
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
				(json_int_t)plan->sessions[session].facts->number);
		} else {
			REQUIRE(group < plan->ngroups);
			check_key(line, "group", plan->groups[group].target);
		}
		json_decref(object);
	}
	REQUIRE(line && !*line && n == 1 + plan->n + plan->ngroups);
	free(copy);
}
