#include "base/json.h"
#include "report/plain.h"
#include "state/learned.h"

/*
 * What a session took alone in one run and in another differs by so much at most, as a part, for
 * what else the machine had to do: the lesser counts. What differs by more is another session now.
 */
#define SAME 0.7

static double
lesser(double a, double b)
{
	return a < b ? a : b;
}

/* Seconds with all processors and nobody beside, and with the start and end of a nox; or -1. */
static double
alone_seconds(const struct record *r, const struct history *history, unsigned processors)
{
	struct learned learned = history_learned(history, r->target);
	double alone = learned_alone(r, processors);

	/* What it was before may be less than it is now, but no more than what it has taken. */
	if (learned.alone >= alone * SAME)
		alone = lesser(learned.alone, alone >= 0 ? alone : r->duration);
	learned_clear(&learned);
	/* Not many more are at work than twice as many as there are processors. */
	return alone < 0 && learned_was_too_short(r) ? r->duration / 2 : alone;
}

/*
 * A part's share of what nox would have worked on the whole, or -1: the time of a part has much
 * that each part does again, so their sum is not that of the whole.
 */
static double
share_of_whole(const struct record *r, const struct history *history, double work)
{
	struct learned learned = history_learned(history, r->whole);
	double share = learned.alone < 0 ? -1 : lesser(learned.alone / r->parts, work);

	learned_clear(&learned);
	return share;
}

void
plain_add(struct plain *plain, const struct record *r, const struct history *history,
    unsigned processors)
{
	double alone, start, work;

	/* What a skipped one took, to look for an interpreter, is nothing that can be saved. */
	if (r->verdict == SKIPPED || r->verdict == NOT_RUN || plain->unknown)
		return;
	alone = alone_seconds(r, history, processors);
	if (r->verdict == CANCELLED || r->own < 0 || alone < 0) {
		plain->unknown = true;
		return;
	}
	start = r->duration - lesser(r->own, r->duration);
	work = alone > start ? alone - start : 0;
	if (r->part > 0)
		work = share_of_whole(r, history, work);
	if (work < 0) {
		plain->unknown = true;
		return;
	}
	plain->work += work;
	plain->counted++;
	if (r->fork && !*r->fork)
		plain->longest_fork = -lesser(-plain->longest_fork, -start);
	else
		plain->start = plain->starts++ > 0 ? lesser(plain->start, start) : start;
}

double
plain_seconds(const struct plain *plain)
{
	if (plain->unknown || plain->counted == 0)
		return -1;
	return plain->work + (plain->starts > 0 ? plain->start : plain->longest_fork);
}
