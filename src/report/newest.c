#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/util.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "report/newest.h"
#include "state/request.h"
#include "state/rundir.h"

/* So many members of a group are named. */
enum { MEMBERS_MOST = 20 };

/* Do the goals of that run's make run this target? */
static bool
is_asked_for(int rundir, const char *target)
{
	json_t *active = request_active(rundir);
	bool is = json_object_get(active, target) != NULL;

	json_decref(active);
	return is;
}

/* Is the target still to run in that run, whose make has been asked for something? */
static bool
is_to_run(int rundir, const char *target)
{
	return faccessat(rundir, REQUEST_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !rundir_has_ended(rundir) &&
	       rundir_may_live(rundir) && is_asked_for(rundir, target);
}

/* What is sought. */
struct wanted {
	const char *target, *name; /* its file */
	bool awaits;
};

static bool
is_wanted(void *data, int rundir)
{
	const struct wanted *wanted = data;

	return faccessat(rundir, wanted->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       (wanted->awaits && is_to_run(rundir, wanted->target));
}

/* Names some of the members. The plan may be anything. */
static void
tell_group(const char *group, const json_t *members)
{
	size_t n = json_array_size(members);
	struct buffer names = { 0 };

	for (size_t i = 0; i < n && i < MEMBERS_MOST; i++) {
		const char *member = json_string_value(json_array_get(members, i));
		char *name = screen_safe(member ? member : "?");

		buffer_printf(&names, "%s%s", i > 0 ? ", " : "", name);
		free(name);
	}
	if (n > MEMBERS_MOST)
		buffer_printf(&names, " and %zu more", n - MEMBERS_MOST);
	warnx("%s is a group: %s", group, n > 0 ? names.data : "it has no sessions");
	buffer_free(&names);
}

/* Is it a group in the plan there? Then a warning says so. */
static bool
is_group(struct planfile *plan, const char *target)
{
	const json_t *members = plan ? planfile_group(plan, target) : NULL;

	if (members)
		tell_group(target, members);
	return members != NULL;
}

void
newest_complain(int state, const char *target)
{
	struct planfile *plan = planfile_open(state);

	/* The plan may have lost a target of which there still is a log. */
	if (plan && !is_group(plan, target) && planfile_knows(plan, target))
		warnx("%s: in none of the runs that are kept", target);
	planfile_close(plan);
}

/* The run that the user names has nothing of a group. */
static bool
is_group_there(int rundir, const char *name, const char *target)
{
	struct planfile *plan;
	bool is;

	if (faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	plan = planfile_open(rundir);
	is = is_group(plan, target);
	planfile_close(plan);
	return is;
}

/* -1 after a warning. */
static int
open_run(const struct newest *newest, const char *target)
{
	char *name = xasprintf("%s%s", target, newest->suffix);
	struct wanted wanted = { .target = target, .name = name, .awaits = newest->awaits };
	int rundir;

	if (newest->run) {
		rundir = rundir_select(newest->state, newest->run);
		if (rundir >= 0 && is_group_there(rundir, name, target))
			fd_close(&rundir);
	} else {
		rundir = rundir_newest_that(newest->state, is_wanted, &wanted);
		if (rundir < 0)
			newest_complain(newest->state, target);
	}
	free(name);
	return rundir;
}

/* 0, or 1 after a warning. */
static int
print_one(const struct newest *newest, const char *target)
{
	int rundir = open_run(newest, target);
	int result = rundir < 0 || newest->print(newest->data, rundir, target) < 0;

	fd_close(&rundir);
	return result;
}

/* The target, and its members if it is a group. */
struct choice {
	const struct newest *newest;
	const char *target;
	const json_t *members;
};

static bool
is_wanted_of(const struct newest *newest, int rundir, const char *target)
{
	char *name = xasprintf("%s%s", target, newest->suffix);
	struct wanted wanted = { .target = target, .name = name, .awaits = newest->awaits };
	bool is = is_wanted(&wanted, rundir);

	free(name);
	return is;
}

static bool
is_any_wanted(void *data, int rundir)
{
	const struct choice *choice = data;
	const json_t *member;
	size_t i;

	json_array_foreach(choice->members, i, member)
		if (is_wanted_of(choice->newest, rundir, json_string_value(member)))
			return true;
	return is_wanted_of(choice->newest, rundir, choice->target);
}

/* Was it one session when it was last told of? */
static bool
was_one(const struct newest *newest, const char *target, const json_t *members)
{
	struct choice choice = { newest, target, members };
	int rundir = rundir_newest_that(newest->state, is_any_wanted, &choice);
	bool was = rundir >= 0 && is_wanted_of(newest, rundir, target);

	fd_close(&rundir);
	return was;
}

/* Most targets are sessions, and to see that takes no more than to find their line. */
static json_t *
members_of(struct planfile *plan, const char *target)
{
	json_t *line = planfile_session(plan, target), *members = json_array();
	const json_t *group = line ? NULL : planfile_group(plan, target), *item;
	size_t i;

	json_array_foreach(group, i, item)
		if (json_is_string(item) && planfile_has_session(plan, json_string_value(item)))
			json_array_append(members, (json_t *)item);
	json_decref(line);
	return members;
}

/* The sessions by that target: of a group, or of one that is cut, all. A new list. */
static json_t *
sessions_of(const struct newest *newest, const char *target)
{
	struct planfile *plan = planfile_find(newest->state);
	json_t *members = plan ? members_of(plan, target) : json_array();

	planfile_close(plan);
	if (json_array_size(members) > 0 && !newest->run && was_one(newest, target, members))
		json_array_clear(members);
	if (json_array_size(members) == 0)
		json_array_append_new(members, json_string(target));
	return members;
}

int
newest_print(const struct newest *newest, char *const *targets)
{
	int result = 0;

	for (; *targets; targets++) {
		json_t *sessions = sessions_of(newest, *targets), *session;
		size_t i;

		json_array_foreach(sessions, i, session)
			result |= print_one(newest, json_string_value(session));
		json_decref(sessions);
	}
	return result;
}
