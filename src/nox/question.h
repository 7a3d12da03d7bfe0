#ifndef NOXMK_NOX_QUESTION_H
#define NOXMK_NOX_QUESTION_H

/* What nox is asked when a plan is made, and what is known before. */

#include <jansson.h>

#include "nox/planning.h"

struct question {
	const char *share, *noxfile;
	char *scratch;         /* see scratch.h; not while it only asks whether the plan holds */
	json_t *knobs;         /* owns noxfile */
	char *texts[2];        /* own the words of */
	char *in_home;         /* owns the first word of NOX, or is NULL */
	struct strings nox, reserved;
	json_t *inputs;        /* that we know of ourselves: see inputs.h */
	long long noxfile_date; /* of the noxfile as it was then; -1: there is none, or it is new */
};

/* Of what the user and make say, and what the last plan was made by. False after a warning. */
bool question_make(struct question *, const struct planning_options *, int state) UNUSED_RESULT;
void question_clear(struct question *);

/* What to do where that noxfile is not, in words for people, which the caller frees; or NULL. */
char *question_without(const char *noxfile) UNUSED_RESULT;

/* Notes what nox depends on before it reads the noxfile, as it is now. */
void question_look(struct question *);

#endif
