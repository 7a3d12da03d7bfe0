#ifndef NOXMK_MAKEFILE_MAKEDB_H
#define NOXMK_MAKEFILE_MAKEDB_H

/*
 * What makefiles say, as GNU make has read them: the rules that stand in its database (make -p). It
 * prints that when it has parsed them all and is stopped there: nothing is remade, no recipe runs.
 */

#include <jansson.h>
#include <stdbool.h>

struct makedb {
	json_t *files; /* the makefiles that it has read, as it names them: a list */
	json_t *phony; /* the prerequisites of .PHONY: a list */
	json_t *rules; /* target -> {"prereqs":["a"],"recipe":"GNUmakefile:9" or null}; each name is
			  one that stands for itself in a makefile */
};

/*
 * make: the command, NULL-ended. It reads that makefile in that folder, with NOXMK_GRAPH in its
 * environment. Where make prints no database there are no rules.
 */
struct makedb makedb_read(char *const *make, const char *folder, const char *makefile);
void makedb_clear(struct makedb *);

/* Does the name, in a makefile, stand for itself and no more? */
bool makedb_is_plain(const char *name);

#endif
