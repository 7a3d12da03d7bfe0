#include <jansson.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/util.h"
#include "front/forks.h"
#include "report/advice.h"
#include "report/story.h"
#include "state/rundir.h"
#include "state/state.h"

/* So many names, of those that have had a nox of their own for one reason, are told. */
enum { NAMED = 5 };

/* How many were forked; why the others were not: reason -> targets. */
struct forks {
	size_t forked, asked;
	json_t *own;
};

static struct forks
count(const struct table *table)
{
	struct forks forks = { .own = json_object() };

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];
		json_t *targets;

		if (!r->fork)
			continue;
		forks.asked++;
		forks.forked += !*r->fork;
		if (!*r->fork)
			continue;
		targets = json_object_get(forks.own, r->fork);
		if (!targets)
			json_object_set_new(forks.own, r->fork, targets = json_array());
		json_array_append_new(targets, json_string(r->target));
	}
	return forks;
}

/* "12 of 14 sessions of the last run were; not lint, docs: they were traced" */
static char *
tell(const struct forks *forks)
{
	struct buffer text = { 0 };
	const char *reason;
	json_t *targets, *target;
	size_t i;

	buffer_printf(&text, "%zu of %zu sessions of the last run were", forks->forked,
	    forks->asked);
	json_object_foreach(forks->own, reason, targets) {
		size_t n = json_array_size(targets);

		json_array_foreach(targets, i, target)
			if (i < NAMED)
				buffer_printf(&text, "%s%s", i > 0 ? ", " : "; not ",
				    json_string_value(target));
		if (n > NAMED)
			buffer_printf(&text, " and %zu more", n - NAMED);
		buffer_printf(&text, ": %s", reason);
	}
	return text.data;
}

static struct finding
judge(const struct story *story)
{
	struct forks forks = count(&story->table);
	char *advice = advice_on_fork(story);
	struct finding finding = { .health = WELL };

	if (advice)
		finding = (struct finding){ ADVICE, xasprintf("off in the last run: %s", advice) };
	else if (forks.asked == 0)
		finding.text = xstrdup("no session of the last run was to be forked, and little "
				       "would be spared");
	else
		finding.text = tell(&forks);
	free(advice);
	json_decref(forks.own);
	return finding;
}

struct finding
forks_find(void)
{
	int state = state_find();
	json_t *runs = state < 0 ? NULL : rundir_list(state);
	const char *last = json_string_value(json_array_get(runs, json_array_size(runs) - 1));
	int rundir = last ? rundir_find_named(state, last) : -1;
	struct finding finding = { WELL, NULL };
	struct story story;

	if (rundir >= 0) {
		if (story_open(&story, rundir) == 0)
			finding = judge(&story);
		story_close(&story);
	}
	if (!finding.text)
		finding.text = xstrdup("on, unless NOXMK_FORK=0; no run tells yet which sessions "
				       "are");
	json_decref(runs);
	fd_close(&rundir);
	fd_close(&state);
	return finding;
}
