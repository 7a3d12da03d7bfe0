#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "audit/dependence.h"
#include "audit/lesson.h"
#include "audit/overlap.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "output/screen.h"
#include "state/history.h"
#include "state/record.h"
#include "state/state.h"
#include "trial/copies.h"
#include "trial/equivalence.h"
#include "trial/traced.h"

/* In the state folder: the logs of all these runs. */
#define KEPT "equivalence"

/* The state folder of a copy, and what tells make so. */
#define STATE ".nox/.noxmk"
#define STATE_SETTING "NOXMK_STATE=.nox/.noxmk"

/* What tells it what earlier runs took. */
#define HISTORY_SETTING "NOXMK_HISTORY="

enum run { IN_ORDER, OPPOSITE, SHUFFLED, AT_ONCE, AGAIN, ONCE_MORE, RUNS };

/* All but the last, which is only made where something differs. */
enum { USUAL_RUNS = ONCE_MORE };

static const struct {
	const char *name, *folder;
	enum outcome_way way;
} ways[RUNS] = {
	[IN_ORDER] = { "in the noxfile's order", "in-order", OUTCOME_IN_ORDER },
	[OPPOSITE] = { "in the opposite order", "opposite", OUTCOME_SHUFFLED },
	[SHUFFLED] = { "shuffled", "shuffled", OUTCOME_SHUFFLED },
	[AT_ONCE] = { "at the same time", "at-once", OUTCOME_AT_ONCE },
	[AGAIN] = { "in the noxfile's order again", "again", OUTCOME_IN_ORDER },
	[ONCE_MORE] = { "in the noxfile's order once more", "once-more", OUTCOME_IN_ORDER },
};

/* To find out which of the others it is, so many runs of some sessions are made at most. */
enum { PROBES_MOST = 24 };

struct scene {
	const struct equivalence *o;
	struct copies *copies;
	int home;          /* the project's folder */
	int own;           /* the state folder */
	int kept;          /* KEPT */
	char *folder;      /* the state folder's absolute path */
	char *history;     /* what tells make how long sessions take; NULL: nothing does */
	const char *state; /* the state folder's path, as the user has it */
	char *pwd;         /* PWD, or NULL */
	struct outcome runs[RUNS];
	size_t n, planned; /* so many have run, and are to run */
	double began;      /* when the first began */
	unsigned probes;
	bool no_target;    /* see traced.h */
	int stop;          /* the signal that is to end us; 0: none */
};

static FILE *
stream(const struct scene *scene)
{
	return scene->o->json ? stderr : stdout;
}

/* From here on the current folder is the copy, or the project. 0, or -1 after a warning. */
static int
enter(const char *copy)
{
	if (chdir(copy) < 0) {
		warn("audit: %s", copy);
		return -1;
	}
	/* Some programs take it for the current folder's name. */
	setenv("PWD", copy, 1);
	state_choose(STATE);
	return 0;
}

static void
leave(const struct scene *scene)
{
	if (fchdir(scene->home) < 0)
		warn("audit: the project's folder");
	if (scene->pwd)
		setenv("PWD", scene->pwd, 1);
	else
		unsetenv("PWD");
	state_choose(scene->state);
}

/* Copies them from the run's folder. 0, or an errno; what has not run has no log. */
static int
copy_logs(int rundir, int folder)
{
	json_t *targets = record_list(rundir), *target;
	int result = 0;
	size_t i;

	json_array_foreach(targets, i, target) {
		char *file = xasprintf("%s.log", json_string_value(target));
		int log = file_open(rundir, file, O_RDONLY, 0);

		if (log < 0 ? errno != ENOENT : file_copy(log, folder, file) < 0)
			result = errno;
		fd_close(&log);
		free(file);
	}
	json_decref(targets);
	return result;
}

/* The logs are what is wanted when something differs, and the copy will be gone by then. */
static void
keep_logs(const struct scene *scene, int rundir, const char *name)
{
	int folder = mkdirat(scene->kept, name, 0700) < 0 ? -1 :
		file_open_folder(scene->kept, name);
	int error = folder < 0 ? errno : copy_logs(rundir, folder);

	if (error)
		warnx("audit: not all logs of this run are in %s/" KEPT "/%s: %s", scene->state,
		    name, file_why(error));
	fd_close(&folder);
}

/*
 * Runs sessions in a new copy. A descriptor of their run, while the copy is the current folder; or
 * -1 after a warning, or with scene->stop set.
 */
static int
run_in_copy(struct scene *scene, struct traced *traced)
{
	/* These are no runs of anybody's commit, and each is once in each way. */
	const char *const settings[] = { "NOXMK_OUTPUT=quiet", STATE_SETTING, "NOXMK_RECHECK=0",
		"NOXMK_STATUS=0", "NOXMK_WATCH=0", "NOXMK_HAZARDS=", scene->history, NULL };
	int rundir;

	traced->share = scene->o->share;
	traced->to_errors = scene->o->json;
	if (copies_renew(scene->copies, &scene->stop) < 0 ||
	    enter(copies_path(scene->copies)) < 0)
		return -1;
	/* What fails in each run is shown once; the logs of all are there to be read. */
	traced->settings = scene->n > 0 ? settings : settings + 1;
	rundir = traced_run(traced, -1);
	traced->settings = NULL;
	scene->stop = traced->stop;
	if (scene->stop)
		fd_close(&rundir);
	return rundir;
}

/*
 * From the first copy, which is the current folder, what its sessions took: without that make would
 * expect the same of all of them.
 */
static void
keep_times(struct scene *scene)
{
	int state = scene->history ? -1 : state_find();
	int file = state < 0 ? -1 : file_open(state, HISTORY_NAME, O_RDONLY, 0);

	if (file >= 0 && file_copy(file, scene->kept, HISTORY_NAME) == 0)
		scene->history = xasprintf(HISTORY_SETTING "%s/" KEPT "/" HISTORY_NAME,
		    scene->folder);
	fd_close(&file);
	fd_close(&state);
}

/* Says which run begins, and, as far as those before tell, how long they all will take. */
static void
print_begin(const struct scene *scene, enum run run, const char *names)
{
	double each = scene->n > 0 ? (clock_monotonic() - scene->began) / (double)scene->n : 0;
	size_t left = scene->planned - scene->n;

	fprintf(stream(scene), "noxmk audit: run %zu of %zu", scene->n + 1, scene->planned);
	if (each > 0)
		fprintf(stream(scene), ", about %s left",
		    screen_duration(each * (double)left).s);
	fprintf(stream(scene), ": %s%s%s\n", ways[run].name, *names ? ": " : "", names);
	fflush(stream(scene));
}

/* Adds the run to those that are compared. order: a list of targets, or NULL. */
static int
run_all(struct scene *scene, enum run run, const json_t *order, unsigned jobs)
{
	char *names = order ? json_list_join(order, " ") : NULL;
	struct traced traced = { .targets = scene->o->targets, .order = names, .jobs = jobs };
	struct outcome *outcome = &scene->runs[scene->n];
	int rundir, result = -1;

	print_begin(scene, run, names ? names : "");
	rundir = run_in_copy(scene, &traced);
	if (rundir >= 0) {
		outcome->name = ways[run].name;
		outcome->way = ways[run].way;
		result = outcome_read(outcome, rundir, copies_path(scene->copies));
		keep_logs(scene, rundir, ways[run].folder);
		keep_times(scene);
		scene->n++;
	} else if (!scene->stop) {
		warnx("audit: nothing has run, so there is nothing to compare");
	}
	leave(scene);
	fd_close(&rundir);
	free(names);
	return result;
}

static json_t *
reversed(const json_t *list)
{
	json_t *other = json_array();

	for (size_t i = json_array_size(list); i-- > 0;)
		json_array_append(other, json_array_get(list, i));
	return other;
}

static json_t *
shuffled(const json_t *list)
{
	json_t *other = json_array();
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)list, i, item)
		json_array_insert(other, arc4random_uniform((unsigned)i + 1), item);
	return other;
}

/* As many as there are, as far as the machine does not mind. */
static unsigned
jobs_for(size_t sessions)
{
	unsigned processors = cpus_available();

	return at_most((unsigned)sessions, processors > 2 ? 2 * processors : 4);
}

/* 0, or -1: see run_in_copy. */
static int
run_in_all_ways(struct scene *scene)
{
	json_t *opposite, *any;
	size_t sessions;
	int result;

	scene->began = clock_monotonic();
	if (run_all(scene, IN_ORDER, NULL, 1) < 0)
		return -1;
	sessions = json_array_size(scene->runs[0].order);
	if (sessions < 2)
		return 0;
	/* Two have no more than these two orders. */
	if (sessions == 2)
		scene->planned--;
	opposite = reversed(scene->runs[0].order);
	any = shuffled(scene->runs[0].order);
	result = run_all(scene, OPPOSITE, opposite, 1);
	if (result == 0 && sessions > 2)
		result = run_all(scene, SHUFFLED, any, 1);
	if (result == 0)
		result = run_all(scene, AT_ONCE, NULL, jobs_for(sessions));
	/* What changes with time has changed by then, too. */
	if (result == 0)
		result = run_all(scene, AGAIN, NULL, 1);
	json_decref(any);
	json_decref(opposite);
	return result;
}

/* Does the session come to that verdict when it runs after these, in their order? */
static bool
comes_to(struct scene *scene, const json_t *before, const char *target, const char *verdict)
{
	json_t *order = json_copy((json_t *)before), *name;
	struct strings targets = { 0 };
	struct record record = { 0 };
	struct traced traced;
	bool does = false;
	char *names;
	int rundir;
	size_t i;

	if (scene->stop || scene->probes == PROBES_MOST) {
		json_decref(order);
		return false;
	}
	scene->probes++;
	json_array_append_new(order, json_string(target));
	json_array_foreach(order, i, name)
		strings_add(&targets, json_string_value(name));
	for (char *const *word = scene->o->targets; *word; word++)
		if (traced_is_setting(*word))
			strings_add(&targets, *word);
	strings_add(&targets, NULL);
	names = json_list_join(order, " ");
	traced = (struct traced){ .targets = (char *const *)targets.v, .order = names,
		.is_silent = true };
	fprintf(stream(scene), "noxmk audit: to find out more: %s\n", names);
	fflush(stream(scene));
	rundir = run_in_copy(scene, &traced);
	if (rundir >= 0 && record_read(rundir, target, &record) == 1)
		does = !strcmp(verdict_name(record.verdict), verdict);
	record_clear(&record);
	leave(scene);
	fd_close(&rundir);
	free(names);
	free(targets.v);
	json_decref(order);
	return does;
}

static json_t *
part_of(const json_t *list, size_t from, size_t to)
{
	json_t *part = json_array();

	for (; from < to; from++)
		json_array_append(part, json_array_get(list, from));
	return part;
}

/* The half of the list, or the half of that, that is enough for it. Takes and gives a reference. */
static json_t *
narrow(struct scene *scene, json_t *list, const char *target, const char *verdict)
{
	size_t n;

	while ((n = json_array_size(list)) > 1) {
		json_t *first = part_of(list, 0, n / 2), *second = part_of(list, n / 2, n);
		bool is_first = comes_to(scene, first, target, verdict);
		bool is_second = !is_first && comes_to(scene, second, target, verdict);

		if (!is_first && !is_second) {
			json_decref(first);
			json_decref(second);
			break;
		}
		json_decref(list);
		json_decref(is_first ? second : first);
		list = is_first ? first : second;
	}
	return list;
}

/* Which of the sessions before it does it take? False: it came out otherwise this time. */
static bool
find_others(struct scene *scene, json_t *found)
{
	const char *target = json_text(found, "session"), *usual = json_text(found, "usual");
	const char *there = json_text(found, "there");
	json_t *none = json_array(), *others = json_incref(json_object_get(found, "others"));
	bool needs = !comes_to(scene, none, target, usual);
	bool holds = true;

	json_decref(none);
	if (needs) {
		json_decref(others);
		others = outcome_before(&scene->runs[0], target);
		json_object_set_new(found, "how", json_string("needs"));
	} else {
		holds = comes_to(scene, others, target, there);
	}
	if (holds)
		others = narrow(scene, others, target, needs ? usual : there);
	json_object_set_new(found, "others", others);
	return holds;
}

/* Where the session's log of that run is. The caller frees. */
static char *
log_of(const struct scene *scene, const char *run, const char *target)
{
	size_t i = 0;

	while (i < RUNS - 1 && strcmp(ways[i].name, run) != 0)
		i++;
	return xasprintf("%s/" KEPT "/%s/%s.log", scene->state, ways[i].folder, target);
}

/* Adds where to read more, and what the session and the others meet at, which is learned. */
static void
explain(const struct scene *scene, json_t *found, bool by_order)
{
	const struct analysis *usual = &scene->runs[0].analysis;
	const char *target = json_text(found, "session");
	const json_t *others = json_object_get(found, "others");
	char *log = log_of(scene, json_text(found, "run"), target);

	json_object_set_new(found, "log", faccessat(scene->home, log, F_OK, 0) == 0 ?
	    json_text_or_null(log) : json_null());
	free(log);

	json_object_set_new(found, "hazards", overlap_between(usual, target, others));
	/* What was cut short has shown nothing. */
	if (!scene->stop)
		lesson_of_failure(usual, scene->own, target, others, by_order);
}

/* Finds out more of each verdict that was found, and takes away those that were chance. */
static void
look_closer(struct scene *scene, struct dependences *it)
{
	for (size_t i = 0; i < json_array_size(it->found) && !scene->stop;) {
		json_t *found = json_array_get(it->found, i);
		const char *target = json_text(found, "session");
		bool is_verdict = !strcmp(json_text(found, "of"), "verdict");
		bool by_order = is_verdict && !strcmp(json_text(found, "on"), "order");

		if (by_order && scene->probes < PROBES_MOST && !find_others(scene, found) &&
		    scene->probes < PROBES_MOST) {
			json_array_append_new(it->sessions, json_string(target));
			json_array_remove(it->found, i);
			continue;
		}
		if (is_verdict)
			explain(scene, found, by_order);
		i++;
	}
}

/* Says what will run, and where. 0, or -1 after a warning. */
static int
announce(struct scene *scene)
{
	struct traced dry = { .code = -1, .targets = scene->o->targets, .is_dry = true };
	int rundir = run_in_copy(scene, &dry);

	leave(scene);
	fd_close(&rundir);
	scene->no_target = dry.no_target;
	if (scene->stop || dry.code != 0)
		return -1;
	fprintf(stream(scene), "noxmk audit: these sessions run %d times, from the same start, in "
	    "copies of this folder at %s:\n  in the noxfile's order, in the opposite order, "
	    "shuffled, at the same time, and in the noxfile's order again,\n  but for what the "
	    "plan keeps in order; where something differs, some run a few times more.\n"
	    "  In this folder nothing is changed but %s, which gets the logs, and what is "
	    "learned.\n  What they do elsewhere, in caches, on servers, by uploads, they do each "
	    "time.\n", USUAL_RUNS,
	    copies_path(scene->copies), scene->state);
	if (copies_share_git(scene->copies))
		fputs("  The repository of git is elsewhere: what they change in there is "
		      "changed.\n", stream(scene));
	return 0;
}

/* An exit code. */
static int
compare(struct scene *scene)
{
	struct dependences it;
	int result = EXIT_HELPER;

	if (scene->n == 1) {
		fprintf(stream(scene), "noxmk audit: one session alone has no other order, and "
		    "no company\n");
		return 0;
	}
	it = dependence_find(scene->runs, scene->n);
	/* What comes by chance may have come so twice. */
	if (json_array_size(it.found) > 0) {
		dependence_clear(&it);
		scene->planned++;
		if (run_all(scene, ONCE_MORE, NULL, 1) < 0)
			return EXIT_HELPER;
		it = dependence_find(scene->runs, scene->n);
	}
	look_closer(scene, &it);
	if (!scene->stop) {
		result = json_array_size(it.found) > 0 ? 1 : 0;
		if (scene->o->json)
			dependence_print_json(&it, scene->runs, scene->n);
		else
			dependence_print(&it, scene->runs, scene->n);
	}
	dependence_clear(&it);
	return result;
}

/* 0, or -1 after a warning. */
static int
open_kept(struct scene *scene)
{
	scene->own = state_make();
	if (scene->own < 0)
		return -1;
	scene->folder = realpath(scene->state, NULL);
	if (!scene->folder) {
		warn("audit: %s", scene->state);
		return -1;
	}
	if (file_remove(scene->own, KEPT) < 0)
		warn("%s/" KEPT, scene->state);
	if (faccessat(scene->own, HISTORY_NAME, R_OK, AT_SYMLINK_NOFOLLOW) == 0)
		scene->history = xasprintf(HISTORY_SETTING "%s/" HISTORY_NAME, scene->folder);
	scene->kept = state_folder(scene->own, KEPT);
	return scene->kept < 0 ? -1 : 0;
}

static void
clear(struct scene *scene)
{
	copies_close(scene->copies);
	for (size_t i = 0; i < scene->n; i++)
		outcome_clear(&scene->runs[i]);
	fd_close(&scene->kept);
	fd_close(&scene->own);
	fd_close(&scene->home);
	free(scene->history);
	free(scene->folder);
	free(scene->pwd);
}

int
equivalence_run(const struct equivalence *options)
{
	const char *pwd = getenv("PWD");
	struct scene scene = { .o = options, .state = state_path(), .own = -1, .kept = -1,
		.planned = USUAL_RUNS, .pwd = pwd ? xstrdup(pwd) : NULL,
		.home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	int result = EXIT_HELPER;

	if (scene.home >= 0 && open_kept(&scene) == 0)
		scene.copies = copies_open(&scene.stop);
	if (scene.copies && announce(&scene) == 0 && run_in_all_ways(&scene) == 0)
		result = compare(&scene);
	else if (scene.no_target)
		result = 1;
	clear(&scene);
	if (scene.stop)
		raise(scene.stop);
	return result;
}
