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
 * What the session, which takes so many seconds alone, takes longer if it is told of `few`, with so
 * many seconds left. Either a part of its work is done by one processor, whatever it is told, and
 * the other part, `many`, by as many as it was seen to use, if there are:
 *
 *   seconds = one + many / width      cpu = one + many
 *
 * or its workers wait for something else: then all that is left may take longer, as fewer do so.
 * That is feared of a session that kept less than half of its other workers busy.
 */
static double
seconds_more(const struct share_options *o, double seconds, double left, unsigned few)
{
	double width = at_most(o->learned->width, o->processors), cpu = o->learned->cpu;
	double many = (cpu - seconds) * width / (width - 1);
	double work = many / few - many / width, waits = left * width / few - left;

	if (few >= width)
		return 0;
	return cpu >= seconds * (1 + width) / 2 || work > waits ? work : waits;
}

/*
 * This session itself has run for so many seconds: that much of its work one processor has done.
 * Where others had the processors its workers only looked as if they waited, so what it takes alone
 * counts if it is known.
 */
static void
tell_own(const struct moment *m, double seconds, struct forecast_left *left)
{
	const struct learned *known = m->o->learned;
	double work = known->cpu - seconds;
	double alone = known->alone >= 0 ? known->alone : left->seconds;

	left->seconds = alone;
	forecast_pass(left, seconds);
	left->seconds += seconds_more(m->o, alone, left->seconds, m->told);
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
	if (o->learned->width < 2 || !learned_heeds(o->learned))
		return false;
	if (!(active = request_active(o->folder)))
		return false;
	history = history_look(o->state);
	moment.view = now_look(o->table);
	rest = rest_with(&moment, active, history, few);
	suffices = rest >= 0 &&
		   rest <= rest_with(&moment, active, history, o->processors) * AS_EARLY;
	now_view_clear(&moment.view);
	history_free(history);
	json_decref(active);
	return suffices;
}
