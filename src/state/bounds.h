#ifndef NOXMK_STATE_BOUNDS_H
#define NOXMK_STATE_BOUNDS_H

/*
 * So much is kept of a session that loops over thousands of commands: each of its first steps and
 * waits, and sums of the others. Of what is read the same goes, whoever has written it.
 */

#include <jansson.h>

#include "base/util.h"

enum { BOUNDS_STEPS = 200, BOUNDS_WAITS = 200 };

/* Seconds. Shorter waits are what asking takes, and are not recorded. */
#define BOUNDS_WAIT_LEAST 0.005

/* The text, which it takes, or NULL; of one of more bytes than a page has, the start and "…". */
char *bounds_text(char *text) UNUSED_RESULT;

/* A list's first so many items. A new reference; NULL where it is none. */
json_t *bounds_first(json_t *list, size_t most) UNUSED_RESULT;

/*
 * What is left out of the steps: {"steps":49800,"install":0.5,"run":12.0}, their number and seconds
 * by kind. That is what is told of them, or NULL, and the items that bounds_first leaves out.
 * A new reference; NULL where nothing is.
 */
json_t *bounds_more_steps(const json_t *steps, const json_t *told) UNUSED_RESULT;

/*
 * Adds a wait, of record.h. Behind the first so many those of a kind become one, which has "times",
 * how many they are, the sum of their seconds, and neither their start nor what they were for.
 */
void bounds_add_wait(json_t *waits, json_t *wait);

/* All waits of a list so. A new reference; NULL where it is none. */
json_t *bounds_waits(json_t *list) UNUSED_RESULT;

#endif
