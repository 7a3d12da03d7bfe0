#ifndef NOXMK_FRONT_INIT_H
#define NOXMK_FRONT_INIT_H

/* `noxmk init`: a project gets the line in its makefile, and a CI workflow. */

#include <stdbool.h>

struct init_options {
	const char *ci; /* a forge's name, or none; NULL: what the repository suggests */
	bool dry_run;   /* print what would be written */
};

/*
 * Sets the project in the current folder up, and prints what it did. Files that are there are only
 * added to. An exit code: other than 0 after a warning, and mostly with nothing written.
 */
int init_run(const struct init_options *);

#endif
