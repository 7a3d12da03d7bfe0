#include <string.h>

#include "base/clock.h"
#include "order/forecast.h"
#include "session/share.h"
#include "state/history.h"
#include "state/now.h"
#include "state/request.h"

/*
 * A run that ends later by no more than that part ends as early: what fewer workers need not do, as
 * they start, and what it costs to have more than there are processors, is not in the forecast.
 */
#define AS_EARLY 1.02

/* A run as it is now. */
struct moment {
	const struct share_options *o;
	struct now_view view;
	double now;
	unsigned told; /* what the session is told of */
};

/*
 * What the session, which usually takes so many seconds, takes longer if it is told of `few`. Of
 * its work a part is done by one processor, whatever it is told, and the other part, `many`, by as
 * many as it was seen to use:
 *
 *   seconds = one + many / width      cpu = one + many
 */
static double
seconds_more(const struct learned *known, double seconds, unsigned few)
{
	double width = known->width, many = (known->cpu - seconds) * width / (width - 1);

	return many > 0 && few < known->width ? many / few - many / width : 0;
}

/* This session itself has run for so many seconds: that much of its work one processor has done. */
static void
tell_own(const struct moment *m, double seconds, struct forecast_left *left)
{
	const struct learned *known = m->o->learned;
	double work = known->cpu - seconds;

	left->seconds += seconds_more(known, left->seconds, m->told);
	forecast_pass(left, seconds);
	left->demand = work > 0 ? work / left->seconds : 1;
	if (left->demand > m->told)
		left->demand = m->told;
}

/* For forecast_rest. */
static void
tell_left(void *data, const char *target, struct forecast_left *left)
{
	const struct moment *m = data;
	const struct now_entry *entry = now_find(&m->view, target);
	double seconds = entry ? now_seconds(entry, m->now) : 0;

	if (entry && entry->phase == NOW_ENDED)
		left->seconds = 0;
	else if (!strcmp(target, m->o->target))
		tell_own(m, seconds, left);
	else if (entry && entry->begun > 0)
		forecast_pass(left, seconds);
}

static double
rest_with(struct moment *m, const json_t *active, const struct history *history, unsigned told)
{
	m->told = told;
	return forecast_rest(m->o->state, active, history, m->o->processors, tell_left, m);
}

bool
share_suffices(const struct share_options *o, unsigned few)
{
	struct moment moment = { .o = o, .now = clock_monotonic() };
	struct history *history;
	double rest;
	json_t *active;
	bool suffices;

	/* Who was seen to be narrow tells nothing of workers. */
	if (o->learned->width < 2 || !(active = request_active(o->folder)))
		return false;
	history = history_load(o->state);
	moment.view = now_look(o->table);
	rest = rest_with(&moment, active, history, few);
	suffices = rest >= 0 &&
		   rest <= rest_with(&moment, active, history, o->processors) * AS_EARLY;
	now_view_clear(&moment.view);
	history_free(history);
	json_decref(active);
	return suffices;
}
