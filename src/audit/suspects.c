#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/analysis.h"
#include "audit/kept.h"
#include "audit/lesson.h"
#include "audit/overlap.h"
#include "audit/suspects.h"

static bool
is_traced(const struct suspects *s)
{
	char *name = trace_name(s->target);
	bool is = faccessat(s->rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	free(name);
	return is;
}

json_t *
suspects_of(const struct suspects *s)
{
	bool traced = is_traced(s);
	/* What both have left the same may have been half there meanwhile. */
	struct analysis_source source = { .state = s->state, .rundir = traced ? s->rundir : -1,
		.keeps = !traced, .rules = (NOISE_SET(NOISES) - 1) & ~NOISE_SET(NOISE_SAME) };
	struct analysis analysis = { 0 };
	json_t *list = NULL;

	if ((traced || kept_has(s->state, s->target)) &&
	    analysis_make(&analysis, s->plan, &source) == 0) {
		list = s->fails_alone ? overlap_left(&analysis, s->target, s->company) :
			overlap_between(&analysis, s->target, s->company);
		if (!s->fails_alone)
			lesson_of_failure(&analysis, s->state, s->target, s->company, false);
	}
	analysis_clear(&analysis);
	return list ? list : json_array();
}
