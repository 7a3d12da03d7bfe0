#ifndef NOXMK_REPORT_FINDING_H
#define NOXMK_REPORT_FINDING_H

/*
 * What a tool has to say of a place in a file, and what those who find it in a log (findings.h)
 * know of the world: nothing but these functions.
 */

#include <stdbool.h>
#include <stddef.h>

#include "report/grammar.h"

/* All strings are borrowed. */
struct finding {
	enum level level;
	const char *file;      /* as struct finder names it; "": an announced one may have none */
	unsigned line, column; /* from 1 on; 0: not known */
	const char *rule;      /* as F401, or the name of a test; or "" */
	const char *message;   /* a few lines at most, without the last line's end */
	bool announced;        /* the session has told the CI itself, by a command (ci.h) */
};

/* Who has said from where relative paths may be seen. */
enum folder { FOLDER_NOX, FOLDER_MAKE, FOLDER_PYTEST, FOLDERS };

struct finder {
	/* The file of the project that so many bytes of path name, or NULL. The caller frees. */
	char *(*file)(void *data, const char *path, size_t n);
	/* From now on a path may be seen from that folder, too; the last one counts. */
	void (*folder)(void *data, enum folder, const char *path, size_t n);
	void *data; /* for these two */
	void (*found)(void *to, const struct finding *);
	void *to;
};

#endif
