#ifndef NOXMK_NOX_NOXCALL_H
#define NOXMK_NOX_NOXCALL_H

/*
 * A nox that we ask something. The nox of a session is command.h's. It runs below a keeper
 * (base/keeper.h), in a terminal session of its own: when it ends, or when we do, however that
 * comes, nothing of it lives on. INT, TERM, HUP and the end of make end it; a second one at once.
 */

#include "base/util.h"

/* nox was not heard out, since we were told to end: the caller does so by sig_close. */
enum { NOXCALL_STOPPED = -2 };

/*
 * Runs the user's nox command and waits for it. nox: the words of NOX; arguments: what follows
 * them; extra: NAME=VALUE for its environment (env.h); the latter two are NULL-ended. out: the
 * descriptor of its standard output; its errors go to ours. Returns its exit code, 128+N when
 * signal N has killed it, NOXCALL_STOPPED, or -1 after a warning when it cannot be started.
 */
int nox_call(const struct strings *nox, const char *const *arguments, const char *const *extra,
    int out) UNUSED_RESULT;

#endif
