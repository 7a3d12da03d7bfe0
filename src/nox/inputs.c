#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "nox/env.h"
#include "nox/inputs.h"
#include "state/state.h"

#define INPUTS "inputs.json"
#define ALL_NAMES "*"

enum { SCHEMA = 1 }; /* of INPUTS */

/* See inputs.py. */
enum { TICK = 20000000, SECOND = 1000000000 };

/* The text of that position in an input; "" where there is none. */
static const char *
text_at(const json_t *input, size_t i)
{
	const char *text = json_string_value(json_array_get(input, i));

	return text ? text : "";
}

static json_int_t
nanoseconds(struct timespec time)
{
	return (json_int_t)time.tv_sec * SECOND + time.tv_nsec;
}

/* The date, size and number of that file; false if it is not there. */
static bool
look_at(int dirfd, const char *path, json_int_t is[3])
{
	struct stat st;

	if (fstatat(dirfd, path, &st, 0) < 0)
		return false;
	is[0] = nanoseconds(st.st_mtim);
	is[1] = (json_int_t)st.st_size;
	is[2] = (json_int_t)(st.st_ino & INT64_MAX);
	return true;
}

/* Are these, from that position on, the three numbers of that file? */
static bool
is_unchanged(const json_t *numbers, size_t from, int dirfd, const char *path)
{
	json_int_t is[3];

	if (!look_at(dirfd, path, is))
		return json_array_size(numbers) == from;
	for (size_t i = 0; i < countof(is); i++)
		if (json_integer_value(json_array_get(numbers, from + i)) != is[i])
			return false;
	return json_array_size(numbers) == from + countof(is);
}

static bool
file_holds(const json_t *input)
{
	return is_unchanged(input, 2, AT_FDCWD, text_at(input, 1));
}

/* By the bytes of the names, whatever the locale, as inputs.py. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_no_dot(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bool
is_folder(const char *folder, const struct dirent *entry)
{
	char *path;
	struct stat st;
	bool result;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	path = xasprintf("%s/%s", folder, entry->d_name);
	result = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	free(path);
	return result;
}

static bool
has_names(const char *folder, const char *names)
{
	struct dirent **entries;
	struct buffer is = { 0 };
	int n = scandir(folder, &entries, is_no_dot, by_name);
	bool same;

	if (n < 0)
		return false;
	buffer_addstr(&is, "");
	for (int i = 0; i < n; i++) {
		buffer_printf(&is, "%s%s%s", i ? "/" : "", entries[i]->d_name,
		    is_folder(folder, entries[i]) ? "/" : "");
		free(entries[i]);
	}
	free(entries);
	same = !strcmp(is.data, names);
	buffer_free(&is);
	return same;
}

static bool
folder_holds(const json_t *input)
{
	const char *path = text_at(input, 1);
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return json_array_size(input) == 2;
	if (json_array_size(input) != 4)
		return false;
	return json_integer_value(json_array_get(input, 2)) == nanoseconds(st.st_mtim) ||
	       has_names(path, text_at(input, 3));
}

static bool
kind_holds(const json_t *input)
{
	const char *kind = "";
	struct stat st;

	if (stat(text_at(input, 1), &st) == 0) {
		if (S_ISREG(st.st_mode))
			kind = st.st_mode & 0111 ? "program" : "file";
		else
			kind = S_ISDIR(st.st_mode) ? "folder" : "other";
	}
	return !strcmp(kind, text_at(input, 2));
}

static bool
link_holds(const json_t *input)
{
	char target[PATH_MAX];
	ssize_t n = readlink(text_at(input, 1), target, sizeof(target) - 1);

	if (n < 0 && errno != EINVAL) /* EINVAL: it is there, but no link */
		return json_array_size(input) == 2;
	target[n < 0 ? 0 : n] = '\0';
	return json_array_size(input) == 3 && !strcmp(target, text_at(input, 2));
}

static bool
program_holds(const json_t *input)
{
	char *path = process_find(text_at(input, 1), NULL);
	bool holds = !strcmp(path ? path : "", text_at(input, 2));

	free(path);
	return holds;
}

static const struct {
	const char *kind;
	bool (*holds)(const json_t *input);
} kinds[] = {
	{ "file", file_holds }, { "folder", folder_holds }, { "kind", kind_holds },
	{ "link", link_holds }, { "program", program_holds },
};

/* An input of another kind is from another noxmk. */
static bool
input_holds(const json_t *input)
{
	const char *kind = text_at(input, 0);

	for (size_t i = 0; i < countof(kinds); i++)
		if (!strcmp(kind, kinds[i].kind))
			return kinds[i].holds(input);
	return false;
}

/* Neither the rules nor the lines of the plan may be others, or gone. */
static bool
plan_holds(const json_t *plan, int state)
{
	json_t *numbers;
	const char *name;

	json_object_foreach((json_t *)plan, name, numbers)
		if (!is_unchanged(numbers, 0, state, name))
			return false;
	return json_object_size(plan) > 0;
}

static bool
variables_hold(const json_t *variables)
{
	json_t *is = json_object(), *value;
	const char *name;
	bool holds;

	json_object_foreach((json_t *)variables, name, value)
		inputs_add_variable(is, name, json_is_boolean(value));
	holds = json_equal(is, variables);
	json_decref(is);
	return holds;
}

/* Of whatever form; NULL: there is none. */
static json_t *
read_any(int state)
{
	struct buffer text = { 0 };
	json_t *inputs = NULL;

	if (file_load(state, INPUTS, &text) == 0)
		inputs = json_loadb(text.data, text.len, 0, NULL);
	buffer_free(&text);
	return inputs;
}

json_t *
inputs_read(int state)
{
	json_t *inputs = read_any(state);

	if (json_integer_value(json_object_get(inputs, "schema")) == SCHEMA)
		return inputs;
	json_decref(inputs);
	return NULL;
}

bool
inputs_are_newer(int state)
{
	json_t *inputs = read_any(state);
	bool newer = json_integer_value(json_object_get(inputs, "schema")) > SCHEMA;

	json_decref(inputs);
	return newer;
}

const char *
inputs_changed(const json_t *list)
{
	const json_t *input;
	size_t i;

	json_array_foreach(list, i, input)
		if (!input_holds(input)) {
			const char *name = json_string_value(json_array_get(input, 1));

			return name ? name : "";
		}
	return NULL;
}

bool
inputs_list_holds(const json_t *list)
{
	return !inputs_changed(list);
}

bool
inputs_hold(const json_t *inputs, int state, const json_t *knobs)
{
	if (json_is_string(json_object_get(inputs, "volatile")) && !getenv("MAKE_RESTARTS"))
		return false;
	if (!json_equal(json_object_get(inputs, "knobs"), knobs) ||
	    !plan_holds(json_object_get(inputs, "plan"), state) ||
	    !variables_hold(json_object_get(inputs, "variables")))
		return false;
	return inputs_list_holds(json_object_get(inputs, "inputs"));
}

/* The date of a file may be too near to now to tell of the next change. */
static bool
is_settled(json_int_t date)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return llabs(nanoseconds(now) - date) > TICK;
}

void
inputs_add_file(json_t *list, const char *path)
{
	json_t *input = json_pack("[s,s]", "file", path);
	json_int_t is[3];

	/* A path that is not UTF-8 cannot go into JSON: nothing is known of that file. */
	if (input && look_at(AT_FDCWD, path, is)) {
		/* `touch noxfile.py; make; make`: better wait now than plan twice. */
		if (!is_settled(is[0]))
			nanosleep(&(struct timespec){ .tv_nsec = TICK }, NULL);
		if (!look_at(AT_FDCWD, path, is) || !is_settled(is[0]))
			is[0] = -1;
		for (size_t i = 0; i < countof(is); i++)
			json_array_append_new(input, json_integer(is[i]));
	}
	json_array_append_new(list, input);
}

void
inputs_add_program(json_t *list, const char *name)
{
	char *path = process_find(name, NULL);

	json_array_append_new(list, json_pack("[s,s,s]", "program", name, path ? path : ""));
	if (path)
		inputs_add_file(list, path);
	free(path);
}

void
inputs_add_variable(json_t *variables, const char *name, bool is_secret)
{
	char *names = strcmp(name, ALL_NAMES) ? NULL : env_names_for_plan();
	const char *value = names ? names : env_value_for_plan(name);
	json_t *is = json_null();

	if (value && is_secret)
		is = json_boolean(*value);
	else if (value && !(is = json_string(value)))
		is = json_integer((json_int_t)strlen(value));
	json_object_set_new(variables, name, is);
	free(names);
}

static json_t *
numbers_of(int state, const char *name)
{
	json_int_t is[3] = { 0 };

	(void)look_at(state, name, is);
	return json_pack("[I,I,I]", is[0], is[1], is[2]);
}

void
inputs_write(json_t *inputs, int state)
{
	char *text;

	json_object_set_new(inputs, "schema", json_integer(SCHEMA));
	json_object_set_new(inputs, "plan", json_pack("{s:o,s:o}", "plan.jsonl",
	    numbers_of(state, "plan.jsonl"), "sessions.mk", numbers_of(state, "sessions.mk")));
	text = json_dumps(inputs, JSON_COMPACT);
	if (!text || file_replace(state, INPUTS, text, strlen(text)) < 0)
		warn("%s/" INPUTS, state_path());
	free(text);
}

void
inputs_forget(int state)
{
	unlinkat(state, INPUTS, 0);
}
