#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "nox/planning.h"
#include "place.h"
#include "state/join.h"
#include "state/rundir.h"
#include "state/state.h"

void
place_close(struct place *place)
{
	planfile_close(place->plan);
	fd_close(&place->rundir);
	fd_close(&place->state);
}

/* What wants the plan can have it without a run. */
static int
open_for_plan(void)
{
	int state = state_find();

	if (state < 0 && errno == ENOENT)
		warnx("no %s here, and so no plan: `noxmk plan` or `make nox-list` in the "
		      "project's folder makes it", state_path());
	return state;
}

/* A folder without a noxfile is left as it is. False after what nox says of the noxfile. */
static bool
make_plan(const char *share)
{
	int state = state_find();
	bool wanted = state < 0 ? errno == ENOENT && access("noxfile.py", R_OK) == 0 :
	    faccessat(state, "plan.jsonl", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;

	fd_close(&state);
	return !wanted || planning_run(&(struct planning_options){ .share = share }) == 0;
}

bool
place_open(struct place *place, enum needs needs, const char *key, const char *share)
{
	*place = (struct place){ .state = -1, .rundir = -1 };
	if (needs == ANY_PLAN && !make_plan(share))
		return false;
	if (needs == ANY_PLAN)
		needs = PLAN;
	if (needs >= RUN && key)
		join_restore(key, &place->state, &place->rundir);
	if (needs >= STATE && place->state < 0)
		place->state = needs == PLAN ? open_for_plan() : state_open();
	if (place->state >= 0 && needs >= RUN && place->rundir < 0)
		place->rundir = rundir_open(place->state, key);
	if (place->state >= 0 && needs == PLAN)
		place->plan = planfile_open(place->state);
	else if (place->rundir >= 0)
		place->plan = planfile_open(place->rundir);
	if ((needs < STATE || place->state >= 0) && (needs < PLAN || place->plan))
		return true;
	place_close(place);
	return false;
}

static void
enter(const char *project)
{
	char folder[PATH_MAX];

	if (getcwd(folder, sizeof(folder)))
		setenv("NOXMK_INVOKED_FROM", folder, 0);
	if (chdir(project) < 0)
		err(EXIT_USAGE, "the project's folder (NOXMK_PROJECT) %s", project);
}

void
place_read_options(int argc, char *argv[], usage_list *usage_of)
{
	static const struct option global_options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+C:S:hV", global_options, NULL)) != -1) {
		if (option == 'h') {
			usage_print(usage_of);
			exit(0);
		} else if (option == 'V') {
			puts("noxmk " NOXMK_VERSION);
			exit(0);
		} else if (option == 'S') {
			state_choose(optarg);
		} else if (option == 'C') {
			enter(optarg);
		} else {
			usage_suggest(argv[optind - 1], global_options);
			errx(EXIT_USAGE, "`noxmk help` has the options");
		}
	}
}

json_t *
place_words(char **words)
{
	json_t *list = json_array();

	for (; *words; words++)
		json_array_append_new(list, json_string(*words));
	return list;
}

json_t *
place_goals(char **words)
{
	return *words ? place_words(words) : json_pack("[s]", "ci");
}

char **
place_cut_make(char ***goals)
{
	char **make = *goals;

	/* getopt has taken a -- that no goal stands before. */
	if (!strcmp(make[-1], "--"))
		*goals = --make;
	while (*make && strcmp(*make, "--") != 0)
		make++;
	if (*make)
		*make++ = NULL;
	return make;
}
