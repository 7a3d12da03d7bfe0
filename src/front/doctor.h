#ifndef NOXMK_FRONT_DOCTOR_H
#define NOXMK_FRONT_DOCTOR_H

/*
 * `noxmk doctor`: looks at all that sessions need to run here. It changes nothing in the project:
 * what it has to write it writes elsewhere, or into a folder that it removes.
 */

#include "base/util.h"

/* What a check has found. STOP: nothing runs as long as it is so. */
enum health { WELL, ADVICE, STOP };

struct finding {
	enum health health;
	char *text; /* what is there, or what to do; for people */
};

/* share: the folder of our Python files. 0, or 1 when something would stop a run. */
int doctor_run(const char *share, bool json);

#endif
