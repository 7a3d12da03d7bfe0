#ifndef NOXMK_TRIAL_AUDIT_H
#define NOXMK_TRIAL_AUDIT_H

/*
 * `noxmk audit`: runs sessions one after another under the tracer, and says which of them must not
 * run at the same time, or in which order. noxmk(1) has its options.
 */

#include "front/usage.h"

/* Its options. */
extern const struct usage_option audit_letters[];

/*
 * words: those behind `audit`, NULL-ended; one stands before them. share: PREFIX/share/noxmk. An
 * exit code; wrong words end us.
 */
int audit_run(char **words, const char *share, const struct usage *);

#endif
