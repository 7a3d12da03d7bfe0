#ifndef NOXMK_REPORT_PLAIN_H
#define NOXMK_REPORT_PLAIN_H

/*
 * What plain nox would have taken for the sessions of a run, worked out from their records: one
 * session after the other, each with all processors to itself. nox starts once, where each of our
 * sessions starts one, so only the shortest of these starts counts, or where all were forked that
 * of the one that they were forked from. What a record tells (learned_alone) counts, or what an
 * earlier run taught, if that is less, or where the record does not tell; of a session that was cut
 * into parts, what it took before it was. It is rather too little than too much.
 *
 * Nobody can tell of a session that was cancelled, since it would have gone on, of one that has
 * never run uncut, and of a record that does not say how long nox itself took: of a nox that broke
 * down, or of an older noxmk.
 */

#include <stdbool.h>

#include "state/history.h"
#include "state/record.h"

struct plain {
	double work;         /* seconds of the sessions so far */
	double start;        /* the shortest start of a nox */
	double longest_fork; /* start of a session that was forked: one has waited for that nox */
	unsigned counted;    /* how many sessions they are */
	unsigned starts;     /* of them, that have started a nox */
	bool unknown;        /* one of the sessions cannot be told of */
};

/* Adds a session. processors: that there are. */
void plain_add(struct plain *, const struct record *, const struct history *,
    unsigned processors);

/* The seconds, or -1: unknown. */
double plain_seconds(const struct plain *);

#endif
