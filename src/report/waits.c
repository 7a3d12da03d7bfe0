#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/cause.h"
#include "report/waits.h"

/* Up to a moment, from where the last wait ended, or from that first moment on. */
static void
add_wait(struct waits *waits, struct wait wait, double latest)
{
	struct span *span = &wait.span;

	span->to = span->to > latest ? latest : span->to;
	if (!(span->to - span->from >= WAITS_NOTEWORTHY))
		return;
	waits->v = xreallocarray(waits->v, waits->n + 1, sizeof(*waits->v));
	waits->v[waits->n++] = wait;
}

static enum wait_kind
kind_of(const json_t *wait)
{
	const char *name = json_text(wait, "for");
	enum wait_kind kind = WAIT_EDGE + 1;

	while (kind < WAITS && strcmp(name, wait_kind_name(kind)) != 0)
		kind++;
	return kind;
}

struct waits
waits_before(const struct story *story, size_t at)
{
	const struct record *r = &story->table.records[at];
	const double *seconds = story->leads[at].seconds;
	double started = story_moment(story, r->started), from, to;
	struct waits waits = { 0 };
	json_t *wait;
	size_t i;

	if (!lead_has_run(r))
		return waits;
	from = started - cause_tried(r) - seconds[WAIT_SLOT] - seconds[WAIT_RESOURCE] -
	       seconds[WAIT_MEMORY];
	from = from < 0 ? 0 : from;
	to = from - seconds[WAIT_EDGE];
	add_wait(&waits, (struct wait){ WAIT_EDGE, { to < 0 ? 0 : to, from }, "", "" }, started);
	to = story_moment(story, cause_ready(r));
	add_wait(&waits, (struct wait){ WAIT_SLOT, { from, to }, "", "" }, started);
	from = to > from ? to : from;
	json_array_foreach(r->waits, i, wait) {
		enum wait_kind kind = kind_of(wait);

		if (record_waits_within(wait) || kind == WAITS)
			continue;
		to = from + json_number(wait, "seconds");
		add_wait(&waits, (struct wait){ kind, { from, to }, json_text(wait, "resource"),
		    json_text(wait, "target") }, started);
		from = to > from ? to : from;
	}
	return waits;
}
