#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/makeflags.h"
#include "base/sig.h"
#include "order/order.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "session/attempt.h"
#include "session/parent.h"
#include "session/run.h"
#include "slots/turn.h"
#include "state/rundir.h"

/* Seconds from INT to TERM and from TERM to KILL; nox itself needs half a second to give up. */
#define GRACE 3.0

/* And for what it has left behind, from TERM to KILL, and between two of these. */
#define GRACE_OF_LEFT 1.0
#define AGAIN 0.1

/*
 * One ^C may come twice: from the terminal, and from make, which hands on the TERM that its group
 * has got as well. A second one means that somebody is in a hurry.
 */
#define SAME_STOP 0.5

/* Milliseconds by which make may hear of a signal later than we do. */
enum { MAKE_LATE = 500 };

/* Seconds between two looks at make and at what may end the run early. */
#define LOOK 0.5

/* Before the first new attempt, twice as long before each further one, at most. */
#define BACKOFF_FIRST 0.5
#define BACKOFF_MOST 30.0

/* The life of a session; the table `life` below says what happens in which state. */
enum state { WAITING, RUNNING, INTERRUPTED, TERMINATED, KILLED, CLEARING, BACKOFF, ENDED };
enum event { ON_TURN, ON_STOP, ON_DEADLINE, ON_EXIT, ON_NOBODY_LEFT, EVENTS };

struct run {
	const struct run_options *options;
	struct makeflags makeflags;
	struct parent parent;
	int project, dir, signals, alive; /* project: its .noxmk; alive: see rundir_enter */
	struct planfile *plan;
	json_t *session; /* its line of the plan */
	struct record record;
	struct turn *turn;
	struct attempt *attempt;
	enum state state;
	char *stopped;          /* why, or NULL */
	double stopped_at;      /* monotonic seconds, as all of these */
	bool signalled, parent_stopped, timed_out;
	bool wait_shown;        /* for whom it waits */
	double begun, deadline; /* deadline 0: none */
	double slow;            /* when to say that it is slow; 0: never, or that was said */
	double look;            /* the next one */
	double run_ends;        /* NOXMK_DEADLINE; 0: never */
};

/* A number of the session's options; 0 where it has none. */
static double
option(const struct run *run, const char *key)
{
	return json_number_value(json_object_get(json_object_get(run->session, "options"), key));
}

/* When such a time is over, from the session's start; 0: never. */
static double
moment(const struct run *run, const char *key)
{
	return option(run, key) > 0 ? run->begun + option(run, key) : 0;
}

static void
set_verdict(struct run *run, enum verdict verdict, char *reason)
{
	run->record.verdict = verdict;
	free(run->record.reason);
	run->record.reason = reason;
}

/* In the keeper, which lives on if we are killed. */
static void
forked(void *data)
{
	const struct run *run = data;

	turn_forked(run->turn);
}

static void
start(struct run *run)
{
	struct attempt_options attempt = { .dir = run->dir, .target = run->options->target,
		.share = run->options->share, .posargs = run->options->posargs,
		.live = run->options->live, .plan = run->plan, .session = run->session,
		.slot = turn_slot(run->turn), .makeflags = &run->makeflags,
		.record = &run->record, .forked = forked, .data = run };

	run->begun = clock_monotonic();
	run->timed_out = false;
	run->attempt = attempt_start(&attempt);
	if (!run->attempt) {
		run->state = ENDED;
		return;
	}
	run->state = RUNNING;
	run->deadline = moment(run, "timeout");
	run->slow = moment(run, "slow");
}

static void
signal_session(struct run *run, int signal, enum state next)
{
	attempt_signal(run->attempt, signal);
	run->state = next;
	run->deadline = clock_monotonic() + GRACE;
}

static void
interrupt(struct run *run)
{
	signal_session(run, SIGINT, INTERRUPTED);
}

static void
time_out(struct run *run)
{
	run->timed_out = true;
	interrupt(run);
}

static void
terminate(struct run *run)
{
	signal_session(run, SIGTERM, TERMINATED);
}

static void
murder(struct run *run)
{
	signal_session(run, SIGKILL, KILLED);
}

static void
give_up(struct run *run)
{
	run->state = ENDED;
}

static void
clear(struct run *run)
{
	attempt_signal_left(run->attempt, SIGKILL);
	run->deadline = clock_monotonic() + AGAIN;
}

/* The log that the next attempt would overwrite. Returns its new name, or NULL after a warning. */
static char *
keep_log(const struct run *run, size_t number)
{
	char *old = xasprintf("%s.log", run->options->target);
	char *new = xasprintf("%s.log.%zu", run->options->target, number);

	if (renameat(run->dir, old, run->dir, new) < 0) {
		warn("%s", new);
		free(new);
		new = NULL;
	}
	free(old);
	return new;
}

/* What came of this attempt is kept, and after a while there is another one. */
static void
retry(struct run *run)
{
	struct record *r = &run->record;
	size_t number = json_array_size(r->attempts) + 1;
	char *log = r->logged ? keep_log(run, number) : NULL;
	double wait = BACKOFF_FIRST;

	for (size_t i = 1; i < number && wait < BACKOFF_MOST; i++)
		wait *= 2;
	if (!r->attempts)
		r->attempts = json_array();
	json_array_append_new(r->attempts, json_pack("{s:s,s:s?,s:f,s:s?}", "verdict",
	    verdict_name(r->verdict), "reason", r->reason, "duration", r->duration, "log", log));
	free(log);
	screen_retries(r, wait);
	json_decref(r->notify);
	r->notify = NULL;
	attempt_free(run->attempt);
	run->attempt = NULL;
	run->slow = 0;
	run->state = BACKOFF;
	run->deadline = clock_monotonic() + (wait < BACKOFF_MOST ? wait : BACKOFF_MOST);
}

/* Nothing of this attempt is left. */
static void
end_attempt(struct run *run)
{
	size_t attempts = json_array_size(run->record.attempts);

	attempt_close_log(run->attempt);
	if (run->timed_out) {
		char *limit = screen_duration(option(run, "timeout"));

		set_verdict(run, FAILED, xasprintf("timeout after %s", limit));
		free(limit);
	}
	run->state = ENDED;
	run->deadline = 0;
	if ((run->record.verdict == FAILED || run->record.verdict == ABORTED) && !run->stopped &&
	    attempts < (size_t)option(run, "retries"))
		retry(run);
}

/* The session has ended, but maybe not all that it has started. */
static void
finish(struct run *run)
{
	attempt_judge(run->attempt, run->state != RUNNING);
	run->slow = 0;
	if (!attempt_has_left(run->attempt)) {
		end_attempt(run);
		return;
	}
	attempt_signal_left(run->attempt, SIGTERM);
	run->state = CLEARING;
	run->deadline = clock_monotonic() + GRACE_OF_LEFT;
}

/* NULL: nothing to do. A second ^C does not wait for the grace. */
static void (*const life[ENDED][EVENTS])(struct run *) = {
	/*                ON_TURN   ON_STOP      ON_DEADLINE   ON_EXIT  ON_NOBODY_LEFT */
	[WAITING]     = { start,    give_up,     NULL,         NULL,    NULL        },
	[RUNNING]     = { NULL,     interrupt,   time_out,     finish,  NULL        },
	[INTERRUPTED] = { NULL,     terminate,   terminate,    finish,  NULL        },
	[TERMINATED]  = { NULL,     murder,      murder,       finish,  NULL        },
	[KILLED]      = { NULL,     NULL,        murder,       finish,  NULL        },
	[CLEARING]    = { NULL,     clear,       clear,        NULL,    end_attempt },
	[BACKOFF]     = { NULL,     give_up,     start,        NULL,    NULL        },
};

static void
happen(struct run *run, enum event event)
{
	if (run->state != ENDED && life[run->state][event])
		life[run->state][event](run);
}

/* The first reason counts. */
static void
stop(struct run *run, char *why)
{
	double now = clock_monotonic();
	bool same = run->stopped && now - run->stopped_at < SAME_STOP;

	if (run->stopped)
		free(why);
	else
		run->stopped = why;
	if (same)
		return;
	run->stopped_at = now;
	happen(run, ON_STOP);
}

/* ^Z: the session does not notice, nor do its clocks. */
static void
pause_all(struct run *run)
{
	double *const moments[] = { &run->begun, &run->deadline, &run->slow };
	double since = clock_monotonic(), gone;

	if (run->attempt)
		attempt_pause(run->attempt, true);
	raise(SIGSTOP);
	gone = clock_monotonic() - since;
	for (size_t i = 0; i < countof(moments); i++)
		if (*moments[i] != 0)
			*moments[i] += gone;
	if (run->attempt) {
		attempt_shift(run->attempt, gone);
		attempt_pause(run->attempt, false);
	}
}

static void
look_at_signals(struct run *run)
{
	int signal;

	while ((signal = sig_next(run->signals))) {
		if (signal == SIGTSTP) {
			pause_all(run);
		} else if (signal == SIGTERM && parent_stopped_by(&run->parent) == SIGKILL) {
			stop(run, xstrdup("make was killed"));
		} else if (signal != SIGCHLD) {
			run->signalled = true;
			stop(run, xasprintf("SIG%s", sigabbrev_np(signal)));
		}
	}
}

/* Whether the run is to end, in ways of which no signal tells. */
static void
look_around(struct run *run)
{
	int signal = parent_stopped_by(&run->parent);
	bool cancel = false;
	char *why;

	if (signal != 0 && !run->parent_stopped) {
		run->parent_stopped = true;
		stop(run, signal == SIGKILL ? xstrdup("make was killed") :
					      xasprintf("SIG%s to make", sigabbrev_np(signal)));
	}
	if (!run->stopped && (why = policy_stop_reason(run->dir, &cancel))) {
		if (cancel || run->state == WAITING)
			stop(run, why);
		else
			free(why);
	}
	if (!run->stopped && run->run_ends != 0 && clock_monotonic() >= run->run_ends)
		stop(run, xstrdup("the run's time is over (NOXMK_DEADLINE)"));
}

/* What the clock brings. */
static void
look_at_clock(struct run *run)
{
	double now = clock_monotonic();

	if (now >= run->look) {
		run->look = now + LOOK;
		look_around(run);
	}
	if (run->slow != 0 && now >= run->slow) {
		run->slow = 0;
		if (run->state == RUNNING)
			screen_slow(run->options->target, now - run->begun,
			    attempt_log(run->attempt));
	}
	if (run->deadline != 0 && now >= run->deadline)
		happen(run, ON_DEADLINE);
}

/* What has ended: the session, or what it has left. */
static void
look_at_children(struct run *run)
{
	if (run->attempt && run->state < CLEARING && attempt_has_ended(run->attempt))
		happen(run, ON_EXIT);
	if (run->state == CLEARING && attempt_is_cleared(run->attempt))
		happen(run, ON_NOBODY_LEFT);
}

/* Milliseconds, rounded up; the least of both, where -1 is never. moment: 0: none. */
static int
sooner(int timeout, double moment)
{
	double left = (moment - clock_monotonic()) * 1000;
	int until = left >= INT_MAX - 1 ? INT_MAX : left > 0 ? (int)left + 1 : 0;

	return moment == 0 || (timeout >= 0 && timeout < until) ? timeout : until;
}

static int
poll_timeout(const struct run *run)
{
	int timeout = run->state == WAITING ? turn_timeout(run->turn) :
	    run->attempt ? attempt_timeout(run->attempt) : -1;

	return sooner(sooner(sooner(timeout, run->deadline), run->slow), run->look);
}

/* The first one in its way is shown, since the session may wait for long. */
static void
look_at_turn(struct run *run)
{
	if (run->state != WAITING)
		return;
	if (turn_try(run->turn)) {
		happen(run, ON_TURN);
	} else if (!run->wait_shown && turn_blocker(run->turn)) {
		run->wait_shown = true;
		screen_waits(run->options->target, turn_blocker(run->turn));
	}
}

static void
live_through(struct run *run)
{
	run->state = WAITING;
	look_at_clock(run);
	look_at_turn(run);
	while (run->state != ENDED) {
		struct pollfd fds[1 + TURN_FDS + ATTEMPT_FDS] = {
			{ .fd = run->signals, .events = POLLIN } };
		nfds_t watched = 1;

		if (run->state == WAITING) {
			turn_poll(run->turn, fds + watched);
			watched += TURN_FDS;
		} else if (run->attempt) {
			attempt_poll(run->attempt, fds + watched);
			watched += ATTEMPT_FDS;
		}
		if (poll(fds, watched, poll_timeout(run)) < 0 && errno != EINTR)
			err(EXIT_HELPER, "poll");
		look_at_signals(run);
		if (run->attempt)
			attempt_look(run->attempt);
		look_at_turn(run);
		look_at_children(run);
		look_at_clock(run);
	}
	run->record.waits = turn_waits(run->turn);
	if (run->stopped)
		set_verdict(run, run->attempt || run->record.attempts ? CANCELLED : NOT_RUN,
		    xstrdup(run->stopped));
	if (record_is_flaky(&run->record) && run->options->policy->flaky_fails)
		set_verdict(run, FAILED, xasprintf("flaky: passed at attempt %zu only "
		    "(NOXMK_FLAKY)", json_array_size(run->record.attempts) + 1));
}

/* False, with the verdict set, when something it needs has not passed in this run. */
static bool
prerequisites_passed(struct run *run)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(run->session, "requires"), i, item) {
		const char *name = json_string_value(item);
		struct record other = { 0 };
		int found = name ? record_read(run->dir, name, &other) : 0;

		if (found == 1 && other.verdict == PASSED)
			goto next;
		if (found == 1)
			set_verdict(run, NOT_RUN, xasprintf("it requires %s, which %s%s", name,
			    other.verdict == FAILED ? "" : "was ", verdict_name(other.verdict)));
		else
			set_verdict(run, NOT_RUN, xasprintf("it requires %s, which has no record",
			    name));
		run->record.excused = other.verdict == SKIPPED || other.excused;
		record_clear(&other);
		return false;
next:
		record_clear(&other);
	}
	return true;
}

/* 1: its turn. 0: it has had its turn in this run. -1: there is no run, and that is said. */
static int
open_run(struct run *run)
{
	int found;

	run->project = state_open();
	if (run->project < 0)
		return -1;
	run->dir = rundir_join(run->project, run->options->key, run->options->keep);
	if (run->dir < 0)
		return -1;
	found = record_read(run->dir, run->options->target, &run->record);
	if (found == 1)
		return 0;
	if (!(run->plan = planfile_open(run->dir)))
		return -1;
	run->session = planfile_session(run->plan, run->options->target);
	if (!run->session) {
		warnx("%s: no session of this plan has that target", run->options->target);
		return -1;
	}
	return 1;
}

/* False, with the verdict set, when there is no way to wait for it. */
static bool
open_turn(struct run *run)
{
	const json_t *jobs = json_object_get(json_object_get(run->session, "options"), "jobs");
	struct turn_options turn = { .state = run->project, .rundir = run->dir,
		.target = run->options->target,
		.claims = json_object_get(run->session, "claims"),
		.makeflags = &run->makeflags,
		.least = jobs ? (unsigned)json_integer_value(json_array_get(jobs, 0)) : 1,
		.most = jobs ? (unsigned)json_integer_value(json_array_get(jobs, 1)) : 1 };

	/* Where we count the slots we also say who is first. */
	if (run->makeflags.unlimited)
		turn.rank = order_rank(run->project, run->options->target);
	run->turn = turn_open(&turn);
	if (!run->turn)
		set_verdict(run, FAILED, xstrdup("it cannot wait for its turn"));
	return run->turn != NULL;
}

/* Seconds, monotonic, at which the run has to be over; 0: never. */
static double
end_of_run(const struct run *run)
{
	json_t *info = run->options->policy->deadline > 0 ? rundir_info(run->dir) : NULL;
	double begun = json_number(info, "clock");

	json_decref(info);
	return info ? begun + run->options->policy->deadline : 0;
}

static void
close_run(struct run *run)
{
	record_clear(&run->record);
	attempt_free(run->attempt);
	turn_close(run->turn);
	json_decref(run->session);
	planfile_close(run->plan);
	free(run->stopped);
	makeflags_clear(&run->makeflags);
	for (size_t i = 0; i < 4; i++) {
		int fd = (int[]){ run->signals, run->alive, run->dir, run->project }[i];

		if (fd >= 0)
			close(fd);
	}
}

/* From the turn to the record. */
static void
run_through(struct run *run)
{
	const char *complaint = json_string_value(json_object_get(run->session, "complaint"));
	const struct run_options *options = run->options;
	struct policy policy = *options->policy;

	if (!policy.fail_fast_said)
		policy.fail_fast = json_is_true(json_object_get(planfile_header(run->plan),
		    "fail_fast"));
	run->signals = sig_open();
	run->alive = rundir_enter(run->dir);
	run->run_ends = end_of_run(run);
	run->record = (struct record){ .exit = -1, .signal = -1, .client = -1,
		.started = clock_now() };
	run->record.target = xstrdup(options->target);
	run->record.cue = options->cue ? xstrdup(options->cue) : NULL;
	run->record.session = xstrdup(json_text(run->session, "session"));
	if (complaint)
		set_verdict(run, FAILED, xstrdup(complaint));
	else if (prerequisites_passed(run) && open_turn(run))
		live_through(run);
	run->record.ended = clock_now();
	/* A lost record is said there; the goal then finds none and fails. */
	(void)!record_write(run->dir, &run->record);
	policy_consider(run->dir, &policy, &run->record);
	/* One that was shown while it ran ends in the summary right below. */
	if (!run->record.live)
		screen_ended(&run->record);
}

int
run_session(const struct run_options *options, bool *interrupted)
{
	struct run run = { .options = options, .parent = parent_open(), .project = -1, .dir = -1,
		.signals = -1, .alive = -1,
		.makeflags = makeflags_read(getenv("MAKEFLAGS"), options->jobs) };
	int turn = open_run(&run);

	if (turn == 1)
		run_through(&run);
	/*
	 * make ends without a summary when it is stopped. We leave before we ask: whoever leaves
	 * last then knows. What was sent to all may reach us well before make.
	 */
	*interrupted = turn >= 0 && run.signals >= 0 && rundir_is_left(run.alive) &&
		       parent_stopped_within(&run.parent, run.signalled ? MAKE_LATE : 0) != 0;
	close_run(&run);
	return turn < 0 ? EXIT_HELPER : 0;
}
