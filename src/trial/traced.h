#ifndef NOXMK_TRIAL_TRACED_H
#define NOXMK_TRIAL_TRACED_H

/* Sessions that run under the tracer, in a make of their own that people might have typed. */

#include <stdbool.h>

struct traced {
	const char *share;    /* PREFIX/share/noxmk */
	char *const *targets; /* NULL-ended; none: the default sessions; and settings of make's */
	const char *order;    /* targets, blanks between: they start so; NULL: as in the noxfile */
	const char *const *settings; /* of make's, "NAME=VALUE", NULL-ended; or NULL */
	unsigned jobs;        /* at the same time; 0: one */
	bool is_dry;          /* only say what would run */
	bool to_errors;       /* what make prints goes to standard error */
	bool is_silent;       /* nobody sees it */
	int code;             /* out: make's exit code; -1: it could not be started, as was said */
	bool no_target;       /* out: nothing has run, since one of them is none, as make says */
	int stop;             /* out: the signal that has ended it, and is to end us; 0: none */
};

/* Is that word of the targets a setting, "NAME=VALUE", as make itself sees it? */
bool traced_is_setting(const char *word);

/*
 * Whatever make is around us has no part in it. A descriptor of their run in that state folder (-1:
 * in that of the current folder, which the make makes); the caller closes. -1: there is none.
 */
int traced_run(struct traced *, int state);

#endif
