#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "plan/use.h"
#include "report/cause.h"

double
cause_tried(const struct record *record)
{
	double first = json_number(json_array_get(record->attempts, 0), "started"), seconds = 0;
	json_t *attempt;
	size_t i;

	if (first > 0 && first <= record->started)
		return record->started - first;
	/* Older ones do not say when: then without the pauses. */
	json_array_foreach(record->attempts, i, attempt)
		seconds += json_number(attempt, "duration");
	return seconds;
}

double
cause_ready(const struct record *record)
{
	double ready = record->started - cause_tried(record);
	json_t *wait;
	size_t i;

	json_array_foreach(record->waits, i, wait)
		if (!record_waits_within(wait))
			ready -= json_number(wait, "seconds");
	return ready;
}

void
cause_clear(struct cause *cause)
{
	free(cause->target);
	free(cause->what);
	free(cause->by);
	*cause = (struct cause){ 0 };
}

/* The other session is the cause if it ended later than the cause so far. Takes what and by. */
static void
propose(struct cause *cause, const struct record *other, char *what, char *by)
{
	if (cause->target && cause->ended >= other->ended) {
		free(what);
		free(by);
		return;
	}
	cause_clear(cause);
	*cause = (struct cause){ .target = xstrdup(other->target), .ended = other->ended,
		.what = what, .by = by };
}

/* What declares the edge to that target: a key of the configuration, or else nox's own word. */
static char *
declared_by(const json_t *session, const char *target, const char *otherwise)
{
	const char *by = json_text(json_object_get(session, "by"), target);

	return xstrdup(*by ? by : otherwise);
}

/* The claim because of which the two cannot run at once: one of them wants the resource alone. */
static const json_t *
shared_claim(const json_t *session, const json_t *other)
{
	json_t *mine, *theirs;
	size_t i, k;

	json_array_foreach(json_object_get(session, "claims"), i, mine)
		json_array_foreach(json_object_get(other, "claims"), k, theirs)
			if (!strcmp(json_text(mine, "resource"), json_text(theirs, "resource")) &&
			    (use_of(mine) == EXCLUSIVE || use_of(theirs) == EXCLUSIVE))
				return use_of(mine) == EXCLUSIVE ? mine : theirs;
	return NULL;
}

void
cause_consider(struct cause *cause, const json_t *session, const char *cue, const json_t *other,
    const struct record *record)
{
	const char *name = record->target;
	const json_t *claim;

	if (json_list_has(json_object_get(session, "requires"), name))
		propose(cause, record, xasprintf("it requires %s", name),
		    declared_by(session, name, "requires= in the noxfile"));
	else if (json_list_has(json_object_get(session, "after"), name))
		propose(cause, record, xasprintf("it comes after %s", name),
		    declared_by(session, name, "session.notify() in the noxfile"));
	else if ((claim = shared_claim(session, other)))
		propose(cause, record, xasprintf("%s and it share %s", name,
		    json_text(claim, "resource")), xstrdup(json_text(claim, "by")));
	else if (cue && !strcmp(cue, name))
		propose(cause, record, xstrdup("it was due then"),
		    xstrdup("the order by expected times"));
}
