#ifndef NOXMK_MAKEFILE_OWN_H
#define NOXMK_MAKEFILE_OWN_H

/*
 * `noxmk graph`: what the makefiles that include nox.mk say themselves of its targets, so that one
 * make has one order, one summary and one verdict whichever goal leads to its sessions. Kept as
 * own.mk in the state folder, which nox.mk reads:
 *
 *   _noxmk.own_of := GNUmakefile common.mk       the makefiles, as nox.mk names them all
 *   _noxmk.own_plan := lint tests ci             the targets of the plan that it is made for
 *   _noxmk.own_files := GNUmakefile common.mk    those whose dates count …
 *   # 1764320000.123456789 …                     … and these
 *   _noxmk.own_goals := check                    targets of the makefiles that lead to ours
 *   _noxmk.own_goal/check := lint tests          … and to which
 *   _noxmk.own_targets := tests                  targets of ours that have prerequisites
 *   _noxmk.own/tests := generated.txt            what is made before that session, or before
 *                                                the sessions of that group
 *   _noxmk.own_needs/tests := lint               sessions that must have passed first
 *   _noxmk.own_brings/tests := lint build        sessions that run, too, if that one runs
 *   _noxmk.own_inner/tests := build              targets of ours that lie behind these
 *                                                prerequisites, so that they end before the rest
 *   _noxmk.own_inners := build                   all such targets
 *   _noxmk.own_behind/generated.txt := build     sessions that must have ended before it is made
 *   _noxmk.own_recipes := lint@GNUmakefile:9     targets of ours with a recipe of the makefiles'
 *   # end
 *
 * Names that make or a shell might take for more than a name are left out.
 */

#include <jansson.h>

#include "plan/planfile.h"

struct own_options {
	int state;
	const char *of;       /* see _noxmk.own_of; empty: there is no rule to look for */
	const char *folder;   /* the one that make works in */
	const char *makefile; /* the first one */
	char *const *make;    /* the command, NULL-ended */
};

/*
 * Brings own.mk up to date. Says nothing: where that cannot be done, the makefiles' rules hold as
 * make itself understands them.
 */
void own_update(const struct own_options *);

/*
 * Tells the plan which sessions come after others in a make of these goals, by what own.mk says of
 * prerequisites.
 */
void own_apply(int state, struct planfile *, const json_t *goals);

#endif
