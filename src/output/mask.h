#ifndef NOXMK_OUTPUT_MASK_H
#define NOXMK_OUTPUT_MASK_H

/*
 * Secrets never reach a log: what a session writes goes through this stream, and leaves it with
 * each secret replaced by ***. Secrets are the values of variables whose names say so.
 */

#include "base/util.h"

struct mask;

/*
 * Of the variables in environ (NAME=VALUE, NULL-ended) whose name matches one of the patterns
 * (fnmatch(3), whatever the case): values of at least 6 characters, and of one of several lines
 * also each such line. NULL when there is no secret. mask_close frees; NULL is no fault.
 */
struct mask *mask_open(const struct strings *patterns, char *const *environ) UNUSED_RESULT;
void mask_close(struct mask *);

/*
 * Appends the data without secrets. What may be the start of a secret is held back until it shows:
 * at most the length of the longest. mask_flush: no more will come.
 */
void mask_feed(struct mask *, const char *data, size_t n, struct buffer *out);
void mask_flush(struct mask *, struct buffer *out);

/* A whole text without secrets, in place of text, which is freed. NULL stays NULL, also as mask. */
char *mask_text(struct mask *, char *text) UNUSED_RESULT;

#endif
