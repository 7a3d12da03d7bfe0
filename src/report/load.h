#ifndef NOXMK_REPORT_LOAD_H
#define NOXMK_REPORT_LOAD_H

/*
 * What all sessions of a run used over time, together, by their samples (state/samples.h). What a
 * record without samples tells of its session counts as long as that ran.
 */

#include "report/story.h"

/* From one moment, in seconds from the run's start, to that of the next. The last one is all 0. */
struct load_point {
	double at, cpu, mib; /* processors, MiB */
	double width, slots; /* runnable threads; job slots held, which one lends while it waits */
};

struct load {
	struct load_point *v;
	size_t n;
	double cpu; /* processors used on average until the last session ended */
	double mib; /* the most at once */
};

/* load_clear frees. */
struct load load_of(const struct story *);
void load_clear(struct load *);

/* Those averages in words, "2.0 of 8 processors …"; NULL: nothing is known. The caller frees. */
char *load_words(const struct story *) UNUSED_RESULT;

#endif
