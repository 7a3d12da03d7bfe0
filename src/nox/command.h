#ifndef NOXMK_NOX_COMMAND_H
#define NOXMK_NOX_COMMAND_H

/*
 * The nox command of one session.
 *
 * With a plan from the probe: shim.py under the interpreter that nox runs in, which picks the
 * session by number. With a plan from a listing: the user's own nox command, which picks by name.
 */

#include "base/util.h"
#include "plan/planfile.h"

struct command {
	char **argv, **envp;
	json_t *owner; /* keeps the strings of both alive */
};

struct command_options {
	const char *share;             /* the folder of shim.py */
	const char *report;            /* the absolute path that nox writes its report to */
	const struct strings *posargs;
	const struct strings *toolenv; /* variables that tell its tools of job slots (toolenv.h), or
	                                * NULL; what the configuration sets wins */
	bool interactive;              /* somebody can answer it */
	bool asks;                     /* it has a descriptor to ask its helper by (ask.h) */
	bool gated;                    /* its commands wait at the gate */
};

/*
 * session: its line of the plan. command_clear frees; posargs and toolenv must outlive the command.
 */
struct command command_make(struct planfile *, json_t *session, const struct command_options *);
void command_clear(struct command *);

#endif
