#ifndef NOXMK_FRONT_FORKS_H
#define NOXMK_FRONT_FORKS_H

#include "front/machine.h"

/* Were the sessions of the last run forked, and if not, why, or what that would have spared. */
struct finding forks_find(void);

#endif
