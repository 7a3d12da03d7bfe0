#include <string.h>

#include "base/json.h"
#include "report/lead.h"
#include "report/work.h"

static const char *const names[STEP_KINDS] = { [STEP_ENVIRONMENT] = "environment",
	[STEP_INSTALL] = "install", [STEP_RUN] = "run", [STEP_OTHER] = "other",
	[STEP_NOX] = "nox" };

const char *
work_name(enum step_kind kind)
{
	return names[kind];
}

enum step_kind
work_kind(const json_t *step)
{
	const char *kind = json_text(step, "kind");

	return !strcmp(kind, "environment") ? STEP_ENVIRONMENT :
	    !strcmp(kind, "install") ? STEP_INSTALL : STEP_RUN;
}

/* Steps of several threads may be at once: no more is told of than there is left. */
static void
add_seconds(struct work *work, enum step_kind kind, double seconds, double *left)
{
	seconds = seconds < 0 ? 0 : seconds > *left ? *left : seconds;
	work->seconds[kind] += seconds;
	*left -= seconds;
}

bool
work_add(struct work *work, const struct record *r)
{
	double left = r->own;
	json_t *step;
	size_t i;

	if (r->own < 0 || r->own > r->duration || r->duration > LEAD_LONGEST)
		return false;
	json_array_foreach(r->steps, i, step)
		add_seconds(work, work_kind(step), json_number(step, "seconds"), &left);
	add_seconds(work, STEP_INSTALL, json_number(r->more_steps, "install"), &left);
	add_seconds(work, STEP_RUN, json_number(r->more_steps, "run"), &left);
	work->seconds[STEP_OTHER] += left;
	work->seconds[STEP_NOX] += r->duration - r->own;
	return true;
}

bool
work_add_share(struct work *work, const struct record *r, double seconds)
{
	struct work all = { 0 };
	double share = r->duration > 0 ? seconds / r->duration : 0;

	if (!work_add(&all, r))
		return false;
	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		work->seconds[kind] += all.seconds[kind] * share;
	return true;
}

struct work
work_of(const struct table *table)
{
	struct work work = { 0 };

	for (size_t i = 0; i < table->n; i++)
		(void)work_add(&work, &table->records[i]);
	return work;
}
