#ifndef NOXMK_OUTPUT_MASK_H
#define NOXMK_OUTPUT_MASK_H

/*
 * Secrets never reach a log: what a session writes goes through a mask, which replaces each secret
 * by ***. Secrets are what plan/secret.h has, and what the session itself declares to be one
 * (commands.h).
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"
#include "plan/secret.h"

struct mask;

/*
 * The secrets are the values of those variables in environ (NAME=VALUE, NULL-ended) that are on the
 * list. Of a value with several lines each line is a secret, too. What has fewer than SECRET_LEAST
 * characters is none. mask_close frees, and takes NULL.
 */
struct mask *mask_open(const struct secrets *, char *const *environ) UNUSED_RESULT;
void mask_close(struct mask *);

/*
 * One more secret, declared by that name, from now on. It may be as short as it likes, as somebody
 * has asked for it; of its lines only those with SECRET_LEAST are secrets by themselves.
 */
void mask_add(struct mask *, const char *name, const char *value);

bool mask_is_empty(const struct mask *);

/* How far one stream has come. { 0 } is its start; mask_flush and mask_drop leave it so. */
struct mask_stream {
	struct buffer held;        /* what may be the start of a secret, or in one */
	size_t node;               /* of the trie (trie.h): it stands for just that text */
	struct mask_range *ranges; /* which parts of it are secret by now */
	size_t n, cap;             /* of those */
	bool begun;                /* the *** of the first of them is out */
};

/*
 * Appends the data without secrets. What may be the start of a secret is held back, at most as much
 * as the longest has, until more data decide it, or mask_flush says that no more will come. The
 * time is a few steps for each byte, however many secrets there are, and however long they are.
 */
void mask_feed(struct mask *, struct mask_stream *, const char *data, size_t n,
    struct buffer *out);
void mask_flush(struct mask_stream *, struct buffer *out);

/* Forgets what is held back. */
void mask_drop(struct mask_stream *);

/* Frees the text, and returns one without secrets, which the caller frees. NULL stays NULL. */
char *mask_text(struct mask *, char *text) UNUSED_RESULT;

/* The same for all strings in there, in their places. True if one of them has changed. */
bool mask_json(struct mask *, json_t *);

/*
 * The names, "PYPI_TOKEN, A_SECRET", sorted, whose secrets have been replaced since the last
 * call of mask_forget_names; NULL: none. The caller frees.
 */
char *mask_names(const struct mask *) UNUSED_RESULT;
void mask_forget_names(struct mask *);

#endif
