#include <stdio.h>
#include <stdlib.h>

#include "audit/lesson.h"
#include "audit/overlap.h"
#include "audit/tell.h"
#include "audit/watch.h"
#include "output/screen.h"
#include "state/record.h"

/* When a session ran, in Unix time; both 0: it did not. */
struct span {
	double started, ended;
};

static bool
ran_at_once(const void *data, size_t a, size_t b)
{
	const struct span *spans = data;

	return spans[a].started < spans[b].ended && spans[b].started < spans[a].ended;
}

static struct span
span_of(int rundir, const char *target)
{
	struct record record = { 0 };
	struct span span = { 0, 0 };

	if (record_read(rundir, target, &record) == 1)
		span = (struct span){ record.started, record.ended };
	record_clear(&record);
	return span;
}

/*
 * What this run shows together with audits before it, which may have seen more: in a warm tree a
 * tool does less.
 */
static void
review(struct analysis_source source, struct planfile *plan)
{
	struct analysis analysis;

	source.keeps = true;
	if (analysis_make(&analysis, plan, &source) == 0)
		lesson_review(&analysis, plan, source.state);
	analysis_clear(&analysis);
}

void
watch_tell(int state, int rundir, struct planfile *plan)
{
	/* What two have written by turns is the same for both in the end. */
	struct analysis_source source = { .state = state, .rundir = rundir,
		.rules = (NOISE_SET(NOISES) - 1) & ~NOISE_SET(NOISE_SAME) };
	struct analysis_filter filter = { .fits = ran_at_once, .whole = true };
	struct analysis analysis;
	struct span *spans;
	json_t *overlaps;

	if (analysis_make(&analysis, plan, &source) == 0) {
		if (lesson_is_there(state))
			review(source, plan);
		spans = xcalloc(analysis.n, sizeof(*spans));
		for (size_t i = 0; i < analysis.n; i++)
			spans[i] = span_of(rundir, analysis.actors[i].target);
		/* Who came there by chance at another time may come at once the next time. */
		filter.data = spans;
		analysis_narrow(&analysis, &filter);
		lesson_of_watch(&analysis, state);
		if (!screen_is_quiet())
			tell_print(&analysis, &(struct tell_options){ .watched = true });
		filter.whole = false;
		analysis_narrow(&analysis, &filter);
		free(spans);
		overlaps = overlap_all(&analysis);
		overlap_write(rundir, overlaps);
		json_decref(overlaps);
	}
	analysis_clear(&analysis);
}
