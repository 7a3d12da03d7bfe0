#ifndef NOXMK_FRONT_INIT_H
#define NOXMK_FRONT_INIT_H

/* `noxmk init`: a project gets the line in its makefile, and a CI workflow. */

#include <stdbool.h>

/* More jobs no matrix of GitHub has. */
enum { INIT_SHARDS = 256 };

struct init_options {
	const char *ci; /* a forge's name, or none; NULL: what the repository suggests */
	unsigned shards; /* the machines that are to share the sessions; 0: one */
	bool dry_run;   /* print what would be written */
};

/*
 * Sets the project in the current folder up, and prints what it did. Files that are there are only
 * added to. An exit code: other than 0 after a warning, and mostly with nothing written.
 */
int init_run(const struct init_options *);

#endif
