#ifndef NOXMK_OUTPUT_MASK_H
#define NOXMK_OUTPUT_MASK_H

/*
 * Secrets never reach a log: what a session writes goes through this stream, which replaces each
 * secret by ***. Secrets are the values of variables with certain names, such as *TOKEN*.
 */

#include "base/util.h"

struct mask;

/*
 * The secrets are the values of those variables in environ (NAME=VALUE, NULL-ended) whose names
 * match one of the patterns (fnmatch(3), whatever the case). Of a value with several lines each
 * line is a secret, too. What has fewer than 6 characters is none. NULL when there is no secret.
 * mask_close frees, and takes NULL.
 */
struct mask *mask_open(const struct strings *patterns, char *const *environ) UNUSED_RESULT;
void mask_close(struct mask *);

/*
 * Appends the data without secrets. What may be the start of a secret is held back, at most as much
 * as the longest has, until more data decide it, or mask_flush says that no more will come.
 */
void mask_feed(struct mask *, const char *data, size_t n, struct buffer *out);
void mask_flush(struct mask *, struct buffer *out);

/*
 * Frees the text, and returns one without secrets, which the caller frees. Without a mask that is
 * the same text; NULL stays NULL.
 */
char *mask_text(struct mask *, char *text) UNUSED_RESULT;

#endif
