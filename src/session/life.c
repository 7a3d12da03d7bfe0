#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/outlet.h"
#include "base/process.h"
#include "base/sig.h"
#include "session/heartbeat.h"
#include "session/life.h"
#include "session/outcome.h"
#include "session/stops.h"
#include "session/tell.h"
#include "state/policy.h"
#include "state/runtime.h"

/* Seconds from INT to TERM and from TERM to KILL; nox itself needs half a second to give up. */
#define GRACE 3.0

/* Seconds from TERM to KILL for what the session has left behind, and from KILL to the next one. */
#define GRACE_OF_LEFTOVER 1.0
#define KILL_AGAIN 0.1

/* Seconds from the first KILL on, after which what does not end is given up (attempt.h). */
#define GIVE_UP 2.0

/* In a hurry (stops.h): seconds between the session's signals, and from that stop to giving up. */
#define HURRY 0.2
#define LAST 0.6

/*
 * Seconds between two checks of what may end the run without a signal. Of those that wait there may
 * be thousands, and what they wait for ends earlier; they check when it is their turn, too.
 */
#define CHECK_EVERY 0.5
#define WAITING_CHECK_EVERY 5.0

/* Seconds before the second attempt; the pause doubles before each further one, up to a limit. */
#define BACKOFF_FIRST 0.5
#define BACKOFF_MOST 30.0

/* Seconds between two looks whether the slot is back that an attempt needs. */
#define SETTLE_AGAIN 0.05

/* The table `actions` below says what happens when an event comes in a phase. */
enum phase { WAITING = NOW_WAITS, RUNNING = NOW_RUNS, HELD_UP = NOW_HELD_UP,
	INTERRUPTED = NOW_INTERRUPTED, TERMINATED = NOW_TERMINATED, KILLED = NOW_KILLED,
	CLEARING = NOW_CLEARS, BACKOFF = NOW_PAUSES, ENDED = NOW_ENDED };
enum event { ON_TURN, ON_STOP, ON_DEADLINE, ON_LAST, ON_EXIT, ON_NOBODY_LEFT, ON_HOLD, ON_GO,
	EVENTS };

/* All times are monotonic seconds; 0 stands for never. */
struct life {
	const struct life_options *o;
	struct mask *mask;       /* of all attempts; NULL before the first one */
	struct attempt *attempt; /* NULL before the first one and between two */
	enum phase phase;
	double deadline;         /* of the phase */
	double last;             /* when to give up what has not ended by then */
	double slow;             /* when to say that the session is slow; 0 once that is said */
	double next_check, held_up; /* held_up: when the session was */
	struct stops stops;      /* whether it was asked to end, and why */
	bool signalled, timed_out, judged; /* judged: the attempt's verdict is on record */
	bool failed;             /* and another attempt may follow */
	bool wait_shown;         /* it was said for whom the session waits */
};

/* Tells those who look on what the session does now; what it waits for, or "". */
static void
note_now(const struct life *life, const char *what)
{
	if (life->attempt)
		now_begun(life->o->now, attempt_begun(life->attempt),
		    slot_count(turn_slot(life->o->turn)));
	now_enter(life->o->now, (enum now_phase)life->phase, what);
}

/* When the attempt is that old. */
static double
age(const struct life *life, double seconds)
{
	return seconds > 0 ? attempt_begun(life->attempt) + seconds : 0;
}

static void
start(struct life *life)
{
	life->timed_out = false;
	life->deadline = life->last = 0;
	life->attempt = attempt_start(life->o->attempt, &life->mask);
	if (!life->attempt) {
		life->phase = ENDED;
		return;
	}
	life->phase = RUNNING;
	life->deadline = age(life, life->o->timeout);
	life->slow = age(life, life->o->slow);
	note_now(life, "");
}

/* The session waits for the answer to what it has asked. Its clocks stand still. */
static void
hold_up(struct life *life)
{
	life->phase = HELD_UP;
	life->held_up = clock_monotonic();
	note_now(life, passage_awaits(life->o->passage));
	ask_hold(attempt_ask(life->attempt));
	if (turn_guard(life->o->turn) > 0)
		attempt_ignore(life->attempt, turn_guard(life->o->turn));
}

static void
shift(struct life *life, double seconds)
{
	double *const times[] = { &life->deadline, &life->last, &life->slow };

	for (size_t i = 0; i < countof(times); i++)
		if (*times[i] != 0)
			*times[i] += seconds;
}

static void
go_on(struct life *life)
{
	double seconds = clock_monotonic() - life->held_up;

	passage_give_up(life->o->passage);
	attempt_waited(life->attempt, seconds);
	shift(life, seconds);
	life->phase = RUNNING;
	note_now(life, "");
}

static void
signal_session(struct life *life, int signal, enum phase next)
{
	attempt_signal(life->attempt, signal);
	life->phase = next;
	life->deadline = clock_monotonic() + (life->stops.hurried ? HURRY : GRACE);
	note_now(life, "");
}

/* From the first KILL on that is the end, unless an earlier one was set. */
static void
begin_to_give_up(struct life *life)
{
	if (life->last == 0)
		life->last = clock_monotonic() + GIVE_UP;
}

static void
interrupt(struct life *life)
{
	signal_session(life, SIGINT, INTERRUPTED);
}

static void
time_out(struct life *life)
{
	life->timed_out = true;
	interrupt(life);
}

static void
terminate(struct life *life)
{
	signal_session(life, SIGTERM, TERMINATED);
}

static void
kill_session(struct life *life)
{
	signal_session(life, SIGKILL, KILLED);
	begin_to_give_up(life);
}

static void
kill_leftover(struct life *life)
{
	attempt_signal_left(life->attempt, SIGKILL);
	life->deadline = clock_monotonic() + KILL_AGAIN;
	begin_to_give_up(life);
}

static void
stop_waiting(struct life *life)
{
	life->phase = ENDED;
}

static void
retry(struct life *life)
{
	const struct record *record = life->o->attempt->record;
	double pause = BACKOFF_FIRST;

	life->judged = false;
	attempt_set_aside(life->attempt);
	attempt_free(life->attempt);
	life->attempt = NULL;
	for (size_t i = 1; i < json_array_size(record->attempts) && pause < BACKOFF_MOST; i++)
		pause *= 2;
	tell_retries(life->o->attempt, pause);
	life->phase = BACKOFF;
	note_now(life, "");
	life->deadline = clock_monotonic() + (pause < BACKOFF_MOST ? pause : BACKOFF_MOST);
}

/* An attempt has a slot. What was lent in the last one may not have come back yet. */
static void
start_again(struct life *life)
{
	if (turn_settle(life->o->turn))
		start(life);
	else
		life->deadline = clock_monotonic() + SETTLE_AGAIN;
}

/* Nothing of this attempt runs any more. */
static void
end_attempt(struct life *life)
{
	const struct record *record = life->o->attempt->record;

	passage_rest(life->o->passage);
	attempt_close_log(life->attempt);
	if (life->failed && !life->stops.why &&
	    json_array_size(record->attempts) < life->o->retries)
		retry(life);
	else
		life->phase = ENDED;
}

/* ^C at a terminal of the session's own has reached nobody else; make has to end, too. */
static void
interrupt_make(struct life *life)
{
	stops_expect(&life->stops, SIGINT);
	life->signalled = true;
	kill(0, SIGINT);
}

static void
take_verdict(struct life *life)
{
	attempt_judge(life->attempt, life->phase != RUNNING);
	if (life->timed_out)
		outcome_timed_out(life->o->attempt->record, life->o->timeout);
	else if (attempt_was_interrupted(life->attempt))
		interrupt_make(life);
	life->slow = 0;
}

static void
write_verdict(struct life *life)
{
	life->judged = true;
	life->o->attempt->judged(life->o->attempt->data, life->stops.why);
}

/*
 * The session's own process has ended, but maybe not all that it has started. Its verdict goes on
 * record first: whatever happens to us from here on, it is not lost.
 */
static void
judge(struct life *life)
{
	const struct record *record = life->o->attempt->record;
	bool left;

	take_verdict(life);
	left = attempt_has_left(life->attempt);
	life->failed = !record->gone && (record->verdict == FAILED || record->verdict == ABORTED);
	write_verdict(life);
	if (!left) {
		end_attempt(life);
		return;
	}
	life->phase = CLEARING;
	note_now(life, "");
	if (life->stops.hurried) {
		kill_leftover(life);
		return;
	}
	attempt_signal_left(life->attempt, SIGTERM);
	life->deadline = clock_monotonic() + GRACE_OF_LEFTOVER;
	life->last = 0;
}

/* What has not ended by now is left; the run goes on. */
static void
give_up_leftover(struct life *life)
{
	attempt_give_up(life->attempt);
	end_attempt(life);
}

/* Not even the session's own process has ended, so there is no further attempt. */
static void
give_up(struct life *life)
{
	attempt_signal(life->attempt, SIGKILL);
	take_verdict(life);
	attempt_give_up(life->attempt);
	write_verdict(life);
	end_attempt(life);
}

static void
interrupt_held_up(struct life *life)
{
	go_on(life);
	interrupt(life);
}

static void
judge_held_up(struct life *life)
{
	go_on(life);
	judge(life);
}

/* Other events mean nothing in that phase. A second ^C does not wait for the graces. */
static void (*const actions[ENDED][EVENTS])(struct life *) = {
	[WAITING] = { [ON_TURN] = start, [ON_STOP] = stop_waiting },
	[RUNNING] = { [ON_HOLD] = hold_up, [ON_STOP] = interrupt, [ON_DEADLINE] = time_out,
		[ON_EXIT] = judge },
	[HELD_UP] = { [ON_GO] = go_on, [ON_STOP] = interrupt_held_up, [ON_EXIT] = judge_held_up },
	[INTERRUPTED] = { [ON_STOP] = terminate, [ON_DEADLINE] = terminate, [ON_LAST] = give_up,
		[ON_EXIT] = judge },
	[TERMINATED] = { [ON_STOP] = kill_session, [ON_DEADLINE] = kill_session,
		[ON_LAST] = give_up, [ON_EXIT] = judge },
	[KILLED] = { [ON_DEADLINE] = kill_session, [ON_LAST] = give_up, [ON_EXIT] = judge },
	[CLEARING] = { [ON_STOP] = kill_leftover, [ON_DEADLINE] = kill_leftover,
		[ON_LAST] = give_up_leftover, [ON_NOBODY_LEFT] = end_attempt },
	[BACKOFF] = { [ON_STOP] = stop_waiting, [ON_DEADLINE] = start_again },
};

static void
act_on(struct life *life, enum event event)
{
	if (life->phase != ENDED && actions[life->phase][event])
		actions[life->phase][event](life);
}

/* Takes over why. signal: the one that this came by, or 0. */
static void
stop(struct life *life, char *why, int signal)
{
	double last;

	if (!stops_add(&life->stops, why, signal))
		return;
	last = clock_monotonic() + LAST;
	if (life->stops.hurried && (life->last == 0 || life->last > last))
		life->last = last;
	act_on(life, ON_STOP);
}

/*
 * After ^Z neither the session nor its clocks notice how long we were stopped. others: make and the
 * rest of the job have not been told.
 */
static void
suspend(struct life *life, bool others)
{
	double since = clock_monotonic(), away;

	drawer_hide(life->o->drawer);
	if (life->attempt)
		attempt_pause(life->attempt);
	/* Ours stays blocked, and CONT discards it. `fg` may come as soon as make has stopped. */
	if (others)
		kill(0, SIGTSTP);
	raise(SIGSTOP);
	away = clock_monotonic() - since;
	shift(life, away);
	life->held_up += away;
	passage_suspended(life->o->passage, away);
	if (life->attempt)
		attempt_resume(life->attempt, away);
	note_now(life, life->phase == HELD_UP ? passage_awaits(life->o->passage) : "");
}

static void
take_signals(struct life *life)
{
	int signal;

	while ((signal = sig_next(life->o->signals))) {
		if (signal == SIGTSTP) {
			suspend(life, false);
		} else if (signal == SIGUSR1) {
			drawer_tell(life->o->drawer);
		} else if (signal == SIGTERM && parent_stopped_by(life->o->parent) == SIGKILL) {
			stop(life, xstrdup("make was killed"), signal);
		} else if (signal != SIGCHLD) {
			life->signalled = true;
			stop(life, xasprintf("SIG%s", sigabbrev_np(signal)), signal);
		}
	}
}

/* When to look for these reasons again: at the end of the run in any case. */
static void
plan_check(struct life *life)
{
	double now = clock_monotonic(), ends = life->o->run_ends;

	life->next_check = now + (life->phase == WAITING ? WAITING_CHECK_EVERY : CHECK_EVERY);
	if (ends > now && ends < life->next_check)
		life->next_check = ends;
}

/* Some reasons to end come without a signal to us. */
static void
check_stops(struct life *life)
{
	int signal = parent_stopped_by(life->o->parent);
	bool cancel = false;
	char *why;

	runtime_stand_in(life->o->attempt->runtime, life->o->attempt->rundir);
	turn_keep(life->o->turn);
	heartbeat_look(life->o->heartbeat, life->o->attempt->plan);
	/* Keeper and guard have nothing to be stopped for. */
	process_wake_children();
	/* Who stops make may stop us as well: that is one stop. */
	if (signal != 0 && !life->stops.why)
		stop(life, signal == SIGKILL ? xstrdup("make was killed") :
		    xasprintf("SIG%s to make", sigabbrev_np(signal)), 0);
	if (!life->stops.why && (why = policy_stop_reason(life->o->attempt->rundir, &cancel))) {
		if (cancel || life->phase == WAITING)
			stop(life, why, 0);
		else
			free(why);
	}
	if (!life->stops.why && life->o->run_ends != 0 && clock_monotonic() >= life->o->run_ends)
		stop(life, xstrdup("the run's time is over (NOXMK_DEADLINE)"), 0);
	plan_check(life);
}

static void
check_clocks(struct life *life)
{
	double now = clock_monotonic();

	if (now >= life->next_check)
		check_stops(life);
	/* While the session is held up both stand still. */
	if (life->phase == HELD_UP)
		return;
	if (life->slow != 0 && now >= life->slow) {
		life->slow = 0;
		if (life->phase == RUNNING)
			tell_slow(life->o->attempt, now - attempt_begun(life->attempt),
			    attempt_log(life->attempt));
	}
	if (life->deadline != 0 && now >= life->deadline)
		act_on(life, ON_DEADLINE);
	if (life->last != 0 && now >= life->last)
		act_on(life, ON_LAST);
}

/* The first one in the way is shown, since the session may wait for long. */
static void
check_turn(struct life *life)
{
	const char *refusal;
	const json_t *blocker;

	if (life->phase != WAITING)
		return;
	if (!turn_refusal(life->o->turn) && turn_try(life->o->turn)) {
		check_stops(life);
		act_on(life, ON_TURN);
		plan_check(life);
	} else if ((refusal = turn_refusal(life->o->turn))) {
		record_decide(life->o->attempt->record, FAILED, xstrdup(refusal));
		life->phase = ENDED;
	} else {
		note_now(life, turn_awaits(life->o->turn));
		if (!life->wait_shown && (blocker = turn_blocker(life->o->turn))) {
			life->wait_shown = true;
			tell_waits(life->o->attempt, blocker);
		}
	}
}

/* What it asks is answered at once, or later. One that is to end, or has gone, does not wait. */
static void
check_questions(struct life *life)
{
	struct ask_question question;
	unsigned told = 0;

	if (life->phase == HELD_UP && passage_try(life->o->passage, &told)) {
		act_on(life, ON_GO);
		ask_answer(attempt_ask(life->attempt), told);
	}
	if (life->attempt && ask_next(attempt_ask(life->attempt), &question)) {
		if (question.kind == ASK_BUILT)
			passage_built(life->o->passage);
		else if (question.kind == ASK_UNREPORTED)
			attempt_unreported(life->attempt, question.name);
		else if (life->phase == RUNNING &&
			 !passage_ask(life->o->passage, &question, &told))
			act_on(life, ON_HOLD);
		else
			ask_answer(attempt_ask(life->attempt), told);
	}
	if (life->phase == HELD_UP && ask_fd(attempt_ask(life->attempt)) < 0)
		act_on(life, ON_GO);
	(void)turn_settle(life->o->turn);
}

/* Has the session ended, or the last process that it has left behind? */
static void
check_processes(struct life *life)
{
	if (life->attempt && life->phase < CLEARING && attempt_has_ended(life->attempt))
		act_on(life, ON_EXIT);
	if (life->phase == CLEARING && attempt_is_cleared(life->attempt))
		act_on(life, ON_NOBODY_LEFT);
}

/* Sleeps until something may have happened. */
static void
wait_for_events(const struct life *life)
{
	struct pollfd fds[3 + OUTLETS + TURN_FDS + ATTEMPT_FDS] = {
		{ .fd = life->o->signals, .events = POLLIN },
		{ .fd = turn_settle_fd(life->o->turn), .events = POLLIN },
		{ .fd = -1, .events = POLLIN } };
	int timeout = -1;
	nfds_t n = 3 + OUTLETS;

	outlet_poll(fds + 3);
	if (life->phase == WAITING) {
		turn_poll(life->o->turn, fds + n);
		n += TURN_FDS;
		timeout = turn_timeout(life->o->turn);
	} else if (life->attempt) {
		attempt_poll(life->attempt, fds + n);
		n += ATTEMPT_FDS;
		timeout = attempt_timeout(life->attempt);
	}
	if (life->phase == HELD_UP) {
		fds[2].fd = passage_fd(life->o->passage);
		timeout = clock_earlier(timeout, passage_timeout(life->o->passage));
	} else {
		timeout = clock_until(life->slow, clock_until(life->deadline, timeout));
		timeout = clock_until(life->last, timeout);
	}
	timeout = clock_earlier(timeout, turn_settle_timeout(life->o->turn));
	timeout = clock_until(life->next_check, timeout);
	timeout = clock_until(drawer_due(life->o->drawer), timeout);
	if (poll(fds, n, timeout) < 0 && errno != EINTR)
		err(EXIT_HELPER, "poll");
	outlet_flush();
}

struct life_end
life_lead(const struct life_options *options)
{
	struct life life = { .o = options, .phase = WAITING };
	struct life_end end;

	plan_check(&life);
	check_turn(&life);
	while (life.phase != ENDED) {
		wait_for_events(&life);
		take_signals(&life);
		if (life.attempt) {
			attempt_look(life.attempt);
			passage_see(options->passage, attempt_sampler(life.attempt));
		}
		if (life.attempt && attempt_suspends(life.attempt))
			suspend(&life, true);
		check_turn(&life);
		check_questions(&life);
		check_processes(&life);
		check_clocks(&life);
		drawer_look(options->drawer, life.phase != WAITING && !life.stops.why);
	}
	stops_end(&life.stops);
	end = (struct life_end){ .stopped = life.stops.why, .signalled = life.signalled,
		.judged = life.judged,
		.tried = life.attempt || options->attempt->record->attempts };
	attempt_free(life.attempt);
	mask_close(life.mask);
	return end;
}
