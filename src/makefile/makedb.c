#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/charset.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/spawn.h"
#include "base/util.h"
#include "makefile/makedb.h"

/* Read as the last makefile, it ends make; and make prints its database as it ends. */
static const char stop[] = "$(error the end)\n";

bool
makedb_is_plain(const char *name)
{
	return charset_covers(LETTERS DIGITS "_./+@,^-", name);
}

/* The database is in English, and the makefiles see the level of the make that asks. */
static void
set_environment(void)
{
	const char *level = getenv("MAKELEVEL");
	char *above = xasprintf("%d", level && atoi(level) > 0 ? atoi(level) - 1 : 0);

	setenv("NOXMK_GRAPH", "1", 1);
	setenv("LC_ALL", "C", 1);
	setenv("MAKELEVEL", above, 1);
	free(above);
}

/* What make prints, which goes into memory by way of that descriptor. */
static void
run_make(char *const *make, const char *folder, const char *makefile, int out)
{
	int end = memfd_create("stop", MFD_CLOEXEC), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char *path = xasprintf("/proc/%d/fd/%d", (int)getpid(), end);
	const char *const arguments[] = { "-C", folder, "--no-print-directory", "-p", "-q", "-f",
		makefile, "-f", path, ".noxmk/nothing" };
	struct strings argv = { 0 };
	pid_t pid = -1;

	while (*make)
		strings_add(&argv, *make++);
	for (size_t i = 0; i < countof(arguments); i++)
		strings_add(&argv, arguments[i]);
	strings_add(&argv, NULL);
	set_environment();
	if (end >= 0 && null >= 0 && fd_write_all(end, stop, sizeof(stop) - 1) == 0)
		pid = spawn((char *const *)argv.v, environ, out, null, false);
	if (pid >= 0)
		(void)!spawn_wait(pid);
	free(argv.v);
	free(path);
	fd_close(&end);
	fd_close(&null);
}

/* Adds the plain ones of the words to the list; a lone | is none. */
static void
add_plain(json_t *list, char *words)
{
	char *word;

	while ((word = strsep(&words, " ")))
		if (makedb_is_plain(word))
			json_array_append_new(list, json_string(word));
}

/* "TARGET: PREREQUISITES | ORDER-ONLY ONES", or with two colons. The rule, or NULL. Borrowed. */
static json_t *
parse_rule(json_t *rules, char *line)
{
	char *colon = strchr(line, ':');
	json_t *rule;

	if (!colon)
		return NULL;
	*colon++ = '\0';
	colon += *colon == ':';
	/* .PHONY and its like are no targets. */
	if (!makedb_is_plain(line) || (line[0] == '.' && isupper((unsigned char)line[1])))
		return NULL;
	rule = json_object_get(rules, line);
	if (!rule) {
		rule = json_pack("{s:[],s:n}", "prereqs", "recipe");
		json_object_set_new(rules, line, rule);
	}
	add_plain(json_object_get(rule, "prereqs"), colon);
	return rule;
}

/* "#  recipe to execute (from 'GNUmakefile', line 9):", without what makes it one. */
static void
set_recipe(json_t *rule, char *from)
{
	char *end = strrchr(from, '\''), *number = end ? strstr(end, "line ") : NULL, *place;

	if (!rule || !number)
		return;
	*end = '\0';
	number += strlen("line ");
	place = xasprintf("%s:%.*s", from, (int)strspn(number, DIGITS), number);
	json_object_set_new(rule, "recipe", json_text_or_null(place));
	free(place);
}

/*
 * Entries are paragraphs: perhaps ".RECIPEPREFIX = >", if that is another one from here on; perhaps
 * "# Not a target:"; the rule; remarks; and the recipe, whose lines all begin with that prefix.
 */
static void
parse(char *text, struct makedb *db)
{
	static const char files[] = "MAKEFILE_LIST := ", recipe[] = "#  recipe to execute (from '";
	static const char prefix[] = ".RECIPEPREFIX =", phony[] = ".PHONY:";
	char *line;
	json_t *rule = NULL;
	bool inside = false, begins = false;

	while ((line = strsep(&text, "\n"))) {
		if (!strncmp(line, files, sizeof(files) - 1) && !inside) {
			add_plain(db->files, line + sizeof(files) - 1);
		} else if (!strcmp(line, "# Files")) {
			inside = true;
		} else if (!*line) {
			begins = true;
			rule = NULL;
		} else if (inside && !strncmp(line, recipe, sizeof(recipe) - 1)) {
			set_recipe(rule, line + sizeof(recipe) - 1);
			rule = NULL;
		} else if (begins && !strncmp(line, prefix, sizeof(prefix) - 1)) {
			continue;
		} else if (inside && begins && !strncmp(line, phony, sizeof(phony) - 1)) {
			add_plain(db->phony, line + sizeof(phony) - 1);
			begins = false;
		} else if (inside && begins && *line != '#') {
			rule = parse_rule(db->rules, line);
			begins = false;
		} else {
			begins = false;
		}
	}
}

/* In the order of their names, and not of a hash. */
static json_t *
sorted(json_t *rules)
{
	char *text = json_dumps(rules, JSON_SORT_KEYS);
	json_t *result = json_loads(text ? text : "{}", 0, NULL);

	free(text);
	json_decref(rules);
	return result;
}

struct makedb
makedb_read(char *const *make, const char *folder, const char *makefile)
{
	struct makedb db = { .files = json_array(), .phony = json_array(),
		.rules = json_object() };
	int out = memfd_create("database", MFD_CLOEXEC);
	char *path = xasprintf("/proc/self/fd/%d", out);
	struct buffer text = { 0 };

	if (out >= 0) {
		run_make(make, folder, makefile, out);
		if (file_read(AT_FDCWD, path, &text) == 0)
			parse(text.data, &db);
	}
	db.rules = sorted(db.rules);
	buffer_free(&text);
	free(path);
	fd_close(&out);
	return db;
}

void
makedb_clear(struct makedb *db)
{
	json_decref(db->files);
	json_decref(db->phony);
	json_decref(db->rules);
}
