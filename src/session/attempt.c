#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/spawn.h"
#include "nox/command.h"
#include "nox/verdict.h"
#include "output/joblog.h"
#include "output/relay.h"
#include "output/screen.h"
#include "session/attempt.h"
#include "session/keeper.h"
#include "session/leftover.h"
#include "slots/clients.h"
#include "slots/toolenv.h"
#include "state/rundir.h"

struct attempt {
	struct attempt_options o;
	struct toolenv *toolenv; /* NULL: its tools are on their own */
	struct clients *clients; /* NULL: none of them can be one */
	struct leftover *brood;
	struct keeper *keeper;
	struct mask *mask;
	struct relay *relay;   /* NULL: it writes into the log itself */
	struct joblog_follower *follower;
	int log;
	char *status;          /* the log's last line */
	double begun;
	bool over;             /* the session's own process is */
};

static const json_t *
option(const struct attempt *attempt, const char *key)
{
	return json_object_get(json_object_get(attempt->o.session, "options"), key);
}

/* Absolute, since nox takes a relative path from the noxfile's folder. The caller frees. */
static char *
report_path(const struct attempt_options *o)
{
	char link[64], folder[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", o->dir);
	n = readlink(link, folder, sizeof(folder) - 1);
	folder[n < 0 ? 0 : n] = '\0';
	return xasprintf("%s/.%s.report", folder, o->target);
}

/* What the session is. The report's path is the caller's to free, and the command to clear. */
static struct command
make_command(struct attempt *attempt, char **report)
{
	json_t *notified = record_notified_posargs(attempt->o.dir, attempt->o.target), *item;
	struct strings posargs = { 0 };
	struct command command;
	size_t i;

	json_array_foreach(notified, i, item)
		strings_add(&posargs, json_is_string(item) ? json_string_value(item) : "");
	for (char *const *arg = attempt->o.posargs; !notified && *arg; arg++)
		strings_add(&posargs, *arg);
	*report = report_path(&attempt->o);
	if (!json_is_false(option(attempt, "budget")))
		attempt->toolenv = toolenv_open(attempt->o.slot, attempt->o.makeflags,
		    attempt->o.share);
	if (attempt->toolenv)
		attempt->clients = clients_open(attempt->o.slot);
	command = command_make(attempt->o.plan, attempt->o.session, attempt->o.share, *report,
	    &posargs, toolenv_variables(attempt->toolenv));
	/* The command has copies of all but the words of posargs. */
	json_array_append_new(command.owner, notified ? notified : json_null());
	free(posargs.v);
	return command;
}

/* The plan's header says which secrets must not be written, and how much may be. */
static void
open_log(struct attempt *attempt, const struct command *command)
{
	const json_t *header = planfile_header(attempt->o.plan), *item;
	struct record *record = attempt->o.record;
	struct strings patterns = { 0 };
	size_t i;

	json_array_foreach(json_object_get(header, "mask"), i, item)
		strings_add(&patterns, json_string_value(item));
	attempt->mask = mask_open(&patterns, command->envp);
	attempt->log = joblog_open(attempt->o.dir, attempt->o.target, command->argv,
	    attempt->mask);
	record->logged = attempt->log >= 0;
	if (attempt->o.live && attempt->log >= 0)
		attempt->follower = joblog_follower_open(attempt->log);
	record->live = attempt->follower != NULL;
	attempt->relay = relay_open(attempt->log, attempt->mask,
	    json_integer_value(json_object_get(header, "log_limit")));
	if (!attempt->relay) {
		warn("%s: a full disk would fail it: pipe", attempt->o.target);
		fcntl(attempt->log, F_SETFL, O_APPEND); /* its processes and we write there */
	}
	free(patterns.v);
}

void
attempt_close_log(struct attempt *attempt)
{
	long long lost = relay_close(attempt->relay);

	if (lost > 0)
		warn("%s.log: %lld bytes of it are lost", attempt->o.target, lost);
	attempt->relay = NULL;
	joblog_follower_close(attempt->follower);
	attempt->follower = NULL;
	if (attempt->log >= 0)
		joblog_close(attempt->log, attempt->o.target,
		    attempt->status ? attempt->status : "not started");
	attempt->log = -1;
}

static void
let_go(void *data)
{
	const struct attempt *attempt = data;

	attempt->o.forked(attempt->o.data);
}

/* In the keeper, whose parent was killed. */
static void
report_orphan(void *data)
{
	struct attempt *attempt = data;
	struct record *record = attempt->o.record;

	record->verdict = CANCELLED;
	free(record->reason);
	record->reason = xstrdup("its helper was killed");
	record->ended = clock_now();
	record->duration = clock_monotonic() - attempt->begun;
	if (attempt->log >= 0) {
		lseek(attempt->log, 0, SEEK_END);
		joblog_close(attempt->log, attempt->o.target,
		    "its helper was killed, and the last it wrote may be lost");
	}
	(void)!record_write(attempt->o.dir, record);
	screen_ended(record);
}

struct attempt *
attempt_start(const struct attempt_options *options)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	struct keeper_task task = { .forked = let_go, .orphaned = report_orphan, .data = attempt };
	struct command command;
	char *report;

	*attempt = (struct attempt){ .o = *options, .log = -1 };
	command = make_command(attempt, &report);
	/* Left by a helper that was killed, it would be believed. */
	unlink(report);
	free(report);
	open_log(attempt, &command);
	task.argv = command.argv;
	task.envp = command.envp;
	/* A log that cannot be written is said and costs the log, not the session. */
	task.out = attempt->relay ? relay_end(attempt->relay) :
	    attempt->log >= 0 ? attempt->log : STDERR_FILENO;
	/* Whatever is our child by now, a guard, is none of the session's. */
	attempt->brood = leftover_open();
	attempt->begun = clock_monotonic();
	options->record->started = clock_now();
	attempt->keeper = keeper_start(&task);
	if (!attempt->keeper) {
		options->record->verdict = FAILED;
		free(options->record->reason);
		options->record->reason = xasprintf("cannot start %s: %s", command.argv[0],
		    strerror(errno));
	}
	command_clear(&command);
	if (attempt->keeper)
		return attempt;
	attempt_close_log(attempt);
	attempt_free(attempt);
	return NULL;
}

void
attempt_free(struct attempt *attempt)
{
	if (!attempt)
		return;
	relay_close(attempt->relay);
	mask_close(attempt->mask);
	toolenv_close(attempt->toolenv);
	clients_close(attempt->clients);
	leftover_close(attempt->brood);
	keeper_close(attempt->keeper);
	free(attempt->status);
	free(attempt);
}

void
attempt_poll(const struct attempt *attempt, struct pollfd fds[ATTEMPT_FDS])
{
	fds[0] = (struct pollfd){ .fd = attempt->relay ? relay_fd(attempt->relay) : -1,
		.events = POLLIN };
	fds[1] = (struct pollfd){ .fd = attempt->follower ?
					    joblog_follower_fd(attempt->follower) : -1,
		.events = POLLIN };
	fds[2] = (struct pollfd){ .fd = attempt->over ? -1 : clients_fd(attempt->clients),
		.events = POLLIN };
}

int
attempt_timeout(const struct attempt *attempt)
{
	return attempt->follower ? joblog_follower_timeout(attempt->follower) : -1;
}

void
attempt_look(struct attempt *attempt)
{
	if (attempt->relay)
		relay_copy(attempt->relay);
	if (attempt->follower)
		joblog_follower_copy(attempt->follower);
	if (!attempt->over)
		attempt->o.record->client = clients_found(attempt->clients,
		    keeper_pid(attempt->keeper));
}

void
attempt_signal(struct attempt *attempt, int signal)
{
	kill(-keeper_pid(attempt->keeper), signal);
	kill(-keeper_pid(attempt->keeper), SIGCONT);
}

void
attempt_pause(struct attempt *attempt, bool pause)
{
	struct indices all = { 0 };

	if (attempt->over)
		return;
	process_descendants(keeper_pid(attempt->keeper), &all);
	for (size_t i = 0; i < all.n; i++)
		kill((pid_t)all.v[i], pause ? SIGSTOP : SIGCONT);
	free(all.v);
}

void
attempt_shift(struct attempt *attempt, double seconds)
{
	attempt->begun += seconds;
}

int
attempt_log(const struct attempt *attempt)
{
	return attempt->log;
}

bool
attempt_has_ended(const struct attempt *attempt)
{
	return !attempt->over && keeper_has_ended(attempt->keeper);
}

static double
seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The report says how the session itself ended. It stays until the run's folder goes. */
void
attempt_judge(struct attempt *attempt, bool killed)
{
	char *name = xasprintf(".%s.report", attempt->o.target);
	struct record *record = attempt->o.record;
	struct buffer report = { 0 };
	struct rusage usage = { 0 };
	int status;

	/*
	 * The dead keeper keeps its group's number ours until it is reaped, so what is left of a
	 * stopped session can be killed without hitting a stranger.
	 */
	if (killed)
		kill(-keeper_pid(attempt->keeper), SIGKILL);
	status = keeper_wait(attempt->keeper, &usage);
	attempt->over = true;
	record->cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	record->duration = clock_monotonic() - attempt->begun;
	if (file_read(attempt->o.dir, name, &report) < 0 && errno != ENOENT)
		warn("%s", name);
	verdict_judge(record, status, &report, attempt->o.plan);
	attempt->status = spawn_status(status);
	record->reason = mask_text(attempt->mask, record->reason);
	if (attempt->mask)
		unlinkat(attempt->o.dir, name, 0); /* it may tell them, too */
	buffer_free(&report);
	free(name);
}

bool
attempt_has_left(struct attempt *attempt)
{
	char *safe;

	if (!strcmp(json_text(json_object_get(attempt->o.session, "options"), "leaks"), "allow") ||
	    !leftover_is_left(attempt->brood, 0))
		return false;
	free(attempt->o.record->left);
	attempt->o.record->left = mask_text(attempt->mask, leftover_names(attempt->brood));
	safe = screen_safe(attempt->o.record->left);
	warnx("%s left a process running: %s", attempt->o.target, safe);
	free(safe);
	return true;
}

bool
attempt_is_cleared(struct attempt *attempt)
{
	return !leftover_is_left(attempt->brood, 0);
}

void
attempt_signal_left(struct attempt *attempt, int signal)
{
	leftover_signal(attempt->brood, signal);
}
