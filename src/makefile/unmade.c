#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "makefile/makedb.h"
#include "makefile/unmade.h"
#include "state/state.h"

struct search {
	json_t *rules, *phony; /* see makedb.h */
	json_t *seen;          /* target -> true */
	struct buffer noxfile; /* its text; empty when it cannot be read */
	int folder;
};

static bool
is_folder(const struct search *search, const char *name)
{
	struct stat st;

	return fstatat(search->folder, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* Does the text name a session so, by a function or by name="NAME"? loosely: or anything at all? */
static bool
mentions(const char *text, const char *name, bool loosely)
{
	static const struct {
		const char *before, *behind;
		bool loose;
	} forms[] = { { "def ", "(", false }, { "name=\"", "\"", false }, { "name='", "'", false },
		{ "\"", "\"", true }, { "'", "'", true } };
	bool found = false;

	for (size_t i = 0; i < countof(forms) && !found; i++) {
		char *form = xasprintf("%s%s%s", forms[i].before, name, forms[i].behind);

		found = (loosely || !forms[i].loose) && strstr(text, form);
		free(form);
	}
	return found;
}

/* tests-3.12 may stand for the function tests. */
static bool
is_in_noxfile(const struct search *search, const char *name, bool loosely)
{
	char *base = xasprintf("%.*s", (int)strcspn(name, "-"), name);
	const char *text = search->noxfile.data ? search->noxfile.data : "";
	bool found = mentions(text, name, loosely) || mentions(text, base, loosely);

	free(base);
	return found;
}

/*
 * Does that target, or one that it leads to, seem to be a session's? Where there is neither a rule
 * nor a folder of the name, make has a file, or a rule for many, or fails by itself. parent: the
 * rule that leads here, or NULL at a goal.
 */
static bool
needs_session(struct search *search, const char *name, const json_t *parent)
{
	const json_t *rule = json_object_get(search->rules, name), *item;
	const json_t *prereqs = json_object_get(rule, "prereqs");
	bool named = rule || json_list_has(search->phony, name), folder = is_folder(search, name);
	size_t i;

	if (json_object_get(search->seen, name))
		return false;
	json_object_set_new(search->seen, name, json_true());
	if (!*json_text(rule, "recipe") && (named || folder)) {
		bool bare = json_array_size(prereqs) == 0;

		/* A prerequisite may be a FORCE, and a folder an input of some recipe. */
		if (is_in_noxfile(search, name, !parent && folder) || (bare && named && !parent) ||
		    (bare && folder && !*json_text(parent, "recipe")))
			return true;
	}
	json_array_foreach(prereqs, i, item)
		if (needs_session(search, json_string_value(item), rule))
			return true;
	return false;
}

/* In the folder of the state, which is there: a plan was to be written there. */
static bool
write_refused(const char *names)
{
	char *text = xasprintf("_noxmk.refused :=%s\n# end\n", names);
	int state = state_find();
	/* Another make may have a plan by now. */
	bool is_there = state >= 0 && faccessat(state, "sessions.mk", F_OK, 0) == 0;
	bool written = state >= 0 && !is_there &&
		       file_store(state, "sessions.mk", text, strlen(text)) == 0;

	fd_close(&state);
	free(text);
	return written;
}

/* Other makefiles than that one, as with several -f, are read by the make that asks only. */
static bool
has_read_all(const json_t *files, const char *names)
{
	char *copy = xstrdup(names), *rest = copy, *name;
	bool all = true;

	while ((name = strsep(&rest, " ")))
		all = all && (!*name || json_list_has(files, name));
	free(copy);
	return all;
}

bool
unmade_refuse(const struct unmade_options *options)
{
	struct makedb db = makedb_read(options->make, options->folder, options->makefile);
	struct search search = { .rules = db.rules, .phony = db.phony, .seen = json_object(),
		.folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	bool certain = has_read_all(db.files, options->files), refused;
	struct buffer names = { 0 };

	(void)!file_read(AT_FDCWD, options->noxfile, &search.noxfile);
	for (char *const *goal = options->goals; *goal && certain; goal++) {
		json_object_clear(search.seen);
		if (makedb_is_plain(*goal) && needs_session(&search, *goal, NULL))
			buffer_printf(&names, " %s", *goal);
	}
	refused = names.len > 0 && write_refused(names.data);
	makedb_clear(&db);
	json_decref(search.seen);
	buffer_free(&search.noxfile);
	buffer_free(&names);
	fd_close(&search.folder);
	return refused;
}
