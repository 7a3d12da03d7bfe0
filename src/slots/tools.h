#ifndef NOXMK_SLOTS_TOOLS_H
#define NOXMK_SLOTS_TOOLS_H

/*
 * Tools that are no clients of a jobserver are told by variables how many jobs, threads or
 * processes they may use.
 */

#include "base/util.h"

/* Adds "NAME=slots" of all such variables that are not set yet; the caller frees each. */
void tools_tell(unsigned slots, struct strings *variables);

#endif
