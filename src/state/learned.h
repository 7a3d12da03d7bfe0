#ifndef NOXMK_STATE_LEARNED_H
#define NOXMK_STATE_LEARNED_H

/*
 * What the runs of a session that passed have taught of it, besides how long it takes. This is what
 * history.json (history.h) has of it, as "learned":
 *
 *   {"told":4,"width":4,"memory":734003200,"cpu":71.5,"wide":["pytest"],"alone":20.1}
 *
 * told, width, memory, cpu, wide: as in the record (record.h) of the last run in which somebody
 * looked, and that was told of no fewer than an earlier one, or used more. One that has shown that
 * it has a number of its own (learned_heeds) counts, too, and `told` stays as it was then. A
 * session that has always been too short for a look has the width 1. alone: seconds that it takes
 * with all processors when no other session disturbs it, by the last run that told. A later run
 * that was told of fewer gives its cpu, and narrows down alone. What is not known is not there.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"
#include "state/record.h"

struct learned {
	unsigned told, width;
	unsigned long long memory;
	double cpu;
	json_t *wide;  /* list of commands, or NULL */
	double alone;  /* -1: unknown */
	bool known;    /* all but alone is */
};

/*
 * Looks up one session, in the history of the state folder, or else in that of NOXMK_HISTORY. It is
 * for helpers, which are many: of the file only the one object is parsed. What cannot be read is
 * unknown, and not warned of. learned_clear frees.
 */
struct learned learned_of(int state, const char *target) UNUSED_RESULT;
void learned_clear(struct learned *);

/* Of such an object, or of anything else. learned_clear frees. */
struct learned learned_read(const json_t *) UNUSED_RESULT;

/* Such an object with nothing else in it: a new reference, or NULL if nothing is known. */
json_t *learned_tidy(const json_t *) UNUSED_RESULT;

/*
 * The object after another run: a new reference, or NULL if nothing is known. before: the object so
 * far, or NULL. processors: that there were.
 */
json_t *learned_add(const json_t *before, const struct record *, unsigned processors)
    UNUSED_RESULT;

/*
 * Does it use fewer if it is told of fewer? One that has used twice as many as it was told of has a
 * number of its own. With one worker, that and what started it may be two for a moment.
 */
bool learned_heeds(const struct learned *);

/* Did the session end so soon that nobody has looked at it? */
bool learned_was_too_short(const struct record *);

/*
 * Seconds that the session would have taken with all processors and no other beside it, rather too
 * few than too many. -1 where the record does not tell, since others were in its way for long, or
 * since its tools were told of fewer processors than there are, and used them all.
 */
double learned_alone(const struct record *, unsigned processors);

#endif
