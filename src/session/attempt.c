#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/keeper.h"
#include "base/process.h"
#include "base/spawn.h"
#include "nox/command.h"
#include "nox/noxreport.h"
#include "nox/steps.h"
#include "nox/verdict.h"
#include "output/ci.h"
#include "output/joblog.h"
#include "output/relay.h"
#include "output/screen.h"
#include "session/attempt.h"
#include "session/leftover.h"
#include "session/outcome.h"
#include "session/posargs.h"
#include "session/tracing.h"
#include "slots/sampler.h"
#include "slots/toolenv.h"
#include "state/bounds.h"
#include "state/presence.h"
#include "state/runtime.h"
#include "trace/tracer.h"

/* Milliseconds between two looks at a log that the session writes itself. */
enum { LOOK_EVERY = 100 };

/* So much of what a session has said at its end is listened to: it may write without end. */
enum { LAST_WORDS = 64 };

struct attempt {
	struct attempt_options o;
	struct options session_options; /* what the plan sets for it */
	struct toolenv *toolenv; /* NULL: the tools inside know of no job slots */
	struct leftover *leftover;
	struct keeper *keeper;
	struct tracer *tracer;   /* NULL: nobody wants a trace */
	struct ask *ask;         /* NULL: it cannot ask */
	struct sampler *sampler; /* NULL before its start */
	int presence;            /* see presence.h */
	int reports;             /* the folder of nox's report; -1: it has none yet */
	struct buffer report;    /* its text, once the session is judged */
	struct mask *mask;       /* the caller's */
	struct relay *relay;     /* NULL: the session writes into the log itself */
	struct joblog_follower *follower;
	struct terminal *terminal; /* NULL: the session has none */
	int log;                 /* -1: there is none */
	char *status;            /* for the log's last line; NULL: it was not started */
	double begun;
	char *unreported;        /* the result that nox's report lacks, or NULL */
	bool judged;             /* the session's own process has ended, or is given up */
};

/* Which the session cannot have removed. */
static int
safe_folder(const struct attempt_options *options)
{
	return options->runtime >= 0 ? options->runtime : options->rundir;
}

/* Where nox writes its report: there, or beside the record if only that has room for it. */
static int
find_room(const struct attempt_options *options)
{
	int folder = safe_folder(options);

	if (noxreport_reserve(folder, options->target) < 0 && fd_is_full(errno) &&
	    noxreport_reserve(options->rundir, options->target) == 0)
		return options->rundir;
	return folder;
}

/* What the session runs. It has copies of all strings but the words of posargs. */
static struct command
make_command(const struct attempt *attempt, const struct strings *posargs)
{
	char *report = noxreport_path(attempt->reports, attempt->o.target);
	struct command command;

	command = command_make(attempt->o.plan, attempt->o.session, &(struct command_options){
	    .share = attempt->o.share, .report = report, .posargs = posargs,
	    .toolenv = toolenv_variables(attempt->toolenv),
	    .interactive = attempt->terminal != NULL,
	    .asks = attempt->ask != NULL, .gated = attempt->o.told > 1 });
	free(report);
	return command;
}

/* The plan's header says which secrets must not be written. */
static struct mask *
make_mask(const json_t *header, const struct command *command)
{
	struct secrets secrets = secrets_of(header);
	struct mask *mask = mask_open(&secrets, command->envp);

	secrets_clear(&secrets);
	return mask;
}

/* The session prints a command to the CI. What is shown while it comes has its annotations. */
static void
found_command(void *data, bool is_annotation, const char *line, size_t n)
{
	static const char *const kinds[] = { "::error", "::warning" };
	struct attempt *attempt = data;

	for (size_t i = 0; is_annotation && i < countof(kinds); i++)
		attempt->o.record->announced[i] += !strncasecmp(line, kinds[i], strlen(kinds[i]));
	if (is_annotation && attempt->follower)
		return;
	page_begin_line(attempt->o.page);
	joblog_tell_ci(attempt->follower, !is_annotation, line, n);
	page_end_line(attempt->o.page);
}

/* The plan's header says how large a log may grow. */
static void
open_log(struct attempt *attempt, char *const *argv)
{
	const json_t *header = planfile_header(attempt->o.plan);
	enum ci ci = ci_reads(json_string_value(json_object_get(header, "ci_commands")));
	struct commands_options commands = { .mask = attempt->mask, .masks = ci_masks(),
		.annotations = ci == CI_ANNOTATIONS && !attempt->o.recheck, .found = found_command,
		.data = attempt };
	struct record *record = attempt->o.record;

	attempt->log = joblog_open(attempt->o.rundir, attempt->o.target, argv,
	    attempt->mask);
	record->logged = attempt->log >= 0;
	if (attempt->o.live && attempt->log >= 0 && !attempt->terminal)
		attempt->follower = joblog_follower_open(attempt->log,
		    attempt->o.alone ? NULL : attempt->o.target, ci);
	record->live = attempt->follower || attempt->terminal;
	attempt->relay = relay_open(attempt->log, &commands,
	    json_integer_value(json_object_get(header, "log_limit")));
	if (!attempt->relay) {
		warn("%s: a full disk would fail it: pipe", attempt->o.target);
		fcntl(attempt->log, F_SETFL, O_APPEND); /* its processes and we write there */
	}
}

/* Without a log, which was warned of, the output is not lost: it goes to standard error. */
static int
output_of(const struct attempt *attempt)
{
	if (attempt->terminal)
		return terminal_slave(attempt->terminal);
	if (attempt->relay)
		return relay_end(attempt->relay);
	return attempt->log >= 0 ? attempt->log : STDERR_FILENO;
}

/* In the keeper; see keeper.h. */
static void
forked(void *data)
{
	const struct attempt *attempt = data;

	attempt->o.forked(attempt->o.data);
}

/* A log that has been removed while it was written is written anew, where it can be found. */
static void
close_log(struct attempt *attempt, const char *status)
{
	int log = fcntl(attempt->log, F_DUPFD_CLOEXEC, 0);
	char *name = xasprintf("%s.log", attempt->o.target);
	struct stat st;

	joblog_close(attempt->log, attempt->o.target, status, attempt->mask);
	attempt->log = -1;
	runtime_stand_in(attempt->o.runtime, attempt->o.rundir);
	if (log >= 0 && fstat(log, &st) == 0 && st.st_nlink == 0 &&
	    file_copy(log, attempt->o.rundir, name) < 0)
		warn("%s", name);
	fd_close(&log);
	free(name);
}

/* Puts into the record how the session's own process has ended. */
static void
take_end(struct attempt *attempt, const struct keeper_end *end)
{
	struct record *record = attempt->o.record;
	struct buffer *report = &attempt->report;
	struct secrets secrets;

	attempt->judged = true;
	record->cpu = end->cpu;
	record->duration = clock_monotonic() - attempt->begun;
	if (attempt->sampler)
		record->samples = sampler_end(attempt->sampler, end->cpu);
	noxreport_read(attempt->reports, attempt->o.target, report);
	if (attempt->unreported)
		noxreport_stand_in(attempt->unreported, report);
	verdict_judge(record, end->status, report, attempt->o.plan);
	attempt->status = spawn_status(end->status);
	record->reason = bounds_text(mask_text(attempt->mask, record->reason));
	secrets = secrets_of(planfile_header(attempt->o.plan));
	posargs_hide(record, &secrets, attempt->mask);
	steps_hide(record->steps, attempt->mask);
	secrets_clear(&secrets);
}

/*
 * Once the verdict is on record: until then the keeper may have to judge by the report. It stays as
 * long as the run folder, unless it may hold secrets.
 */
static void
put_report_away(const struct attempt *attempt)
{
	bool stays = attempt->report.len > 0 && mask_is_empty(attempt->mask);

	if (!stays || attempt->reports != attempt->o.rundir)
		noxreport_remove(attempt->reports, attempt->o.target);
	if (stays && attempt->reports != attempt->o.rundir)
		noxreport_keep(attempt->o.rundir, attempt->o.target, &attempt->report);
}

static void
record_left(struct attempt *attempt, bool unending)
{
	free(attempt->o.record->left);
	attempt->o.record->left = leftover_tell(attempt->leftover, attempt->o.target,
	    attempt->mask, unending);
}

/* In the keeper, which does what the helper that was killed has not done. */
static void
bereaved(void *data, const struct keeper_end *end)
{
	struct attempt *attempt = data;
	struct record *record = attempt->o.record;

	if (attempt->terminal)
		terminal_restore(attempt->terminal);
	/* The helper may have recorded this attempt's verdict before it was killed. */
	if (record_recall(attempt->o.rundir, record))
		return;
	take_end(attempt, end ? end : &(struct keeper_end){ .status = SIGKILL });
	if (!end)
		outcome_orphaned(record);
	attempt->o.judged(attempt->o.data, NULL);
}

/* In the keeper. */
static void
orphaned(void *data)
{
	struct attempt *attempt = data;
	if (leftover_is_unending(attempt->leftover, getpid())) {
		record_left(attempt, true);
		attempt->o.judged(attempt->o.data, NULL);
	}
	if (attempt->log >= 0) {
		lseek(attempt->log, 0, SEEK_END);
		close_log(attempt, "its helper was killed, and the last it wrote may be lost");
	}
	put_report_away(attempt);
	screen_ended(attempt->o.record);
}

/* make's jobserver, if the tools of the session can be clients of it; -1 otherwise. */
static int
jobserver_of(const struct attempt *attempt)
{
	const struct jobserver *it = attempt->toolenv ? slot_jobserver(attempt->o.slot) : NULL;
	return it ? jobserver_fd(it) : -1;
}

struct attempt *
attempt_start(const struct attempt_options *options, struct mask **mask)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	struct keeper_task task = { .forked = forked, .bereaved = bereaved, .orphaned = orphaned,
		.data = attempt };
	struct strings posargs = posargs_open(options->rundir,
	    json_text(options->session, "target"), options->posargs);
	struct command command;

	*attempt = (struct attempt){ .o = *options, .log = -1, .reports = -1,
		.session_options = options_of(options->session),
		.presence = presence_begin(options->key, options->target) };
	if (attempt->session_options.budget != BUDGET_NONE)
		attempt->toolenv = toolenv_open(&(struct toolenv_options){ .slot = options->slot,
		    .makeflags = options->makeflags, .told = options->told,
		    .only = options->only, .folder = safe_folder(options),
		    .share = options->share });
	options->record->slots = slot_count(options->slot);
	toolenv_note(attempt->toolenv, options->told, options->record);
	runtime_stand_in(options->runtime, options->rundir);
	if (record_reserve(options->rundir, options->target) < 0 && fd_is_full(errno)) {
		outcome_no_room(options->record, errno);
		attempt_free(attempt);
		return NULL;
	}
	attempt->reports = find_room(options);
	/* A CI's page is no place for raw output, even if the CI has a terminal. */
	if (options->at_terminal && ci_reads("none") == CI_NONE)
		attempt->terminal = terminal_open();
	/* Only shim.py asks. */
	if (json_string_value(json_object_get(planfile_header(options->plan), "python")))
		attempt->ask = ask_open();
	command = make_command(attempt, &posargs);
	*mask = *mask ? *mask : make_mask(planfile_header(options->plan), &command);
	attempt->mask = *mask;
	open_log(attempt, command.argv);
	task.argv = command.argv;
	task.envp = command.envp;
	task.out = task.err = output_of(attempt);
	task.more = ask_other_end(attempt->ask);
	task.is_terminal = attempt->terminal != NULL;
	attempt->tracer = tracing_open(&attempt->o, attempt->mask, command.argv);
	task.watcher = tracer_watcher(attempt->tracer);
	task.lender = zygote_lender(&attempt->o.fork, &task);
	/* A child that we have by now, the guard, is none of the session's. */
	attempt->leftover = leftover_open();
	attempt->begun = clock_monotonic();
	options->record->started = clock_now();
	if (!(attempt->keeper = keeper_start(&task)))
		outcome_not_started(options->record, command.argv[0], errno);
	command_clear(&command);
	posargs_close(&posargs);
	ask_started(attempt->ask);
	if (attempt->keeper) {
		attempt->sampler = sampler_open(keeper_pid(attempt->keeper), jobserver_of(attempt));
		return attempt;
	}
	attempt_close_log(attempt);
	attempt_free(attempt);
	return NULL;
}

/* Without a log the relay writes to standard error, and the terminal has the output anyway. */
static struct relay *
log_relay(const struct attempt *attempt)
{
	return attempt->log >= 0 ? attempt->relay : NULL;
}

static void
close_terminal(struct attempt *attempt)
{
	terminal_close(attempt->terminal, attempt->mask, log_relay(attempt));
	attempt->terminal = NULL;
}

void
attempt_free(struct attempt *attempt)
{
	if (!attempt)
		return;
	close_terminal(attempt);
	relay_close(attempt->relay);
	put_report_away(attempt);
	toolenv_close(attempt->toolenv);
	sampler_close(attempt->sampler);
	leftover_close(attempt->leftover);
	keeper_close(attempt->keeper);
	tracer_close(attempt->tracer);
	ask_close(attempt->ask);
	fd_close(&attempt->presence);
	options_clear(&attempt->session_options);
	free(attempt->status);
	free(attempt->unreported);
	buffer_free(&attempt->report);
	free(attempt);
}

double
attempt_begun(const struct attempt *attempt)
{
	return attempt->begun;
}

int
attempt_log(const struct attempt *attempt)
{
	return attempt->log;
}

void
attempt_poll(const struct attempt *attempt, struct pollfd fds[ATTEMPT_FDS])
{
	fds[0] = (struct pollfd){ .fd = attempt->relay ? relay_fd(attempt->relay) : -1,
		.events = POLLIN };
	fds[1] = (struct pollfd){ .fd = attempt->judged ? -1 : ask_fd(attempt->ask),
		.events = POLLIN };
	fds[2] = (struct pollfd){ .fd = keeper_fd(attempt->keeper), .events = POLLIN };
	for (int i = 3; i < ATTEMPT_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (attempt->terminal)
		terminal_poll(attempt->terminal, fds + 3);
}

int
attempt_timeout(const struct attempt *attempt)
{
	int timeout = -1;

	if (attempt->terminal)
		timeout = terminal_timeout(attempt->terminal);
	else if (attempt->follower)
		timeout = joblog_follower_timeout(attempt->follower);
	/* What we have copied into the log ourselves is shown at once. */
	if (attempt->follower && !attempt->relay && (timeout < 0 || timeout > LOOK_EVERY))
		timeout = LOOK_EVERY;
	return attempt->judged ? timeout : clock_until(sampler_due(attempt->sampler), timeout);
}

void
attempt_look(struct attempt *attempt)
{
	if (attempt->terminal)
		terminal_copy(attempt->terminal, attempt->mask, log_relay(attempt));
	if (attempt->relay)
		relay_copy(attempt->relay);
	if (attempt->follower)
		joblog_follower_copy(attempt->follower);
	if (!attempt->judged) {
		sampler_look(attempt->sampler);
		attempt->o.record->client = sampler_client(attempt->sampler);
	}
}

const struct sampler *
attempt_sampler(const struct attempt *attempt)
{
	return attempt->sampler;
}

struct ask *
attempt_ask(const struct attempt *attempt)
{
	return attempt->ask;
}

void
attempt_unreported(struct attempt *attempt, const char *result)
{
	free(attempt->unreported);
	attempt->unreported = xstrdup(result);
}

void
attempt_waited(struct attempt *attempt, double seconds)
{
	attempt->begun += seconds;
}

void
attempt_ignore(struct attempt *attempt, pid_t pid)
{
	leftover_ignore(attempt->leftover, pid);
}

void
attempt_signal(struct attempt *attempt, int signal)
{
	if (attempt->terminal)
		terminal_end(attempt->terminal);
	keeper_signal(attempt->keeper, signal);
}

bool
attempt_suspends(struct attempt *attempt)
{
	return attempt->terminal && terminal_suspends(attempt->terminal);
}

bool
attempt_was_interrupted(const struct attempt *attempt)
{
	const struct record *record = attempt->o.record;

	return attempt->terminal && (record->exit == 128 + SIGINT || record->signal == SIGINT);
}

void
attempt_pause(struct attempt *attempt)
{
	if (attempt->terminal)
		terminal_leave(attempt->terminal);
	if (!attempt->judged)
		keeper_signal_all(attempt->keeper, SIGSTOP);
}

void
attempt_resume(struct attempt *attempt, double seconds)
{
	attempt->begun += seconds;
	if (attempt->terminal)
		terminal_enter(attempt->terminal);
	if (!attempt->judged)
		keeper_signal_all(attempt->keeper, SIGCONT);
}

bool
attempt_has_ended(const struct attempt *attempt)
{
	return !attempt->judged && keeper_has_ended(attempt->keeper, NULL);
}

void
attempt_judge(struct attempt *attempt, bool killed)
{
	struct keeper_end end = { 0 };
	struct ask_question last;

	for (int i = 0; i < LAST_WORDS && ask_next(attempt->ask, &last); i++)
		if (last.kind == ASK_UNREPORTED)
			attempt_unreported(attempt, last.name);
	/* One that is given up has got a KILL, to no avail so far. */
	if (!keeper_has_ended(attempt->keeper, &end))
		end.status = SIGKILL;
	if (killed && keeper_has_left(attempt->keeper))
		keeper_signal(attempt->keeper, SIGKILL);
	take_end(attempt, &end);
}

bool
attempt_has_left(struct attempt *attempt)
{
	bool none = keeper_pid(attempt->keeper) > 0 && !keeper_has_left(attempt->keeper);

	if (none || attempt->session_options.may_leak ||
	    !leftover_remains(attempt->leftover, keeper_pid(attempt->keeper)))
		return false;
	record_left(attempt, false);
	return true;
}

void
attempt_give_up(struct attempt *attempt)
{
	leftover_signal(attempt->leftover, SIGKILL);
	if (leftover_is_unending(attempt->leftover, keeper_pid(attempt->keeper)))
		record_left(attempt, true);
}

void
attempt_signal_left(struct attempt *attempt, int signal)
{
	/* Without a keeper nobody would end them if we were killed as well: there is no grace. */
	if (keeper_pid(attempt->keeper) == 0)
		signal = SIGKILL;
	leftover_signal(attempt->leftover, signal);
}

/* The keeper knows of the dead, too, that it cannot reap. If it was killed, all are ours. */
bool
attempt_is_cleared(struct attempt *attempt)
{
	bool below = keeper_has_left(attempt->keeper);
	bool remains = leftover_remains(attempt->leftover, keeper_pid(attempt->keeper));
	return keeper_pid(attempt->keeper) > 0 ? !below : !remains;
}

void
attempt_close_log(struct attempt *attempt)
{
	long long lost;

	close_terminal(attempt);
	lost = relay_close(attempt->relay);
	if (lost > 0)
		warn("%s.log: %lld bytes of it are lost", attempt->o.target, lost);
	attempt->relay = NULL;
	joblog_follower_close(attempt->follower);
	attempt->follower = NULL;
	if (attempt->log >= 0)
		close_log(attempt, attempt->status ? attempt->status : "not started");
}

void
attempt_set_aside(struct attempt *attempt)
{
	struct record *record = attempt->o.record;
	char *log = !record->logged ? NULL : joblog_set_aside(attempt->o.rundir,
	    record->target, json_array_size(record->attempts) + 1);

	record_set_aside(record, log);
	free(log);
}
