#ifndef NOXMK_SESSION_SHARE_H
#define NOXMK_SESSION_SHARE_H

/*
 * How many processors a wide command is told of where others use some of them already. To be told
 * of fewer is for ever, and to be told of all makes what runs beside it slower. Which of the two is
 * better depends on what is still to come: what earlier runs have taught tells that (forecast.h).
 */

#include <stdbool.h>

#include "state/learned.h"

struct share_options {
	int state, folder; /* the state folder; the one with the request and the plan */
	int table;         /* see now.h */
	const char *target;
	unsigned processors; /* that all sessions of the make share; 2 or more */
	const struct learned *learned; /* what earlier runs have taught of it, which is known */
};

/*
 * Does the run end as early if a command of that session, which runs, is told of so few processors
 * (1 or more) instead of all? False where that is not known.
 */
bool share_suffices(const struct share_options *, unsigned few);

#endif
