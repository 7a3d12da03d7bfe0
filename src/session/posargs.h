#ifndef NOXMK_SESSION_POSARGS_H
#define NOXMK_SESSION_POSARGS_H

/*
 * The words behind nox's -- that a session gets: those of the run, ARGS, or of the session that has
 * notified it. The record of that one has them as word.h does, without secrets.
 */

#include "output/mask.h"
#include "state/record.h"

/* Those of that target; of_run: NULL-ended, what it gets if it was not notified. */
struct strings posargs_open(int rundir, const char *target, char *const *of_run);
void posargs_close(struct strings *);

/*
 * Takes the secrets out of what the record hands on. One that is not the value of a variable cannot
 * be handed on: then the session has failed, and that one is not notified.
 */
void posargs_hide(struct record *, const struct secrets *, struct mask *);

#endif
