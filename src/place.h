#ifndef NOXMK_PLACE_H
#define NOXMK_PLACE_H

/* What a subcommand works on: the state folder, a run in it, a plan. */

#include <stdbool.h>

#include "front/usage.h"
#include "plan/planfile.h"

enum needs {
	NOTHING,
	STATE, /* the state folder */
	PLAN,  /* and the plan in it */
	ANY_PLAN, /* the same, and it is made if there is none */
	RUN,   /* or the run folder of a make, or the latest one, and the plan in that */
};

/* That, opened. A descriptor that is not needed is -1, and a plan NULL. */
struct place {
	int state, rundir;
	struct planfile *plan;
};

/*
 * key: the make's, or NULL for the latest; share: for ANY_PLAN, the folder of probe.py. False after
 * a warning, with nothing open.
 */
bool place_open(struct place *, enum needs, const char *key, const char *share) UNUSED_RESULT;
void place_close(struct place *);

/*
 * The options that stand before the subcommand: where it is to work. Those that are all there is to
 * do, and wrong ones, end us. Where the user is, for session.invoked_from, is kept before we go to
 * the project; a make that we start there ourselves has it already.
 */
void place_read_options(int argc, char *argv[], usage_list *);

/* The words, and these as goals, or the one that make has without any. New references. */
json_t *place_words(char **words);
json_t *place_goals(char **words);

/*
 * Cuts the operands, [GOAL …] [-- MAKE …], behind the goals. The words of MAKE; both are
 * NULL-ended.
 */
char **place_cut_make(char ***goals);

#endif
