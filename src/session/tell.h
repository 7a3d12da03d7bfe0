#ifndef NOXMK_SESSION_TELL_H
#define NOXMK_SESSION_TELL_H

/*
 * The lines of screen.h that tell of a session before it has ended, each in turn where a CI's page
 * has one (page.h): the log of another session is not cut by it.
 */

#include "session/attempt.h"

void tell_waits(const struct attempt_options *, const json_t *blocker);
void tell_slow(const struct attempt_options *, double seconds, int log);
void tell_retries(const struct attempt_options *, double seconds);

#endif
