#ifndef NOXMK_ORDER_FORECAST_H
#define NOXMK_ORDER_FORECAST_H

/* What is expected of a run before it begins: when each session starts and ends, and the run. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "state/history.h"

/* One session of the run. */
struct forecast_line {
	const char *target;     /* borrowed from the active sessions, as is the next one */
	const json_t *session;  /* its line of the plan */
	const char *cue;        /* the target at whose end it is due, or NULL */
	size_t place;           /* in the order by which make chooses */
	double start, end;      /* seconds from the run's start */
	unsigned width;         /* processors that it used last time at once; 0: unknown */
	bool known;             /* the seconds are from its own runs, not only what others take */
};

/*
 * The active sessions (planfile_expand), by the order.mk and the history of the state folder, as
 * make will start them with so many slots: a line for each, in the order of their starts. The
 * caller frees the array. *wall: the seconds until the last one ends.
 */
struct forecast_line *forecast_run(int state, const json_t *active, unsigned slots, double *wall)
    UNUSED_RESULT;

/* What is left of a session: at first all that it usually takes. */
struct forecast_left {
	double seconds; /* 0: it has ended */
	double demand;  /* processors that it keeps busy; 0: as many as its slots */
	bool begun;
};

/* It has begun so many seconds ago. */
void forecast_pass(struct forecast_left *, double seconds);

/*
 * How many more seconds a run of the active sessions takes with so many slots, some of which have
 * ended or run. tell: says of each, by its target, what is left. -1 when one that has not ended has
 * never passed before: then nobody knows.
 */
double forecast_rest(int state, const json_t *active, const struct history *, unsigned slots,
    void (*tell)(void *data, const char *target, struct forecast_left *), void *data);

#endif
