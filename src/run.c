#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge.h"
#include "brood.h"
#include "budget.h"
#include "command.h"
#include "joblog.h"
#include "order.h"
#include "run.h"
#include "rundir.h"
#include "screen.h"
#include "sig.h"
#include "spawn.h"
#include "turn.h"
#include "verdict.h"

/* Seconds from INT to TERM and from TERM to KILL; nox itself needs half a second to give up. */
#define GRACE 3.0

/* And for what it has left behind, from TERM to KILL, and between two of these. */
#define GRACE_OF_LEFT 1.0
#define AGAIN 0.1

/* The life of a session; the table `life` below says what happens in which state. */
enum state { WAITING, RUNNING, INTERRUPTED, TERMINATED, KILLED, CLEARING, ENDED };
enum event { ON_TURN, ON_STOP, ON_DEADLINE, ON_EXIT, ON_NOBODY_LEFT, EVENTS };

struct run {
	const struct run_options *options;
	int project, dir, signals, log; /* project: its .noxmk */
	struct planfile *plan;
	json_t *session; /* its line of the plan */
	struct record record;
	struct turn *turn;
	struct bridge *bridge; /* NULL: its tools are on their own */
	struct brood *brood;
	struct joblog_follower *follower;
	enum state state;
	pid_t pid;
	int stopped_by; /* the signal that told us to stop, or 0 */
	bool timed_out;
	double begun, deadline; /* monotonic seconds; deadline 0: none */
	double slow;            /* when to say that it is slow; 0: never, or that was said */
};

static const char *
text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

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

/*
 * What a caller gave with session.notify(…, posargs): the first one's count, as in nox. NULL when
 * nobody did, and then the posargs of the whole run are handed on.
 */
static json_t *
notified_posargs(struct run *run)
{
	json_t *names = record_list(run->dir), *found = NULL, *name, *item;
	size_t i, k;

	json_array_foreach(names, i, name) {
		struct record caller;

		if (record_read(run->dir, json_string_value(name), &caller) != 1)
			continue;
		json_array_foreach(caller.notify, k, item)
			if (!found && !strcmp(text(item, "target"), run->options->target) &&
			    json_is_array(json_object_get(item, "posargs")))
				found = json_incref(json_object_get(item, "posargs"));
		record_clear(&caller);
	}
	json_decref(names);
	return found;
}

/* Absolute, since nox takes a relative path from the noxfile's folder. The caller frees. */
static char *
report_path(const struct run *run)
{
	char link[64], folder[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", run->dir);
	n = readlink(link, folder, sizeof(folder) - 1);
	folder[n < 0 ? 0 : n] = '\0';
	return xasprintf("%s/.%s.report", folder, run->options->target);
}

/* status: the log's last line. */
static void
close_log(struct run *run, const char *status)
{
	joblog_follower_close(run->follower);
	run->follower = NULL;
	if (run->log >= 0)
		joblog_close(run->log, run->options->target, status);
	run->log = -1;
}

static void
start(struct run *run)
{
	json_t *notified = notified_posargs(run), *item;
	struct strings posargs = { 0 };
	char *report = report_path(run);
	struct command command;
	size_t i;

	json_array_foreach(notified, i, item)
		strings_add(&posargs, json_is_string(item) ? json_string_value(item) : "");
	for (char *const *arg = run->options->posargs; !notified && *arg; arg++)
		strings_add(&posargs, *arg);
	/* Left by a helper that was killed, it would be believed. */
	unlink(report);
	if (!json_is_false(json_object_get(json_object_get(run->session, "options"), "budget")))
		run->bridge = bridge_open(turn_slot(run->turn), run->options->share);
	command = command_make(run->plan, run->session, run->options->share, report, &posargs,
	    bridge_variables(run->bridge));
	/* A log that cannot be written is said and costs the log, not the session. */
	run->log = joblog_open(run->dir, run->options->target, command.argv);
	run->record.logged = run->log >= 0;
	if (run->options->live && run->log >= 0)
		run->follower = joblog_follower_open(run->log);
	run->record.live = run->follower != NULL;
	/* Whatever is our child by now, a guard, is none of the session's. */
	run->brood = brood_open();
	run->begun = clock_monotonic();
	run->record.started = clock_now();
	run->pid = spawn(command.argv, command.envp, run->log >= 0 ? run->log : STDERR_FILENO,
	    run->log >= 0 ? run->log : STDERR_FILENO, true);
	if (run->pid < 0) {
		set_verdict(run, FAILED, xasprintf("cannot start %s: %s", command.argv[0],
		    strerror(errno)));
		close_log(run, "not started");
		run->state = ENDED;
	} else {
		run->state = RUNNING;
		run->deadline = moment(run, "timeout");
		run->slow = moment(run, "slow");
	}
	command_clear(&command);
	free(posargs.v);
	json_decref(notified);
	free(report);
}

/* The whole group, and CONT, because a stopped process cannot die. */
static void
signal_group(struct run *run, int signal, enum state next)
{
	kill(-run->pid, signal);
	kill(-run->pid, SIGCONT);
	run->state = next;
	run->deadline = clock_monotonic() + GRACE;
}

static void
interrupt(struct run *run)
{
	signal_group(run, SIGINT, INTERRUPTED);
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
	signal_group(run, SIGTERM, TERMINATED);
}

static void
murder(struct run *run)
{
	signal_group(run, SIGKILL, KILLED);
}

static void
give_up(struct run *run)
{
	run->state = ENDED;
}

static void
clear(struct run *run)
{
	brood_signal(run->brood, SIGKILL);
	run->deadline = clock_monotonic() + AGAIN;
}

/* The session has ended, but not all that it has started. */
static void
clear_up(struct run *run)
{
	const char *leaks = text(json_object_get(run->session, "options"), "leaks");
	char *safe;

	run->state = ENDED;
	if (!strcmp(leaks, "allow") || !brood_is_left(run->brood, 0))
		return;
	run->record.left = brood_names(run->brood);
	safe = screen_safe(run->record.left);
	warnx("%s left a process running: %s", run->options->target, safe);
	free(safe);
	brood_signal(run->brood, SIGTERM);
	run->state = CLEARING;
	run->deadline = clock_monotonic() + GRACE_OF_LEFT;
}

static double
seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The report says how the session itself ended. It stays until the run's folder goes. */
static void
finish(struct run *run)
{
	char *name = xasprintf(".%s.report", run->options->target), *words;
	struct buffer report = { 0 };
	struct rusage usage = { 0 };
	siginfo_t info;
	int status;

	/*
	 * The dead leader keeps its group's number ours until it is reaped, so what is left of a
	 * stopped session can be killed without hitting a stranger.
	 */
	if (run->state != RUNNING && waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOWAIT) == 0)
		kill(-run->pid, SIGKILL);
	while (wait4(run->pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	run->record.cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	run->record.duration = clock_monotonic() - run->begun;
	if (file_read(run->dir, name, &report) < 0 && errno != ENOENT)
		warn("%s", name);
	verdict_judge(&run->record, status, &report, run->plan);
	words = spawn_status(status);
	close_log(run, words);
	free(words);
	buffer_free(&report);
	free(name);
	clear_up(run);
}

/* NULL: nothing to do. A second ^C does not wait for the grace. */
static void (*const life[ENDED][EVENTS])(struct run *) = {
	/*                ON_TURN   ON_STOP      ON_DEADLINE   ON_EXIT  ON_NOBODY_LEFT */
	[WAITING]     = { start,    give_up,     NULL,         NULL,    NULL    },
	[RUNNING]     = { NULL,     interrupt,   time_out,     finish,  NULL    },
	[INTERRUPTED] = { NULL,     terminate,   terminate,    finish,  NULL    },
	[TERMINATED]  = { NULL,     murder,      murder,       finish,  NULL    },
	[KILLED]      = { NULL,     NULL,        murder,       finish,  NULL    },
	[CLEARING]    = { NULL,     clear,       clear,        NULL,    give_up },
};

static void
happen(struct run *run, enum event event)
{
	if (run->state != ENDED && life[run->state][event])
		life[run->state][event](run);
}

static bool
child_has_exited(const struct run *run)
{
	siginfo_t info = { 0 };

	return run->pid > 0 && run->state < CLEARING &&
	       waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == run->pid;
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
	    run->follower ? joblog_follower_timeout(run->follower) : -1;

	return sooner(sooner(timeout, run->deadline), run->slow);
}

/* What the clock brings. */
static void
look_at_clock(struct run *run)
{
	double now = clock_monotonic();

	if (run->slow != 0 && now >= run->slow) {
		run->slow = 0;
		if (run->state == RUNNING)
			screen_slow(run->options->target, now - run->begun, run->log);
	}
	if (run->deadline != 0 && now >= run->deadline)
		happen(run, ON_DEADLINE);
}

/* What has ended: the session, or what it has left. */
static void
look_at_children(struct run *run)
{
	if (child_has_exited(run))
		happen(run, ON_EXIT);
	if (run->state == CLEARING && !brood_is_left(run->brood, 0))
		happen(run, ON_NOBODY_LEFT);
}

static void
live_through(struct run *run)
{
	run->state = WAITING;
	if (turn_try(run->turn))
		happen(run, ON_TURN);
	while (run->state != ENDED) {
		struct pollfd fds[3 + TURN_FDS] = {
			{ .fd = run->signals, .events = POLLIN },
			{ .fd = run->follower ? joblog_follower_fd(run->follower) : -1,
			    .events = POLLIN },
			{ .fd = run->state == RUNNING ? bridge_fd(run->bridge) : -1,
			    .events = POLLIN },
		};
		nfds_t watched = 3;
		int signal;

		if (run->state == WAITING) {
			turn_poll(run->turn, fds + watched);
			watched += TURN_FDS;
		}
		if (poll(fds, watched, poll_timeout(run)) < 0 && errno != EINTR)
			err(EXIT_HELPER, "poll");
		while ((signal = sig_next(run->signals))) {
			if (signal == SIGCHLD)
				continue;
			run->stopped_by = signal;
			happen(run, ON_STOP);
		}
		if (run->follower)
			joblog_follower_copy(run->follower);
		if (run->state == WAITING && turn_try(run->turn))
			happen(run, ON_TURN);
		if (run->state == RUNNING)
			run->record.client = bridge_has_client(run->bridge, run->pid);
		look_at_children(run);
		look_at_clock(run);
	}
	run->record.waits = turn_waits(run->turn);
	if (run->timed_out) {
		char *limit = screen_duration(option(run, "timeout"));

		set_verdict(run, FAILED, xasprintf("timeout after %s", limit));
		free(limit);
	}
	if (run->stopped_by)
		set_verdict(run, CANCELLED, xasprintf("SIG%s", sigabbrev_np(run->stopped_by)));
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
		.makeflags = getenv("MAKEFLAGS"),
		.jobs = run->options->jobs,
		.least = jobs ? (unsigned)json_integer_value(json_array_get(jobs, 0)) : 1,
		.most = jobs ? (unsigned)json_integer_value(json_array_get(jobs, 1)) : 1 };

	/* Where we count the slots we also say who is first. */
	if (budget_read(turn.makeflags, turn.jobs).unlimited)
		turn.rank = order_rank(run->project, run->options->target);
	run->turn = turn_open(&turn);
	if (!run->turn)
		set_verdict(run, FAILED, xstrdup("it cannot wait for its turn"));
	return run->turn != NULL;
}

static void
close_run(struct run *run)
{
	record_clear(&run->record);
	bridge_close(run->bridge);
	brood_close(run->brood);
	turn_close(run->turn);
	json_decref(run->session);
	planfile_close(run->plan);
	if (run->signals >= 0)
		close(run->signals);
	if (run->dir >= 0)
		close(run->dir);
	if (run->project >= 0)
		close(run->project);
}

int
run_session(const struct run_options *options)
{
	struct run run = { .options = options, .project = -1, .dir = -1, .log = -1, .signals = -1 };
	int turn = open_run(&run);

	if (turn == 1) {
		run.signals = sig_open();
		run.record = (struct record){ .exit = -1, .signal = -1, .client = -1,
			.started = clock_now() };
		run.record.target = xstrdup(options->target);
		run.record.cue = options->cue ? xstrdup(options->cue) : NULL;
		run.record.session = xstrdup(text(run.session, "session"));
		if (json_is_string(json_object_get(run.session, "complaint")))
			set_verdict(&run, FAILED, xstrdup(text(run.session, "complaint")));
		else if (prerequisites_passed(&run) && open_turn(&run))
			live_through(&run);
		run.record.ended = clock_now();
		/* A lost record is said there; the goal then finds none and fails. */
		(void)!record_write(run.dir, &run.record);
		/* One that was shown while it ran ends in the summary right below. */
		if (!run.record.live)
			screen_ended(&run.record);
	}
	close_run(&run);
	return turn < 0 ? EXIT_HELPER : 0;
}
