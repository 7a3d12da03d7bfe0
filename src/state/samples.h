#ifndef NOXMK_STATE_SAMPLES_H
#define NOXMK_STATE_SAMPLES_H

/*
 * What a session has used over time, as its record has it:
 *
 *   {"every":0.25,"cpu":[0.98,3.9],"width":[1,4],"mib":[45.5,310.0]}
 *
 * From its start on, there is a number for each span of that many seconds: the processors that it
 * used, the most threads that were seen runnable at once, and the most MiB of memory. The last span
 * is what is left, from a half of one to one and a half. There are SAMPLES_MOST spans at most: when
 * they are full, two become one of twice the length, so that a session of any length has 32 or
 * more. One that is shorter than the shortest span has none.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

enum { SAMPLES_MOST = 64 };

/* Zeroed, it is empty. There is nothing to free. */
struct samples {
	double every, until; /* seconds of a span, 0 before the first one; what they cover */
	struct sample {
		double cpu; /* processor seconds */
		unsigned width;
		unsigned long long memory; /* bytes */
	} v[SAMPLES_MOST];
};

/*
 * From where they end up to that second after its start the session has used so many processor
 * seconds, and the others at most. Nothing if they reach that far already.
 */
void samples_add(struct samples *, double until, const struct sample *);

/* For the record; NULL where there is none. A new reference. */
json_t *samples_json(const struct samples *) UNUSED_RESULT;

/* Is that what samples_json may have written, so that the functions below may be asked? */
bool samples_are_sound(const json_t *);

/* How many spans these have, and what the one at that place has been. */
size_t samples_count(const json_t *);
struct samples_span {
	double from, to; /* seconds after the session's start */
	double cpu, mib; /* processors, MiB */
	unsigned width;
};

/* duration: seconds from the session's start to its end, where the last span ends. */
struct samples_span samples_span(const json_t *, size_t at, double duration);

#endif
