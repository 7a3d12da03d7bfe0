#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/makeflags.h"
#include "base/outlet.h"
#include "base/parent.h"
#include "base/sig.h"
#include "nox/env.h"
#include "nox/inputs.h"
#include "nox/planning.h"
#include "order/order.h"
#include "output/block.h"
#include "output/ci.h"
#include "output/joblog.h"
#include "output/page.h"
#include "output/screen.h"
#include "plan/config.h"
#include "session/attempt.h"
#include "session/heartbeat.h"
#include "session/life.h"
#include "session/outcome.h"
#include "session/run.h"
#include "session/share.h"
#include "slots/turn.h"
#include "state/join.h"
#include "state/learned.h"
#include "state/makekey.h"
#include "state/now.h"
#include "state/rundir.h"
#include "state/runtime.h"
#include "state/state.h"

/* Milliseconds by which make may hear of a signal later than we do. */
enum { MAKE_LATE = 500 };

struct run {
	const struct run_options *options;
	char *name; /* the target, in the names of what the session leaves */
	struct makeflags makeflags;
	struct parent parent;
	int state, rundir, runtime;
	int fixed;   /* the one of the last two that has what no session may have changed */
	int signals; /* see sig_open */
	int alive;   /* see rundir_enter */
	struct page *page; /* NULL: no CI reads */
	struct planfile *plan;
	json_t *session; /* its line of the plan */
	struct options session_options; /* what the plan sets for it */
	struct record record;
	struct learned learned; /* what earlier runs have taught of it; nothing where it is alone */
	struct turn *turn;
	struct passage *passage;
	struct now *now; /* what others see of us */
	struct drawer *drawer; /* and we may show of them all */
	bool signalled;
	bool recorded; /* the record is written */
	unsigned announced; /* of which the written one tells: record.h */
};

/* What makefiles make it require is as if the plan did. */
static void
add_needs(json_t *session, const char *needs)
{
	json_t *requires = json_object_get(session, "requires");
	char *copy = xstrdup(needs), *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		if (*word && !json_list_has(requires, word))
			json_array_append_new(requires, json_string(word));
	free(copy);
}

/* The plan that the session runs by, and the environment of nox that it tells of. */
static bool
take_plan(struct run *run, struct planfile *plan)
{
	json_t *session = plan ? planfile_session(plan, run->options->target) : NULL;

	if (!session) {
		planfile_close(plan);
		return false;
	}
	options_clear(&run->session_options);
	json_decref(run->session);
	planfile_close(run->plan);
	run->plan = plan;
	run->session = session;
	add_needs(session, run->options->needs ? run->options->needs : "");
	run->session_options = options_of(session);
	env_adopt(json_object_get(planfile_header(plan), "environ"));
	return true;
}

/* 1 when the session is to run, 0 when it has a record in this run, -1 after a warning. */
static int
open_run(struct run *run)
{
	struct planfile *plan;
	bool had_plan;
	int found;

	/* A session may have removed it since make began: join_run sees to that. */
	run->state = state_find();
	run->rundir = join_run(run->state, run->options->key, run->options->keep);
	if (run->rundir < 0)
		return -1;
	run->alive = rundir_enter(run->rundir);
	run->runtime = runtime_make(run->options->key, run->state, run->rundir);
	runtime_stand_in(run->runtime, run->rundir);
	if (run->options->knobs->output != OUTPUT_QUIET)
		run->page = page_open(run->runtime >= 0 ? run->runtime : run->rundir);
	run->fixed = runtime_is_whole(run->runtime) ? run->runtime : run->rundir;
	if (!run->options->notified)
		record_forget(run->rundir, run->name);
	found = record_read(run->rundir, run->name, &run->record);
	if (found == 1)
		return 0;
	plan = planfile_open(run->fixed);
	had_plan = plan != NULL;
	if (take_plan(run, plan))
		return 1;
	if (had_plan)
		warnx("%s: no session of this plan has that target", run->options->target);
	return -1;
}

static void
close_run(struct run *run)
{
	free(run->name);
	record_clear(&run->record);
	learned_clear(&run->learned);
	turn_close(run->turn);
	page_close(run->page);
	now_close(run->now);
	options_clear(&run->session_options);
	json_decref(run->session);
	planfile_close(run->plan);
	makeflags_clear(&run->makeflags);
	fd_close(&run->signals);
	fd_close(&run->alive);
	fd_close(&run->runtime);
	fd_close(&run->rundir);
	fd_close(&run->state);
}

/* Those that the sessions of this make share. */
static unsigned
shared_processors(const struct run *run)
{
	unsigned processors = run->options->processors, slots = run->makeflags.slots;

	return processors < slots ? processors : slots;
}

/* Is it shim.py that runs the session? */
static bool
has_shim(const struct run *run)
{
	return json_is_string(json_object_get(planfile_header(run->plan), "python"));
}

/* The processors that the session's tools are told of; 0: as many as it has slots. */
static unsigned
told(const struct run *run)
{
	const struct options *options = &run->session_options;
	bool strict = run->options->knobs->strict || options->budget != BUDGET_SHARED;

	/* Without shim.py nobody asks, and several would take all of them at once. */
	if (!has_shim(run))
		return 0;
	return strict || options->jobs.least > 0 ? 0 : shared_processors(run);
}

/* What earlier runs have taught matters where sessions can be in each other's way. */
static void
look_up_learned(struct run *run)
{
	if (run->state >= 0 && shared_processors(run) > 1)
		run->learned = learned_of(run->state, run->options->target);
}

static unsigned
rank(void *data)
{
	const struct run *run = data;

	return run->state >= 0 ? order_rank(run->state, run->options->target) : 0;
}

/* For passage.h. */
static bool
suffices(void *data, unsigned few)
{
	const struct run *run = data;
	struct share_options share = { .state = run->state, .folder = run->fixed,
		.table = now_table(run->now), .target = run->options->target,
		.processors = shared_processors(run), .learned = &run->learned };

	return share_suffices(&share, few);
}

static void
open_turn(struct run *run)
{
	const struct options_jobs *jobs = &run->session_options.jobs;
	const json_t *claims = json_object_get(run->session, "claims");
	const char *locks = json_text(planfile_header(run->plan), "locks");
	struct turn_options turn;

	/* Claims are nowhere else. */
	if (run->state < 0 && json_array_size(claims) > 0)
		run->state = state_make();
	look_up_learned(run);
	turn = (struct turn_options){ .state = run->state,
		.folder = run->runtime >= 0 ? run->runtime : run->rundir,
		.key = run->options->key, .target = run->options->target, .claims = claims,
		.best_effort = !strcmp(locks, CONFIG_BEST_EFFORT),
		.processors = shared_processors(run), .memory = run->learned.memory,
		.makeflags = &run->makeflags,
		.least = jobs->least ? jobs->least : 1,
		.most = jobs->least ? jobs->most : 1 };
	/* Where we count the slots we also say who is first. */
	if (run->makeflags.unlimited)
		turn.rank = rank(run);
	run->turn = turn_open(&turn);
}

/* In the keeper, which lives on if we are killed: the slots are ours alone. */
static void
forked(void *data)
{
	const struct run *run = data;

	turn_forked(run->turn);
	page_forked(run->page);
}

/* What the helper has waited for, and then the session itself. */
static void
note_waits(struct run *run)
{
	json_t *before = turn_waits(run->turn), *within = passage_waits(run->passage);

	json_decref(run->record.waits);
	run->record.waits = json_copy(before);
	json_array_extend(run->record.waits, within);
	json_decref(within);
	json_decref(before);
}

static unsigned
announced(const struct record *r)
{
	return r->announced[0] + r->announced[1];
}

/* A record that cannot be written is warned of; the goal then finds none and fails. */
static void
write_record(struct run *run)
{
	run->announced = announced(&run->record);
	runtime_stand_in(run->runtime, run->rundir);
	run->recorded = record_write(run->rundir, run->runtime, &run->record) == 0;
}

/* See attempt.h. A session that the noxfile has not may have a second life. */
static void
judged(void *data, const char *stopped)
{
	struct run *run = data;

	note_waits(run);
	outcome_settle(&run->record, stopped, true, run->options->knobs->policy.flaky_fails);
	run->record.ended = clock_now();
	if (!run->record.gone)
		write_record(run);
}

/* Is its output shown while it comes? */
static bool
is_live(const struct run_options *options)
{
	enum output output = options->knobs->output;

	return !options->recheck && (output == OUTPUT_STREAM || output == OUTPUT_PREFIX ||
					(output == OUTPUT_AUTO && options->alone));
}

static void
live(struct run *run)
{
	const struct knobs *knobs = run->options->knobs;
	bool is_shown = is_live(run->options), alone = knobs->output != OUTPUT_PREFIX &&
	    (run->options->alone || run->makeflags.slots == 1);
	struct attempt_options attempt = { .rundir = run->rundir, .runtime = run->runtime,
		.key = run->options->key, .target = run->name, .share = run->options->share,
		.recheck = run->options->recheck,
		.posargs = run->options->posargs, .live = is_shown, .alone = alone,
		.only = run->options->alone,
		.at_terminal = is_shown && alone && !knobs->no_terminal, .plan = run->plan,
		.session = run->session, .slot = turn_slot(run->turn), .told = told(run),
		.makeflags = &run->makeflags, .page = run->page, .record = &run->record,
		.fork = { .state = run->state, .runtime = run->runtime, .key = run->options->key,
			.fork = has_shim(run) ? knobs->fork : FORK_NEVER,
			.sessions = run->options->sessions, .makeflags = &run->makeflags,
			.why = &run->record.fork },
		.forked = forked, .judged = judged, .data = run };
	struct passage_options passage = { .state = run->state, .target = run->options->target,
		.function = json_text(run->session, "name"),
		.turn = run->turn, .told = attempt.told, .processors = run->options->processors,
		.record = &run->record, .rank = rank, .learned = &run->learned,
		.suffices = suffices, .data = run };
	struct heartbeat_options heartbeat = { .page = run->page, .rundir = run->rundir,
		.table = now_table(run->now), .goals = run->options->goals,
		.every = knobs->heartbeat };
	struct life_options life = { .attempt = &attempt, .turn = run->turn,
		.passage = run->passage = passage_open(&passage), .now = run->now,
		.drawer = run->drawer,
		.parent = &run->parent, .signals = run->signals,
		.timeout = run->session_options.timeout, .slow = run->session_options.slow,
		.retries = run->options->recheck ? 0 : run->session_options.retries,
		.heartbeat = heartbeat_open(&heartbeat),
		.run_ends = policy_run_ends(&knobs->policy, run->fixed) };
	struct life_end end = life_lead(&life);

	run->signalled = end.signalled;
	if (!end.judged) {
		note_waits(run);
		outcome_settle(&run->record, end.stopped, end.tried,
		    run->options->knobs->policy.flaky_fails);
		run->recorded = false;
	}
	heartbeat_close(life.heartbeat);
	passage_close(run->passage);
	free(end.stopped);
}

static void
begin_record(struct run *run)
{
	const char *cue = run->options->cue;

	run->recorded = false;
	/* Where only one session runs at a time, it has all processors. */
	run->record = (struct record){ .exit = -1, .signal = -1, .client = -1,
		.crowded = run->makeflags.slots == 1 ? 0 : -1, .own = -1,
		.started = clock_now() };
	run->record.target = xstrdup(run->name);
	run->record.cue = cue ? xstrdup(cue) : NULL;
	run->record.session = xstrdup(json_text(run->session, "session"));
}

/* Has somebody made another plan of this session than the one that we run by? */
static bool
is_replanned(const struct run *run)
{
	struct planfile *plan = planfile_open(run->state);
	json_t *now = plan ? planfile_session(plan, run->options->target) : NULL;
	bool other = plan && !json_equal(now, run->session);

	json_decref(now);
	planfile_close(plan);
	return other;
}

/*
 * The noxfile has no such session: the plan is not to be trusted. One helper makes it anew, for all
 * that find this out. True if it has a session of our target, which then is to run.
 */
static bool
heal(struct run *run)
{
	const struct planning_options anew = { .share = run->options->share };

	if (!is_replanned(run)) {
		warnx("%s: the noxfile is not the one of the plan: the plan is made anew",
		    run->options->target);
		inputs_forget(run->state);
		if (planning_run(&anew) != 0 || !is_replanned(run))
			return false;
	}
	return take_plan(run, planfile_open(run->state));
}

/* With a plan that is wrong, the session has a second life. */
static void
run_by_plan(struct run *run)
{
	for (bool healed = run->options->recheck;; healed = true) {
		begin_record(run);
		if (outcome_may_run(&run->record, run->session, run->rundir)) {
			open_turn(run);
			live(run);
		}
		if (!run->record.gone || run->signalled || healed || !heal(run))
			return;
		record_clear(&run->record);
		learned_clear(&run->learned);
		turn_close(run->turn);
		run->turn = NULL;
	}
}

/* The run folder's path, for people. The caller frees. */
static char *
folder_of(const struct run *run)
{
	json_t *info = rundir_info(run->rundir);
	char *path = rundir_path(json_text(info, "run"));

	json_decref(info);
	return path;
}

/*
 * On a CI's page the log, in one piece, says how it went. One that has failed, and that somebody
 * has read, the summary need not show again if it is near.
 */
static void
show_block(struct run *run)
{
	char *folder = folder_of(run);
	long long lines = block_print(ci_forge(), run->rundir, &run->record, folder,
	    page_room(run->page));

	free(folder);
	if (page_end(run->page, lines) && record_is_bad(&run->record)) {
		run->record.shown = page_state(run->page).lines;
		write_record(run);
	}
}

static bool
has_failed(const struct record *r)
{
	return r->logged && (r->verdict == FAILED || r->verdict == ABORTED);
}

/* Is its log to be on a CI's page as soon as it has ended? */
static bool
wants_block(const struct run *run)
{
	enum output output = run->options->knobs->output;

	return (output == OUTPUT_AUTO || (output == OUTPUT_FAILED && has_failed(&run->record))) &&
	       !run->options->recheck && block_is_wanted(&run->record);
}

/* Are people to see at once why it has failed? Where none watch, the summary is early enough. */
static bool
wants_tail(const struct run *run)
{
	enum output output = run->options->knobs->output;
	bool watched = output == OUTPUT_AUTO || output == OUTPUT_BOARD;

	return has_failed(&run->record) && !run->page && !run->options->recheck &&
	       (output == OUTPUT_FAILED || (watched && isatty(STDOUT_FILENO)));
}

/* If that is all of its log, and still on the screen at the end, the summary does not show it. */
static void
show_tail(struct run *run)
{
	int log = joblog_find(run->rundir, run->record.target);
	struct screen_size size;
	unsigned most = TAIL_LINES;
	struct tail tail;

	if (screen_size(&size) && size.lines > 0)
		most = at_most((unsigned)size.lines / 2, TAIL_LINES);
	tail = tail_open(log, most);
	screen_failed(&run->record, &tail);
	if (tail.whole && !outlet_is_behind()) {
		run->record.shown = (long long)tail.lines.n + 1;
		write_record(run);
	}
	tail_close(&tail);
	fd_close(&log);
}

/* A session that was shown while it ran ends right above the summary, which names it. */
static void
show_end(struct run *run)
{
	if (run->record.live)
		return;
	if (wants_block(run) && page_begin(run->page, PAGE_PATIENT)) {
		show_block(run);
	} else if (wants_tail(run)) {
		show_tail(run);
	} else {
		page_begin_line(run->page);
		screen_ended(&run->record);
		page_end_line(run->page);
	}
}

/* From here on the record says how it went, and so does what is shown. */
static void
end_record(struct run *run)
{
	struct policy policy = run->options->knobs->policy;
	bool unread;

	if (!policy.fail_fast_said)
		policy.fail_fast = json_is_true(json_object_get(planfile_header(run->plan),
		    "fail_fast"));
	/* What nobody has read so far the summary shows. */
	unread = run->record.live && outlet_is_behind();
	run->record.live &= !unread;
	if (!run->recorded || run->record.left || unread ||
	    announced(&run->record) != run->announced) {
		run->record.ended = clock_now();
		write_record(run);
	}
	policy_consider(run->rundir, &policy, &run->record);
	now_ended(run->now, &run->record);
	drawer_close(run->drawer);
	/* Others need not wait for what the session had until its log has been read. */
	turn_close(run->turn);
	run->turn = NULL;
	show_end(run);
}

/* What others see of this session, and what we may show of them all. */
static void
open_now(struct run *run)
{
	struct drawer_options drawer = { .state = run->state, .rundir = run->rundir,
		.runtime = run->runtime, .parent = &run->parent };

	run->now = now_open(run->runtime >= 0 ? run->runtime : run->rundir, run->name,
	    run->makeflags.slots);
	drawer.now = run->now;
	drawer.wanted = knobs_want_board(run->options->knobs, run->options->alone) && drawer_can();
	run->drawer = drawer_open(&drawer);
}

char *
run_recheck_name(const char *target)
{
	return xasprintf("%s.recheck", target);
}

static char *
name_of(const struct run_options *options)
{
	return options->recheck ? run_recheck_name(options->target) : xstrdup(options->target);
}

int
run_session(const struct run_options *options, bool *interrupted)
{
	struct run run = { .options = options, .name = name_of(options), .parent = parent_open(),
		.state = -1, .rundir = -1, .runtime = -1, .signals = -1, .alive = -1,
		.makeflags = makeflags_read(getenv("MAKEFLAGS"), options->jobs) };
	int opened = open_run(&run);
	if (options->knobs->output == OUTPUT_QUIET)
		screen_be_quiet();
	if (opened == 1) {
		/* It may have died while it started us; then we have another parent. */
		if (run.parent.pid != makekey_pid(options->key) &&
		    rundir_has_lost_make(run.rundir))
			parent_set_dead(&run.parent);
		run.signals = sig_open();
		open_now(&run);
		run_by_plan(&run);
		end_record(&run);
	}
	/*
	 * make ends without a summary when it is stopped. We leave before we ask: whoever leaves
	 * last then knows. What was sent to all may reach us well before make.
	 */
	*interrupted = opened == 1 && rundir_is_left(run.alive) &&
		       parent_stopped_within(&run.parent, run.signalled ? MAKE_LATE : 0) != 0;
	close_run(&run);
	return opened < 0 ? EXIT_HELPER : 0;
}
