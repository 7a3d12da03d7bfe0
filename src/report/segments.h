#ifndef NOXMK_REPORT_SEGMENTS_H
#define NOXMK_REPORT_SEGMENTS_H

/* Where the steps of a session lie on a timeline: one after the other, and all within it. */

#include <jansson.h>

#include "report/lanes.h"
#include "report/story.h"
#include "report/work.h"

struct segment {
	const json_t *step; /* as the record has it; the story's */
	enum step_kind kind;
	struct span span;   /* seconds from the run's start, with what it waited */
	struct span waited; /* at its start, for others */
};

struct segments {
	struct segment *v;
	size_t n;
};

/* What a clock tells otherwise is cut, and what nothing is left of is not there. free(v) frees. */
struct segments segments_of(const struct story *, size_t at) UNUSED_RESULT;

#endif
