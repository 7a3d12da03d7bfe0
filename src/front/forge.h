#ifndef NOXMK_FRONT_FORGE_H
#define NOXMK_FRONT_FORGE_H

/* The forges whose CI can run a project's sessions, and what it has to be told for that. */

#include "base/util.h"

struct forge;

/* Where the current folder is in its git repository; both are "" at the top, and without one. */
struct checkout {
	char *up;    /* the way to the top, "../" */
	char *below; /* the way from there to the folder, "tools/" */
};

/* git tells. checkout_free frees. */
struct checkout checkout_find(void) UNUSED_RESULT;
void checkout_free(struct checkout *);

/* The one of that name. NULL after a warning. */
const struct forge *forge_named(const char *name) UNUSED_RESULT;

/*
 * The one that the repository is for: the only one that has CI files at the top, or else the one in
 * the host's name of the first remote that has one. NULL if nothing tells.
 */
const struct forge *forge_suggested(const struct checkout *) UNUSED_RESULT;

/* All names, for a message. */
#define FORGE_NAMES "forgejo|github|gitlab"

/* The path of the file for the folder's sessions, seen from the folder. The caller frees. */
char *forge_path(const struct forge *, const struct checkout *) UNUSED_RESULT;

/*
 * Adds the text of that file to the buffer, for so many machines. 0, or -1 after a warning: the way
 * to the folder cannot be written in it.
 */
int forge_write(const struct forge *, const struct checkout *, unsigned shards, struct buffer *)
    UNUSED_RESULT;

#endif
