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

/*
 * session: its line of the plan. share: the folder of shim.py. report: absolute path that nox
 * writes its report to. toolenv: variables that tell its tools of job slots (toolenv.h), or NULL;
 * what the configuration sets wins. interactive: somebody can answer it. command_clear frees;
 * posargs and toolenv must outlive the command.
 */
struct command command_make(struct planfile *, json_t *session, const char *share,
    const char *report, const struct strings *posargs, const struct strings *toolenv,
    bool interactive);
void command_clear(struct command *);

#endif
