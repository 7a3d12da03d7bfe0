#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/outlet.h"
#include "base/util.h"
#include "output/screen.h"
#include "session/heartbeat.h"
#include "state/now.h"

/* So many sessions are named, those that have run longest. */
enum { NAMED = 6 };

struct heartbeat {
	struct heartbeat_options o;
	size_t taken; /* bytes that we had written at the last look */
	double next;  /* no line is due before that monotonic second */
};

struct running {
	const char *target;
	double seconds;
};

/* What the sessions of the goals do; those that have ended left out. */
struct census {
	struct running *v; /* those that run */
	size_t n;
	unsigned waiting;
};

struct heartbeat *
heartbeat_open(const struct heartbeat_options *options)
{
	struct heartbeat *heartbeat;

	if (!options->page || options->every <= 0)
		return NULL;
	heartbeat = xcalloc(1, sizeof(*heartbeat));
	heartbeat->o = *options;
	return heartbeat;
}

void
heartbeat_close(struct heartbeat *heartbeat)
{
	free(heartbeat);
}

static bool
has_ended(int rundir, const char *target)
{
	char *record = xasprintf("%s.json", target);
	bool ended = faccessat(rundir, record, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	free(record);
	return ended;
}

static void
count(struct census *census, const struct now_view *view, int rundir, const char *target)
{
	const struct now_entry *entry = now_find(view, target);

	if ((entry && entry->phase == NOW_ENDED) || has_ended(rundir, target))
		return;
	if (!entry || entry->phase == NOW_WAITS) {
		census->waiting++;
		return;
	}
	census->v = xreallocarray(census->v, census->n + 1, sizeof(*census->v));
	census->v[census->n++] = (struct running){ target,
		now_seconds(entry, clock_monotonic()) };
}

static int
longer_first(const void *a, const void *b)
{
	double x = ((const struct running *)a)->seconds, y = ((const struct running *)b)->seconds;

	return (x < y) - (x > y);
}

static void
print(const struct census *census, double silence)
{
	printf("noxmk: nothing new for %.0fs: %zu run", silence, census->n);
	for (size_t i = 0; i < census->n && i < NAMED; i++)
		printf("%s%s %s", i == 0 ? " (" : ", ", census->v[i].target,
		    screen_duration(census->v[i].seconds).s);
	if (census->n > NAMED)
		printf(", and %zu more", census->n - NAMED);
	printf("%s, %u wait\n", census->n > 0 ? ")" : "", census->waiting);
	fflush(stdout);
}

static void
tell(const struct heartbeat *heartbeat, struct planfile *plan, double silence)
{
	json_t *sessions = json_object(), *session;
	struct now_view view = now_look(heartbeat->o.table);
	struct census census = { 0 };
	const char *target;

	planfile_expand(plan, heartbeat->o.goals, sessions, false);
	json_object_foreach(sessions, target, session)
		count(&census, &view, heartbeat->o.rundir, target);
	if (census.n > 0)
		qsort(census.v, census.n, sizeof(*census.v), longer_first);
	print(&census, silence);
	free(census.v);
	now_view_clear(&view);
	json_decref(sessions);
}

/* How long nothing has been written, but for what we do not know of; 0: the file does not tell. */
static double
silence_of(const struct heartbeat *heartbeat)
{
	double last = page_state(heartbeat->o.page).last;

	return last > 0 ? clock_monotonic() - last : 0;
}

void
heartbeat_look(struct heartbeat *heartbeat, struct planfile *plan)
{
	double silence;

	if (!heartbeat || !plan)
		return;
	/* What a session writes that is shown while it runs. */
	if (outlet_taken() != heartbeat->taken) {
		heartbeat->taken = outlet_taken();
		page_note(heartbeat->o.page);
	}
	if (clock_monotonic() < heartbeat->next)
		return;
	silence = silence_of(heartbeat);
	/* Another helper may be about to write that very line, or a log. */
	if (silence >= heartbeat->o.every && page_begin(heartbeat->o.page, 0)) {
		silence = silence_of(heartbeat);
		if (silence >= heartbeat->o.every)
			tell(heartbeat, plan, silence);
		/* Had it been written by another by now, one line too many is counted. */
		page_end_line(heartbeat->o.page);
		heartbeat->taken = outlet_taken();
		/* Not what the file says, which may be on a full disk. */
		silence = 0;
	}
	heartbeat->next = clock_monotonic() + heartbeat->o.every - silence;
}
