#include "base/json.h"
#include "report/segments.h"

static struct span
within(struct span span, struct span outer)
{
	span.from = span.from < outer.from ? outer.from : span.from;
	span.to = span.to > outer.to ? outer.to : span.to;
	return span;
}

struct segments
segments_of(const struct story *story, size_t at)
{
	const struct record *r = &story->table.records[at];
	struct span left = { story_moment(story, r->started), story_moment(story, r->ended) };
	struct segments segments = { 0 };
	json_t *step;
	size_t i;

	json_array_foreach(r->steps, i, step) {
		double began = story_moment(story, json_number(step, "started"));
		double waited = json_number(step, "waited");
		double ended = began + waited + json_number(step, "seconds");
		struct span span = within((struct span){ began, ended }, left);

		if (!(span.to >= span.from))
			continue;
		segments.v = xreallocarray(segments.v, segments.n + 1, sizeof(*segments.v));
		segments.v[segments.n++] = (struct segment){ step, work_kind(step), span,
			within((struct span){ span.from, span.from + waited }, span) };
		left.from = span.to;
	}
	return segments;
}
