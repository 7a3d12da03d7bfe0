#ifndef NOXMK_SHARD_MERGE_H
#define NOXMK_SHARD_MERGE_H

/*
 * `noxmk merge`: what several machines have done of the same goals becomes one run of the state
 * folder, the latest, with the summary, reports, verdict, history and failed sessions of one. What
 * no folder has, though it was to run, counts as not run.
 */

#include <jansson.h>

#include "plan/planfile.h"

struct merge_options {
	int state;
	struct planfile *plan;  /* of the checkout here: it says what sessions there are */
	char *const *folders;   /* run folders, or state folders; NULL-ended */
	size_t expect;          /* so many there are to be; 0: any number */
	const json_t *matrix;   /* what `noxmk matrix --json` has printed; NULL: it is not known */
	unsigned reports;       /* those to be written: knob.h */
};

/*
 * 0; 1 where a session is bad, or a folder is missing, cut off, there twice, of another commit or
 * none, or its make has failed, of which a warning has told; -1 after a warning where some of the
 * run, its reports or the history could not be written.
 */
int merge_folders(const struct merge_options *);

#endif
