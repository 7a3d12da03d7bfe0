#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "plan/parts.h"
#include "report/list.h"

/* The column of the targets is as wide as the longest, within these limits. */
enum { WIDTH_MIN = 20, WIDTH_MAX = 48, MARKS = 4 };

/* A target that is too long for its column is cut only where the line has to fit. */
static void
print_line(char mark, const char *target, const char *rest, int width)
{
	int columns = screen_left(0) > 0 ? width : 0, used = (int)strlen(target);

	if (columns > 0 || used < width)
		used = width;
	printf("%c ", mark);
	screen_put_cell(target, columns, width);
	printf("  ");
	screen_put_cut(rest, screen_left(MARKS + used));
	putchar('\n');
}

static void
print_session(const json_t *line, int width)
{
	const char *target = json_text(line, "target"), *session = json_text(line, "session");
	const char *description = json_text(line, "description");
	const json_t *part = json_object_get(line, "part");
	bool same = !strcmp(target, session);
	char *of = part ? xasprintf(", part %lld of %lld",
	    (long long)json_integer_value(json_array_get(part, 0)),
	    (long long)json_integer_value(json_array_get(part, 1))) : xstrdup("");
	char *rest = xasprintf("%s%s%s%s", same ? "" : session, of,
	    same || !*description ? "" : ": ", description);

	print_line(json_is_true(json_object_get(line, "default")) ? '*' : '-', target, rest, width);
	free(rest);
	free(of);
}

static void
print_group(const json_t *line, int width)
{
	const json_t *members = json_object_get(line, "members");
	size_t n = json_array_size(members);
	bool is_cut = !strcmp(json_text(line, "kind"), GROUP_PARTS);
	char *rest = n == 1 ? xasprintf("%s (1 session: %s)", json_text(line, "what"),
				  json_string_value(json_array_get(members, 0))) :
			      xasprintf("%s (%zu %s)", json_text(line, "what"), n,
				  is_cut ? "parts" : "sessions");

	print_line('+', json_text(line, "group"), rest, width);
	free(rest);
}

/* The targets of nox.mk itself that people name. */
static const struct {
	const char *target, *what;
} own_targets[] = {
	{ "nox-audit", "which sessions must not run at the same time" },
	{ "nox-list", "this list" },
	{ "nox-plan", "the plan made anew" },
	{ "rerun-failed", "what failed or did not run when it was last to run" },
};

static void
print_notes(const json_t *notes)
{
	const json_t *note;
	size_t i;

	json_array_foreach(notes, i, note) {
		screen_put("\nnote: ", json_string_value(note), "");
		putchar('\n');
	}
}

void
list_print(struct planfile *plan)
{
	int width = WIDTH_MIN, left = screen_left(MARKS), most = WIDTH_MAX;
	json_t *line;

	if (left > 0 && left / 2 < most)
		most = left / 2;

	screen_put_cut("* default session   - other session   + group   . noxmk's own",
	    screen_left(0));
	putchar('\n');
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		int len = (int)strlen(json_text(line, "target"));

		if (len > width)
			width = len < most ? len : most;
		json_decref(line);
	}
	width = width < most ? width : most;
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (*json_text(line, "target"))
			print_session(line, width);
		else
			print_group(line, width);
		json_decref(line);
	}
	for (size_t i = 0; i < countof(own_targets); i++)
		print_line('.', own_targets[i].target, own_targets[i].what, width);
	print_notes(json_object_get(planfile_header(plan), "notes"));
}

/* Adds to the list by that name. */
static void
add_under(json_t *table, const char *name, const char *target)
{
	if (!json_object_get(table, name))
		json_object_set_new(table, name, json_array());
	json_array_append_new(json_object_get(table, name), json_string(target));
}

/* The keys of a line of the plan that programs may rely on; what is not there is null. */
static json_t *
select_keys(const json_t *line, const char *const *keys)
{
	json_t *object = json_object(), *value;

	for (; *keys; keys++) {
		value = json_object_get(line, *keys);
		json_object_set(object, *keys, value ? value : json_null());
	}
	return object;
}

static void
add_session(json_t *list, const json_t *line)
{
	static const char *const keys[] = { "target", "session", "name", "description", "python",
		"tags", "default", "requires", "after", NULL };
	const char *target = json_text(line, "target"), *python = json_text(line, "python");
	json_t *session = select_keys(line, keys), *tag;
	json_t *claims = json_object_get(line, "claims"), *claim;
	size_t i;

	json_object_set(session, "part", json_object_get(line, "part"));
	json_object_set(session, "whole", json_object_get(line, "whole"));
	json_object_set_new(session, "resources", claims ? json_incref(claims) : json_array());
	json_array_foreach(claims, i, claim) {
		const json_t *capacity = json_object_get(claim, "capacity");

		json_object_set_new(json_object_get(list, "resources"),
		    json_text(claim, "resource"), json_integer(capacity ?
		    json_integer_value(capacity) : 1));
	}
	json_array_append_new(json_object_get(list, "sessions"), session);
	json_array_append_new(json_object_get(list, "targets"), json_string(target));
	if (*python)
		add_under(json_object_get(list, "pythons"), python, target);
	json_array_foreach(json_object_get(line, "tags"), i, tag)
		if (json_is_string(tag))
			add_under(json_object_get(list, "tags"), json_string_value(tag), target);
}

static void
add_group(json_t *list, const json_t *line)
{
	static const char *const keys[] = { "group", "kind", "what", "members", NULL };
	const char *group = json_text(line, "group");
	json_t *object = select_keys(line, keys), *target = json_object_get(object, "group");

	json_object_set(object, "target", target);
	json_object_del(object, "group");
	json_array_append_new(json_object_get(list, "groups"), object);
	json_array_append_new(json_object_get(list, "targets"), json_string(group));
	if (!strcmp(json_text(line, "kind"), "default"))
		json_object_set(list, "default", json_object_get(line, "members"));
}

void
list_print_json(struct planfile *plan)
{
	const json_t *header = planfile_header(plan);
	const json_t *notes = json_object_get(header, "notes");
	json_t *line, *list;

	list = json_pack("{s:i,s:s,s:s,s:[],s:[],s:[],s:[],s:{},s:{},s:{}}", "schema", 1, "nox",
	    json_text(header, "nox"), "noxfile", json_text(header, "noxfile"), "targets", "default",
	    "sessions", "groups", "tags", "pythons", "resources");
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (*json_text(line, "target"))
			add_session(list, line);
		else if (*json_text(line, "group"))
			add_group(list, line);
		json_decref(line);
	}
	for (size_t i = 0; i < countof(own_targets); i++)
		json_array_append_new(json_object_get(list, "targets"),
		    json_string(own_targets[i].target));
	json_object_set_new(list, "notes", notes ? json_deep_copy(notes) : json_array());
	json_dumpf(list, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(list);
}

void
list_print_targets(struct planfile *plan)
{
	json_t *line;

	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		const char *target = json_text(line, "target");

		printf("%s\t", *target ? target : json_text(line, "group"));
		screen_put("", json_text(line, *target ? "description" : "what"), "");
		putchar('\n');
		json_decref(line);
	}
	for (size_t i = 0; i < countof(own_targets); i++)
		printf("%s\t%s\n", own_targets[i].target, own_targets[i].what);
}
