#ifndef NOXMK_REPORT_SPARKS_H
#define NOXMK_REPORT_SPARKS_H

/* How long sessions took in the last runs, each a small drawing: a bar for each run. */

#include "report/story.h"

struct sparks;

/*
 * Reads the runs before that of the story, 19 of them, or as many as it takes less than a second to
 * read of so many sessions. state: the state folder, or -1: there are none. sparks_close frees.
 */
struct sparks *sparks_open(int state, const struct story *) UNUSED_RESULT;
void sparks_close(struct sparks *);

/*
 * Appends the <svg> of that record, this run its last bar; those of runs in which it was not well
 * are marked. Nothing where there is no other run.
 */
void sparks_add(struct buffer *out, const struct sparks *, size_t at);

#endif
