#include <err.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
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

bool
place_open(struct place *place, enum needs needs, const char *key)
{
	*place = (struct place){ .state = -1, .rundir = -1 };
	if (needs >= RUN && key)
		join_restore(key, &place->state, &place->rundir);
	if (needs >= STATE && place->state < 0)
		place->state = state_open();
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

void
place_enter(const char *project)
{
	char folder[PATH_MAX];

	if (getcwd(folder, sizeof(folder)))
		setenv("NOXMK_INVOKED_FROM", folder, 0);
	if (chdir(project) < 0)
		err(EXIT_USAGE, "the project's folder (NOXMK_PROJECT) %s", project);
}
