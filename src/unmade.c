#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "makedb.h"
#include "plan/planfile.h"
#include "state/state.h"
#include "unmade.h"

struct search {
	json_t *rules;         /* see makedb.h */
	json_t *seen;          /* target -> true */
	struct buffer noxfile; /* its text; empty when it cannot be read */
	int folder;
};

/* Is there a file of that name, but no folder? */
static bool
is_file(const struct search *search, const char *name)
{
	struct stat st;

	return fstatat(search->folder, name, &st, 0) == 0 && !S_ISDIR(st.st_mode);
}

static bool
is_folder(const struct search *search, const char *name)
{
	return faccessat(search->folder, name, F_OK, 0) == 0 && !is_file(search, name);
}

/* Does the text define that function, or hold the word in quotes? */
static bool
mentions(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; n > 0 && (at = strstr(at, word)); at += n) {
		const char before = *(at > text ? at - 1 : " "), after = at[n];

		if (strchr("'\"", before) && before == after)
			return true;
		if (at - text >= 4 && !strncmp(at - 4, "def ", 4) && strchr(" (", after) && after)
			return true;
	}
	return false;
}

/* tests-3.12 may stand for the function tests. */
static bool
is_in_noxfile(const struct search *search, const char *name)
{
	char *base = xasprintf("%.*s", (int)strcspn(name, "-"), name);
	const char *text = search->noxfile.data ? search->noxfile.data : "";
	bool found = mentions(text, name) || mentions(text, base);

	free(base);
	return found;
}

/*
 * The target that is a session's by all that one can tell, among that one and what it leads to:
 * NULL if there is none. parent: the rule that leads here, or NULL at a goal.
 */
static const char *
find_session(struct search *search, const char *name, const json_t *parent)
{
	const json_t *rule = json_object_get(search->rules, name), *item;
	const json_t *prereqs = json_object_get(rule, "prereqs");
	const char *found = NULL;
	size_t i;

	if (json_object_get(search->seen, name))
		return NULL;
	json_object_set_new(search->seen, name, json_true());
	if (!*json_text(rule, "recipe")) {
		bool bare = json_array_size(prereqs) == 0;

		/* A prerequisite may be a FORCE, and a folder an input of some recipe. */
		if (is_in_noxfile(search, name) || (bare && !parent && !is_file(search, name)) ||
		    (bare && is_folder(search, name) && !*json_text(parent, "recipe")))
			return name;
	}
	json_array_foreach(prereqs, i, item)
		if ((found = find_session(search, json_string_value(item), rule)))
			break;
	return found;
}

static int
check_without_plan(struct search *search, char *const *goals)
{
	int result = 0;

	for (const char *goal; (goal = *goals); goals++) {
		const char *session = find_session(search, goal, NULL);

		if (!session)
			continue;
		warnx("%s%s%s: no recipe makes it, and there is no plan to run it by: see the "
		      "message above", session, strcmp(session, goal) ? ", needed by " : "",
		    strcmp(session, goal) ? goal : "");
		result = -1;
	}
	return result;
}

/* A target of the makefiles is theirs, whatever it does. */
static int
check_with_plan(const struct search *search, struct planfile *plan, char *const *goals)
{
	json_t *unmade = json_array(), *unused = json_object();
	int result;

	for (; *goals; goals++)
		if (!json_object_get(search->rules, *goals))
			json_array_append_new(unmade, json_string(*goals));
	result = planfile_expand(plan, unmade, unused, true);
	json_decref(unmade);
	json_decref(unused);
	return result;
}

int
unmade_check(const struct unmade_options *options)
{
	struct makedb db = makedb_read(options->make, options->folder, options->makefile);
	struct search search = { .rules = db.rules, .seen = json_object(),
		.folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	int state = state_find(), result;
	struct planfile *plan = NULL;

	(void)!file_read(AT_FDCWD, options->noxfile, &search.noxfile);
	if (state >= 0 && faccessat(state, "plan.jsonl", F_OK, 0) == 0)
		plan = planfile_open(state);
	result = plan ? check_with_plan(&search, plan, options->goals) :
			check_without_plan(&search, options->goals);
	planfile_close(plan);
	makedb_clear(&db);
	json_decref(search.seen);
	buffer_free(&search.noxfile);
	fd_close(&search.folder);
	fd_close(&state);
	return result;
}
