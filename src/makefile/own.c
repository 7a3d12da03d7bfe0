#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "makefile/makedb.h"
#include "makefile/own.h"

#define NAME "own.mk"
#define FILES "_noxmk.own_files :="

/* All names are keys of objects, whose values mean nothing where only the set counts. */
struct graph {
	json_t *rules;    /* see makedb.h */
	json_t *sessions; /* target -> what it requires: a list */
	json_t *groups;   /* target -> its members: a list */
	json_t *leads;    /* target of the makefiles -> does it lead to one of ours? */
};

static void
read_plan(struct planfile *plan, struct graph *graph, struct buffer *names)
{
	const char *name;
	json_t *line;

	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		bool session = *(name = json_text(line, "target")) != '\0';

		if (!session)
			name = json_text(line, "group");
		buffer_printf(names, " %s", name);
		json_object_set(session ? graph->sessions : graph->groups, name,
		    json_object_get(line, session ? "requires" : "members"));
		json_decref(line);
	}
	/* What was not well when it was last to run. */
	json_object_set_new(graph->groups, "rerun-failed", json_array());
}

static bool
is_ours(const struct graph *graph, const char *name)
{
	return json_object_get(graph->sessions, name) || json_object_get(graph->groups, name);
}

static const json_t *
prereqs_of(const struct graph *graph, const char *name)
{
	return json_object_get(json_object_get(graph->rules, name), "prereqs");
}

/* Adds the name. False if it was there. */
static bool
add(json_t *set, const char *name)
{
	return !json_object_get(set, name) && json_object_set_new(set, name, json_true()) == 0;
}

/* Where they go round in a circle, which make drops, the answer is no. */
static bool
leads(const struct graph *graph, const char *name)
{
	const json_t *known = json_object_get(graph->leads, name), *item;
	bool found = false;
	size_t i;

	if (is_ours(graph, name))
		return true;
	if (known)
		return json_is_true(known);
	json_object_set_new(graph->leads, name, json_false());
	json_array_foreach(prereqs_of(graph, name), i, item)
		found |= leads(graph, json_string_value(item));
	json_object_set_new(graph->leads, name, json_boolean(found));
	return found;
}

/* Adds the targets of ours that this one leads to by way of the makefiles' own ones only. */
static void
add_next(const struct graph *graph, const char *name, json_t *seen, json_t *next)
{
	const json_t *item;
	size_t i;

	if (is_ours(graph, name))
		add(next, name);
	else if (leads(graph, name) && add(seen, name))
		json_array_foreach(prereqs_of(graph, name), i, item)
			add_next(graph, json_string_value(item), seen, next);
}

/*
 * The goals that this one, of the makefiles or ours, stands for: what it leads to, and what these
 * have as their direct prerequisites, and so on.
 */
static json_t *
goals_behind(const struct graph *graph, const char *name)
{
	json_t *goals = json_object(), *seen = json_object(), *queue = json_array(), *item;
	const char *goal;
	const json_t *prereq, *unused;
	size_t i, k;

	if (is_ours(graph, name))
		add(goals, name);
	else
		add_next(graph, name, seen, goals);
	json_object_foreach(goals, goal, unused)
		json_array_append_new(queue, json_string(goal));
	json_array_foreach(queue, i, item)
		json_array_foreach(prereqs_of(graph, json_string_value(item)), k, prereq)
			if (is_ours(graph, json_string_value(prereq)) &&
			    add(goals, json_string_value(prereq)))
				json_array_append(queue, (json_t *)prereq);
	json_object_del(goals, is_ours(graph, name) ? name : "");
	json_decref(seen);
	json_decref(queue);
	return goals;
}

/* Adds all sessions that must have ended before that target is made. */
static void
add_behind(const struct graph *graph, const char *name, json_t *seen, json_t *behind)
{
	const json_t *lists[] = { prereqs_of(graph, name), json_object_get(graph->sessions, name),
		json_object_get(graph->groups, name) };
	const json_t *item;
	size_t i;

	if (!add(seen, name))
		return;
	if (lists[1])
		add(behind, name);
	for (size_t k = 0; k < countof(lists); k++)
		json_array_foreach(lists[k], i, item)
			add_behind(graph, json_string_value(item), seen, behind);
}

static json_t *
behind(const struct graph *graph, const char *name)
{
	json_t *seen = json_object(), *result = json_object();

	add_behind(graph, name, seen, result);
	json_decref(seen);
	return result;
}

static void
print_names(struct buffer *out, const json_t *set, const char *prefix)
{
	const char *name;
	const json_t *unused;

	json_object_foreach((json_t *)set, name, unused)
		buffer_printf(out, " %s%s", prefix, name);
}

/* "VARIABLE/NAME := …", or "VARIABLE := …". */
static void
print_set(struct buffer *out, const char *variable, const char *name, const json_t *set)
{
	buffer_printf(out, "_noxmk.own_%s%s%s :=", variable, *name ? "/" : "", name);
	print_names(out, set, "");
	buffer_addstr(out, "\n");
}

/* What is put together for all targets of ours that have prerequisites. */
struct lists {
	json_t *targets, *inner, *files; /* files: those prerequisites, each once */
};

/* A session or a group: its members, or itself. */
static void
add_sessions(const struct graph *graph, const char *name, json_t *sessions)
{
	const json_t *item;
	size_t i;

	if (json_object_get(graph->sessions, name))
		add(sessions, name);
	json_array_foreach(json_object_get(graph->groups, name), i, item)
		add(sessions, json_string_value(item));
}

/*
 * The prerequisites of that target of ours. Those that are ours themselves come before a session,
 * but run in the company of a group. One that waits for the session itself is make's to tell.
 */
static void
print_own(struct buffer *out, const struct graph *graph, const char *name, struct lists *lists)
{
	bool session = json_object_get(graph->sessions, name) != NULL;
	json_t *files = json_object(), *needs = json_object(), *brings = json_object();
	json_t *inner = json_object(), *seen = json_object();
	const json_t *item;
	size_t i;

	json_array_foreach(prereqs_of(graph, name), i, item) {
		const char *prereq = json_string_value(item);
		json_t *before = behind(graph, prereq);

		if (session && json_object_get(before, name)) {
			json_object_clear(before);
		} else if (is_ours(graph, prereq) && session) {
			add_sessions(graph, prereq, needs);
		} else if (!is_ours(graph, prereq)) {
			add(files, prereq);
			add(lists->files, prereq);
			add_next(graph, prereq, seen, inner);
		}
		json_object_update(brings, before);
		json_decref(before);
	}
	add(lists->targets, name);
	json_object_update(lists->inner, inner);
	buffer_printf(out, "_noxmk.own/%s :=", name);
	print_names(out, files, "");
	print_names(out, needs, ".noxmk/run/");
	buffer_addstr(out, "\n");
	print_set(out, "needs", name, needs);
	print_set(out, "brings", name, brings);
	print_set(out, "inner", name, inner);
	json_decref(files);
	json_decref(needs);
	json_decref(brings);
	json_decref(inner);
	json_decref(seen);
}

static void
print_goals(struct buffer *out, const struct graph *graph)
{
	json_t *found = json_object(), *goals;
	const char *name;
	const json_t *unused;

	json_object_foreach(graph->rules, name, unused) {
		goals = leads(graph, name) ? goals_behind(graph, name) : NULL;
		if (json_object_size(goals) > 0) {
			add(found, name);
			print_set(out, "goal", name, goals);
		}
		json_decref(goals);
	}
	print_set(out, "goals", "", found);
	json_decref(found);
}

static void
print_recipes(struct buffer *out, const struct graph *graph)
{
	const char *name;
	const json_t *rule;

	buffer_addstr(out, "_noxmk.own_recipes :=");
	json_object_foreach(graph->rules, name, rule) {
		const char *place = json_text(rule, "recipe");

		if (*place && is_ours(graph, name))
			buffer_printf(out, " %s@%s", name, place);
	}
	buffer_addstr(out, "\n");
}

static void
print_graph(struct buffer *out, const struct graph *graph)
{
	struct lists lists = { json_object(), json_object(), json_object() };
	const char *name;
	const json_t *unused;

	print_goals(out, graph);
	json_object_foreach(graph->rules, name, unused)
		if (is_ours(graph, name) && json_array_size(prereqs_of(graph, name)) > 0)
			print_own(out, graph, name, &lists);
	print_set(out, "targets", "", lists.targets);
	print_set(out, "inners", "", lists.inner);
	json_object_foreach(lists.files, name, unused) {
		json_t *before = behind(graph, name);

		print_set(out, "behind", name, before);
		json_decref(before);
	}
	print_recipes(out, graph);
	json_decref(lists.targets);
	json_decref(lists.inner);
	json_decref(lists.files);
}

/* "# 1764320000.123456789 …": when each of the files was last changed; 0 for one that is gone. */
static void
print_dates(struct buffer *out, const char *folder, char *files)
{
	int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *file;

	buffer_addstr(out, "#");
	while ((file = strsep(&files, " "))) {
		struct stat st = { 0 };

		if (!*file)
			continue;
		if (fstatat(dirfd, file, &st, 0) < 0)
			st = (struct stat){ 0 };
		buffer_printf(out, " %lld.%09ld", (long long)st.st_mtim.tv_sec,
		    st.st_mtim.tv_nsec);
	}
	buffer_addstr(out, "\n");
	if (dirfd >= 0)
		close(dirfd);
}

/* What the file begins with, by which one sees whether it still holds. files: their names. */
static void
print_head(struct buffer *out, const struct own_options *options, const char *names,
    const char *files)
{
	char *copy = xstrdup(files);

	buffer_printf(out, "# Made by noxmk from what the makefiles say of its targets.\n"
			   "_noxmk.own_of :=%s%s\n_noxmk.own_plan :=%s\n" FILES "%s\n",
	    *options->of ? " " : "", options->of, names, files);
	print_dates(out, options->folder, copy);
	free(copy);
}

/* Does the file that is there begin as one that is made now? */
static bool
still_holds(const struct own_options *options, const char *names, const struct buffer *old)
{
	struct buffer head = { 0 };
	char *start = strstr(old->data, FILES), *files;
	bool same;

	if (!start)
		return false;
	start += strlen(FILES);
	files = xasprintf("%.*s", (int)strcspn(start, "\n"), start);
	print_head(&head, options, names, files);
	same = old->len >= head.len && !memcmp(old->data, head.data, head.len);
	free(files);
	buffer_free(&head);
	return same;
}

/* From the makefiles, without those that only end the parsing or are nox.mk itself. */
static void
write_own(const struct own_options *options, const struct graph *graph, const char *names,
    const json_t *read)
{
	struct buffer out = { 0 }, files = { 0 };
	const json_t *item;
	size_t i;

	buffer_addstr(&files, "");
	json_array_foreach(read, i, item)
		if (strncmp(json_string_value(item), "/proc/", strlen("/proc/")) != 0)
			buffer_printf(&files, " %s", json_string_value(item));
	print_head(&out, options, names, files.data);
	print_graph(&out, graph);
	buffer_addstr(&out, "# end\n");
	(void)!file_replace(options->state, NAME, out.data, out.len);
	buffer_free(&files);
	buffer_free(&out);
}

void
own_update(const struct own_options *options)
{
	struct planfile *plan = planfile_open(options->state);
	struct graph graph = { .sessions = json_object(), .groups = json_object(),
		.leads = json_object() };
	struct buffer names = { 0 }, old = { 0 };
	struct makedb db = { 0 };

	buffer_addstr(&names, "");
	buffer_addstr(&old, "");
	if (plan)
		read_plan(plan, &graph, &names);
	(void)!file_load(options->state, NAME, &old);
	if (plan && !still_holds(options, names.data, &old)) {
		if (*options->of)
			db = makedb_read(options->make, options->folder, options->makefile);
		graph.rules = db.rules;
		write_own(options, &graph, names.data, db.files);
		makedb_clear(&db);
	}
	planfile_close(plan);
	json_decref(graph.sessions);
	json_decref(graph.groups);
	json_decref(graph.leads);
	buffer_free(&names);
	buffer_free(&old);
}

/*
 * Some of the lines "_noxmk.ownKIND/NAME := WORD WORD" of own.mk: KIND -> name -> its words. Of the
 * kinds these are read: "", "_brings" and "_behind".
 */
static json_t *
read_own(int state)
{
	static const char start[] = "_noxmk.own";
	json_t *own = json_pack("{s:{},s:{},s:{}}", "", "_brings", "_behind");
	struct buffer text = { 0 };
	char *rest = file_load(state, NAME, &text) == 0 ? text.data : NULL, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *what = line + strlen(start), *name = strchr(line, '/'), *word;
		json_t *words;

		if (strncmp(line, start, strlen(start)) != 0 || !name)
			continue;
		*name++ = '\0';
		line = name;
		strsep(&line, " ");
		words = json_array();
		while ((word = strsep(&line, " ")))
			if (strcmp(word, ":=") != 0)
				json_array_append_new(words, json_string(word));
		json_object_set_new(json_object_get(own, what), name, words);
	}
	buffer_free(&text);
	return own;
}

static void
add_all_after(struct planfile *plan, const char *target, const json_t *others)
{
	const json_t *item;
	size_t i;

	json_array_foreach(others, i, item)
		planfile_add_after(plan, target, json_string_value(item));
}

/* The sessions of a group come after all that its prerequisites wait for, but for these. */
static void
apply_group(struct planfile *plan, const char *group, const json_t *files,
    const json_t *behind_files)
{
	json_t *goals = json_pack("[s]", group), *members = json_object();
	const json_t *file, *unused;
	const char *member;
	size_t i;

	planfile_expand(plan, goals, members, false);
	json_array_foreach(files, i, file) {
		const json_t *first = json_object_get(behind_files, json_string_value(file));

		json_object_foreach(members, member, unused)
			if (!json_list_has(first, member))
				add_all_after(plan, member, first);
	}
	json_decref(goals);
	json_decref(members);
}

void
own_apply(int state, struct planfile *plan, const json_t *goals)
{
	json_t *own = read_own(state), *words;
	const json_t *files = json_object_get(own, ""), *goal;
	const char *target;
	size_t i;

	json_object_foreach(json_object_get(own, "_brings"), target, words)
		add_all_after(plan, target, words);
	json_array_foreach(goals, i, goal) {
		target = json_string_value(goal);
		if (json_object_get(files, target))
			apply_group(plan, target, json_object_get(files, target),
			    json_object_get(own, "_behind"));
	}
	json_decref(own);
}
