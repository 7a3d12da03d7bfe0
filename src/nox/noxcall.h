#ifndef NOXMK_NOX_NOXCALL_H
#define NOXMK_NOX_NOXCALL_H

#include "base/util.h"

/*
 * Runs the user's nox command with those arguments and waits. nox: the words of NOX. arguments and
 * extra (NAME=VALUE, for the environment): NULL-ended. out: its standard output. Returns its exit
 * code, 128+N for signal N, or -1 after a warning when it cannot be started.
 */
int nox_call(const struct strings *nox, const char *const *arguments, const char *const *extra,
    int out) UNUSED_RESULT;

#endif
