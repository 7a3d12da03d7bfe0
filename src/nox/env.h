#ifndef NOXMK_NOX_ENV_H
#define NOXMK_NOX_ENV_H

/*
 * The environment of nox: ours without what make and noxmk put there for themselves. A nested make
 * would take our jobserver and variables for its own, a nested nox our choice of sessions.
 */

/* For the noxfile's plan: NOXPYTHON and its like still count. extra: NULL-ended NAME=VALUE list. */
char **env_for_plan(const char *const *extra);

/*
 * For one session, which is chosen by number: NOXSESSION, NOXPYTHON and NOX_PARALLEL go too.
 * NOXFORCEPYTHON and NOXEXTRAPYTHON stay, since they change the numbers.
 */
char **env_for_session(const char *const *extra);

/* Both lists live in one allocation of pointers: free() it; extra must outlive it. */

#endif
