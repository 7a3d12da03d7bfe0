#ifndef NOXMK_REPORT_TRACEBACK_H
#define NOXMK_REPORT_TRACEBACK_H

/*
 * Python's tracebacks: the finding is the innermost frame in a file of the project, with the last
 * line as the message. Of exceptions that come from each other the last one counts, which nobody
 * has caught. A SyntaxError may come without "Traceback"; each line may have the same text in
 * front, as pytest's INTERNALERROR and groups of exceptions have.
 */

#include "base/util.h"
#include "report/finding.h"

/* All zero: in no traceback. */
struct traceback {
	enum { TRACEBACK_NONE, TRACEBACK_FRAMES, TRACEBACK_SYNTAX, TRACEBACK_ENDED } state;
	struct buffer before;  /* what each line has in front */
	unsigned frames;       /* lines since it began */
	char *file;            /* of the innermost frame so far, or NULL */
	unsigned line;
	char *ended_file;      /* the finding, until it is sure that no other exception follows */
	unsigned ended_line;
	bool chained;          /* that one does: a sentence says so */
	struct buffer message; /* of that */
};

/* Reads the next line. Is it one of a traceback? */
bool traceback_line(struct traceback *, const struct finder *, const char *line);

/* No more lines come: what is found is told, and all is zero again. */
void traceback_end(struct traceback *, const struct finder *);

/* The file of the project and the line in `File "PATH", line N`, as such a text begins; or NULL. */
char *traceback_frame(const struct finder *, const char *text, unsigned *line);

#endif
