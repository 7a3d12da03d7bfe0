#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/json.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "report/follow.h"
#include "report/logs.h"
#include "report/newest.h"
#include "report/table.h"
#include "state/request.h"
#include "state/rundir.h"

void
logs_print_head(const struct record *r, const char *folder)
{
	printf("%s--- %s %s: %s/%s.log%s\n", screen_colour(r), r->target, verdict_name(r->verdict),
	    folder, r->target, screen_plain());
	fflush(stdout);
}

/* Of one that has no log there is a reason. */
static void
print_reason(const struct record *r)
{
	printf("%s--- %s %s", screen_colour(r), r->target, verdict_name(r->verdict));
	screen_put(": ", r->reason, "");
	printf("%s\n", screen_plain());
}

/* Who has not run has nothing to show. 1, 0 if nothing was printed, -1 after a warning. */
static int
print_one(int rundir, const struct record *r, const char *folder, bool first, bool raw)
{
	int log = record_is_bad(r) ? joblog_find(rundir, r->target) : -1, result = 1;

	if (log < 0 && (!record_is_bad(r) || r->verdict == NOT_RUN))
		return 0;
	if (!first)
		putchar('\n');
	if (log < 0) {
		print_reason(r);
	} else {
		logs_print_head(r, folder);
		result = joblog_print(rundir, r->target, raw) < 0 ? -1 : 1;
	}
	fd_close(&log);
	return result;
}

static int
print_all(int rundir, const char *name, const struct table *table, bool raw)
{
	char *folder = rundir_path(name);
	bool first = true;
	int result = 0;

	for (size_t i = 0; i < table->n; i++) {
		int printed = print_one(rundir, &table->records[i], folder, first, raw);

		first = first && printed == 0;
		result = printed < 0 ? -1 : result;
	}
	if (first)
		printf("noxmk: no session has failed in the run %s%s\n", name,
		    table_progress(rundir) == TABLE_SO_FAR ? " so far" : "");
	free(folder);
	return result;
}

static int
print_failed(const struct logs_options *logs)
{
	int rundir = rundir_select(logs->state, logs->run ? logs->run : "latest"), result = 1;
	json_t *info = rundir >= 0 ? rundir_info(rundir) : NULL;
	struct planfile *plan = info ? planfile_open(rundir) : NULL;
	struct request request = { 0 };
	struct table table = { 0 };

	if (plan && request_read(rundir, &request) == 0 &&
	    table_read(&table, rundir, plan, request.goals, table_progress(rundir)) == 0 &&
	    print_all(rundir, json_text(info, "run"), &table, logs->raw) == 0)
		result = 0;
	table_clear(&table);
	request_clear(&request);
	planfile_close(plan);
	json_decref(info);
	fd_close(&rundir);
	return result;
}

static int
print_log(void *data, int rundir, const char *target)
{
	const struct logs_options *logs = data;

	return (logs->follows ? follow_print : joblog_print)(rundir, target, logs->raw);
}

int
logs_print(const struct logs_options *logs)
{
	struct logs_options copy = *logs;
	struct newest newest = { .state = logs->state, .run = logs->run, .suffix = ".log",
		.awaits = logs->follows, .print = print_log, .data = &copy };

	if (*logs->targets)
		return newest_print(&newest, logs->targets);
	if (!logs->follows)
		return print_failed(logs);
	warnx("log -f: of which session? `noxmk list` has the targets");
	return EXIT_USAGE;
}
