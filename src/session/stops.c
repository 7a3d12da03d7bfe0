#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "session/stops.h"

/*
 * Seconds within which two stops are one. Two INT need not be so far apart, since make hands none
 * on.
 */
#define SAME_STOP 0.5
#define SAME_INT 0.1

/* Seconds from the second stop until the net is drawn. */
enum { NET = 2 };

static void
spread_net(struct stops *stops)
{
	const struct itimerspec seconds = { .it_value.tv_sec = NET };
	struct sigevent kill_us = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };

	stops->has_net = timer_create(CLOCK_MONOTONIC, &kill_us, &stops->net) == 0;
	if (stops->has_net)
		timer_settime(stops->net, 0, &seconds, NULL);
}

bool
stops_add(struct stops *stops, char *why, int signal)
{
	double now = clock_monotonic(), since = now - stops->at;
	bool ints = signal == SIGINT && stops->signal == SIGINT, first = !stops->why;

	if (first)
		stops->why = why;
	else
		free(why);
	if (!first && since < (ints ? SAME_INT : SAME_STOP))
		return false;
	stops->at = now;
	stops->signal = signal;
	if (!first && !stops->hurried) {
		stops->hurried = true;
		spread_net(stops);
	}
	return true;
}

void
stops_expect(struct stops *stops, int signal)
{
	if (!stops->why)
		stops->why = xasprintf("SIG%s", sigabbrev_np(signal));
	stops->at = clock_monotonic();
	stops->signal = signal;
}

void
stops_end(struct stops *stops)
{
	if (stops->has_net)
		timer_delete(stops->net);
	stops->has_net = false;
}
