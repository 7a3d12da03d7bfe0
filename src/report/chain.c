#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "output/screen.h"
#include "report/cause.h"
#include "report/chain.h"

/* Sessions for which a line is worth while; the share of the time; how many of a chain it names. */
enum { SESSIONS_LEAST = 3, NAMES_MOST = 4 };
#define SHARE_LEAST 0.5

static bool
has_run(const struct record *r)
{
	return r->verdict != NOT_RUN && r->ended >= r->started && r->started > 0;
}

/* NULL: none has run. */
static const struct record *
last_to_end(const struct table *table)
{
	const struct record *last = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		if (has_run(r) && r->verdict != SKIPPED && (!last || r->ended > last->ended))
			last = r;
	}
	return last;
}

/* Whose end it waited for, or NULL. */
static const struct record *
before(const struct table *table, const struct record *r)
{
	const json_t *session = json_object_get(table->sessions, r->target);
	double ready = cause_ready(r) + CAUSE_LATE;
	const struct record *found = NULL;
	struct cause cause = { 0 };

	for (size_t i = 0; session && i < table->n; i++) {
		const struct record *other = &table->records[i];

		/* Also by clocks that were set meanwhile no chain is without end. */
		if (has_run(other) && other->ended <= ready && other->started < r->started)
			cause_consider(&cause, session, r->cue,
			    json_object_get(table->sessions, other->target), other);
	}
	for (size_t i = 0; cause.target && !found && i < table->n; i++)
		if (!strcmp(table->records[i].target, cause.target))
			found = &table->records[i];
	cause_clear(&cause);
	return found;
}

/* In front of what is there. */
static void
put_before(struct buffer *names, const struct record *r)
{
	char *later = names->data;

	*names = (struct buffer){ 0 };
	buffer_printf(names, "%s %s%s%s", r->target, screen_duration(r->ended - r->started).s,
	    later ? ", then " : "", later ? later : "");
	free(later);
}

void
chain_print(const struct table *table, double wall)
{
	const struct record *r = table->n < SESSIONS_LEAST ? NULL : last_to_end(table);
	struct buffer names = { 0 };
	double seconds = 0, limit = 0;
	char *line;
	size_t n;

	for (n = 0; r; r = before(table, r), n++) {
		/* Who waited may have begun a moment before that one ended, by what clocks say. */
		seconds += (n == 0 || r->ended < limit ? r->ended : limit) - r->started;
		limit = r->started;
		if (n < NAMES_MOST)
			put_before(&names, r);
	}
	if (n > 0 && seconds >= wall * SHARE_LEAST && seconds <= wall) {
		line = xasprintf("noxmk: %.0f%% of the wall time: %s%s, which ended last",
		    seconds / wall * 100, n > NAMES_MOST ? "…, " : "", names.data);
		screen_put_cut(line, screen_left(0));
		putchar('\n');
		free(line);
	}
	buffer_free(&names);
}
