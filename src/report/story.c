#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "audit/overlap.h"
#include "base/file.h"
#include "base/clock.h"
#include "base/json.h"
#include "report/ongoing.h"
#include "report/story.h"
#include "state/rundir.h"

double
story_moment(const struct story *story, double time)
{
	double moment = time - story->started;

	return moment > 0 && moment < LEAD_LONGEST ? moment : 0;
}

/* make's -j; without a number it is ours to say. */
static unsigned
jobs_of(const struct story *story)
{
	const json_t *jobs = json_object_get(story->info, "jobs");
	json_int_t n = json_integer_value(jobs);
	const struct request *request = &story->request;

	if (n > 0 && n <= UINT_MAX)
		return (unsigned)n;
	if (!json_is_null(jobs))
		return 0;
	return request->knobs.jobs > 0 ? request->knobs.jobs : request->processors;
}

size_t
story_machines(const struct story *story)
{
	json_t *names = json_object();
	size_t n;

	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		if (lead_has_run(r))
			json_object_set_new(names, r->machine ? r->machine : "", json_true());
	}
	n = json_object_size(names);
	json_decref(names);
	return n > 0 ? n : 1;
}

int
story_open_as(struct story *story, int rundir, enum table_of progress)
{
	*story = (struct story){ .rundir = rundir, .info = rundir_info(rundir) };
	if (!story->info || !(story->plan = planfile_open(rundir)) ||
	    request_read(rundir, &story->request) < 0)
		return -1;
	story->progress = progress;
	if (table_read(&story->table, rundir, story->plan, story->request.goals,
	    story->progress) < 0)
		return -1;
	story->started = json_number(story->info, "started");
	/* What each of several had is not in the run folder of the one that merged them. */
	if (story_machines(story) > 1)
		story->request.processors = 0;
	else
		story->jobs = jobs_of(story);
	story->wall = progress == TABLE_SO_FAR ? story_moment(story, clock_now()) :
						 lead_wall(&story->table, story->started);
	story->leads = leads_new(&story->table, story->started);
	story->path = leads_path(&story->table, story->leads);
	story->overlaps = overlap_read(rundir);
	story->ongoing = progress == TABLE_SO_FAR ? ongoing_of(rundir, story->wall) : json_array();
	return 0;
}

int
story_open(struct story *story, int rundir)
{
	return story_open_as(story, rundir, table_progress(rundir));
}

void
story_close(struct story *story)
{
	leads_free(story->leads, story->table.n);
	free(story->path.v);
	table_clear(&story->table);
	request_clear(&story->request);
	planfile_close(story->plan);
	json_decref(story->info);
	json_decref(story->overlaps);
	json_decref(story->ongoing);
	*story = (struct story){ .rundir = -1 };
}

const char *
story_name(const struct story *story)
{
	const char *name = json_text(story->info, "run");

	return *name && name[strspn(name, "0123456789TZ.-abcdef")] == '\0' ? name : "?";
}

const char *
story_state(const struct story *story)
{
	return story->progress == TABLE_ENDED ? "ended" :
	    story->progress == TABLE_STOPPED ? "stopped" : "running";
}

json_t *
story_resources(const struct story *story)
{
	json_t *sums = json_object(), *wait;
	size_t k;

	for (size_t i = 0; i < story->table.n; i++)
		json_array_foreach(story->table.records[i].waits, k, wait) {
			const char *name = json_text(wait, "resource");
			double seconds = json_number(wait, "seconds");

			if (!strcmp(json_text(wait, "for"), "resource") && *name && seconds > 0 &&
			    seconds < LEAD_LONGEST)
				json_object_set_new(sums, name,
				    json_real(json_number(sums, name) + seconds));
		}
	return sums;
}

int
story_find(int state, const char *which)
{
	int rundir;

	if (which && strchr(which, '/')) {
		rundir = rundir_open_path(which);
		if (rundir < 0)
			warnx("%s: %s", which, file_why(errno));
		return rundir;
	}
	if (state >= 0)
		return rundir_select(state, which ? which : "latest");
	warnx("there is no run yet: `make ci` makes one");
	return -1;
}
