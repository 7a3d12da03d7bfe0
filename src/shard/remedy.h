#ifndef NOXMK_SHARD_REMEDY_H
#define NOXMK_SHARD_REMEDY_H

/* What helps where sessions that have to be on one machine are too long for it, for people. */

#include "shard/bundle.h"

/*
 * "gpu alone takes" or "these stay together, lint docs, and take", of a bundle of which the first
 * sessions are named. The caller frees.
 */
char *remedy_subject(const struct bundles *, const struct workload *, size_t bundle) UNUSED_RESULT;

/*
 * What makes it so many times shorter: "cut it: parts = 2 in [tool.noxmk.session.gpu], see
 * nox.mk(5)", or of several sessions that they are to be untied. The caller frees.
 */
char *remedy_words(const struct bundles *, const struct workload *, size_t bundle, unsigned times)
    UNUSED_RESULT;

#endif
