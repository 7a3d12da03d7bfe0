#ifndef NOXMK_TRACE_PLACES_H
#define NOXMK_TRACE_PLACES_H

/*
 * Which file a path means, whichever way it leads there: its canonical path has no links but maybe
 * in its last part. What has been found is remembered until links change.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct places;

struct place {
	const char *path;   /* canonical */
	bool lacks_parent;  /* the folder that it would be in is not there */
	void *data;         /* the caller's */
};

struct places *places_open(void);
void places_close(struct places *);

/* Of an absolute path. It lives as long as the places. */
struct place *places_find(struct places *, const char *path);

/* The same, but of a path that is taken to be canonical. */
struct place *places_verbatim(struct places *, const char *path);

/* Where the link leads that is there; NULL if none is there by now. */
struct place *places_target(struct places *, const struct place *);

/*
 * The folder, as it was named, that places_find has just looked up anew, if it is really elsewhere:
 * links lead there. Each is told of once. NULL: none. The caller frees.
 */
char *places_detour(struct places *) UNUSED_RESULT;

/* Bytes of memory that they have, about. */
size_t places_size(const struct places *);

/* A link has come or gone: what is asked from now on is looked up anew. */
void places_forget(struct places *);

/* A folder has gone: names that are new are looked up anew. */
void places_forget_folders(struct places *);

#endif
