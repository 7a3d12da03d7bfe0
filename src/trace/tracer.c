#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "trace/filter.h"
#include "trace/listener.h"
#include "trace/snapshot.h"
#include "trace/stops.h"
#include "trace/tracer.h"
#include "trace/witness.h"

/* What the environment says that tells us to trace. */
#define VARIABLE "NOXMK_TRACE"

/* Some of it only the keeper has, from begin to finish. */
struct tracer {
	struct tracer_options o;
	struct keeper_watcher watcher;
	struct trace trace; /* its begin and its end */
	bool can_listen;
	struct listener listener;
	pthread_t begun, server; /* who has started the program, and who answers its calls */
	pid_t starter;           /* the former */
	sem_t may_stop;          /* it may make its last call */
	atomic_bool stops;       /* and does */
	bool serves;             /* they are there */
	struct stops stopped;    /* where there is no listener */
	struct store *store;     /* once there is something to store */
	struct witness *witness;
	struct snapshot *before; /* NULL: there is a listener */
};

static const char *
wanted(void)
{
	const char *value = getenv(VARIABLE);

	return value ? value : "";
}

bool
tracer_is_wanted(void)
{
	return !strcmp(wanted(), "1") || !strcmp(wanted(), "ptrace");
}

void
tracer_want(void)
{
	if (!tracer_is_wanted())
		setenv(VARIABLE, "1", 1);
}

/* What the thread is given that starts the program, and what it says through the pipe. */
struct beginning {
	struct tracer *tracer;
	const struct keeper_task *task;
	int pipe;
};

struct step {
	int result, error;
};

static void
say(int pipe, int result)
{
	struct step step = { .result = result, .error = errno };

	(void)!write(pipe, &step, sizeof(step));
}

static struct step
hear(int pipe)
{
	struct step step = { .result = -1 };

	if (read(pipe, &step, sizeof(step)) != (ssize_t)sizeof(step))
		step.error = EIO;
	return step;
}

/*
 * Only this thread gets the filter, and what it starts. It stays: the call that it makes at last
 * wakes the thread that serves, which waits in the kernel for calls and for nothing else.
 */
static void *
begin_watched(void *data)
{
	struct beginning beginning = *(struct beginning *)data;
	struct tracer *tracer = beginning.tracer;
	bool asks;
	int listener = filter_install(&asks);

	tracer->starter = gettid();
	say(beginning.pipe, listener);
	if (listener < 0)
		return NULL;
	say(beginning.pipe, keeper_begin(beginning.task));
	while (sem_wait(&tracer->may_stop) < 0)
		;
	listener = open("/", O_PATH | O_CLOEXEC);
	fd_close(&listener);
	return NULL;
}

/* To wait in poll(2) first, for other things as well, would cost an eighth more for each call. */
static void *
serve(void *data)
{
	struct tracer *tracer = data;
	bool stops = false;

	while (!stops) {
		struct made made;

		if (!listener_receive(&tracer->listener))
			continue;
		made = listener_call(&tracer->listener);
		stops = tracer->stops && made.pid == tracer->starter;
		if (!stops)
			witness_take(tracer->witness, &made);
		if (tracer->listener.waits)
			listener_let_go(&tracer->listener);
	}
	return NULL;
}

/* From now on calls wait for us, until somebody picks the listener up. */
static void
stop_serving(struct tracer *tracer)
{
	if (!tracer->serves)
		return;
	tracer->stops = true;
	sem_post(&tracer->may_stop);
	pthread_join(tracer->server, NULL);
	pthread_join(tracer->begun, NULL);
}

/* Writes the trace as it is by now. It takes the lines. */
static void
write_trace(const struct tracer *tracer, struct buffer *lines)
{
	char *name = trace_name(tracer->o.target);

	if (file_store(tracer->o.rundir, name, lines->data, lines->len) < 0)
		warn("%s", name);
	free(name);
	buffer_free(lines);
}

/* Until it is whole, the trace that stands there says by what it lacks that it is not. */
static void
write_begin(struct tracer *tracer)
{
	struct buffer lines = { 0 };

	trace_put_begin(&lines, &tracer->trace, &tracer->o.hider);
	write_trace(tracer, &lines);
}

/* The calls by which the program is started wait for us already. */
static struct step
start_serving(struct tracer *tracer, int pipe)
{
	struct step step = hear(pipe);

	if (step.result < 0)
		return step;
	tracer->listener.fd = step.result;
	if (pthread_create(&tracer->server, NULL, serve, tracer) != 0) {
		/* Nobody will answer: without the listener, the start fails. */
		fd_close(&tracer->listener.fd);
		sem_post(&tracer->may_stop);
		return (struct step){ .result = -1, .error = EAGAIN };
	}
	tracer->serves = true;
	/* Not before: where nobody serves, a copy under way would keep the listener from ending. */
	listener_lay_down(&tracer->listener);
	return hear(pipe);
}

/* The program, with a listener; -1 with errno set when there is none, or no such program. */
static pid_t
begin_listening(struct tracer *tracer, struct beginning *beginning)
{
	struct step step = { .result = -1, .error = EAGAIN };
	int ends[2];

	if (!tracer->can_listen) {
		errno = ENOSYS;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	beginning->pipe = ends[1];
	if (pthread_create(&tracer->begun, NULL, begin_watched, beginning) == 0) {
		step = start_serving(tracer, ends[0]);
		if (!tracer->serves)
			pthread_join(tracer->begun, NULL);
	}
	close(ends[0]);
	close(ends[1]);
	errno = step.error;
	return step.result;
}

static bool
let_go(void *listener)
{
	return listener_let_go(listener);
}

static bool
waits(void *listener)
{
	return listener_waits(listener);
}

static void
open_witness(struct tracer *tracer, const char *mechanism, const struct hold *hold)
{
	free(tracer->trace.mechanism);
	tracer->trace.mechanism = xstrdup(mechanism);
	witness_close(tracer->witness);
	store_close(tracer->store);
	tracer->store = store_open(tracer->trace.root);
	tracer->witness = witness_open(hold, tracer->store, tracer->o.script);
	tracer->before = NULL;
}

static pid_t
begin(void *data, const struct keeper_task *task)
{
	struct tracer *tracer = data;
	struct beginning beginning = { .tracer = tracer, .task = task };
	pid_t program;

	write_begin(tracer);
	open_witness(tracer, "notify", &(struct hold){ let_go, waits, &tracer->listener });
	program = begin_listening(tracer, &beginning);
	if (program >= 0 || tracer->listener.fd >= 0)
		return program;
	open_witness(tracer, "ptrace", &(struct hold){ stops_let_go, stops_wait,
	    &tracer->stopped });
	program = stops_begin(&tracer->stopped, tracer->witness, task);
	if (program >= 0 || tracer->stopped.tells)
		return program;
	warn("%s: traced only by a look at the project before and after it, since the kernel does "
	     "not tell of its calls", tracer->o.target);
	open_witness(tracer, "snapshot", &(struct hold){ 0 });
	tracer->before = snapshot_take(tracer->trace.root);
	return keeper_begin(task);
}

static void
stopped(void *data, pid_t pid, int status)
{
	struct tracer *tracer = data;

	stops_take(&tracer->stopped, pid, status);
}

/* How many processes run on below us. */
static void
ended(void *data)
{
	struct tracer *tracer = data;
	struct indices all = { 0 };

	process_descendants(getpid(), &all);
	for (size_t i = 0; i < all.n; i++)
		tracer->trace.strays += process_runs((pid_t)all.v[i]);
	free(all.v);
}

/* All of the lines in between. False when there was more than a trace has room for. */
static bool
put_lines(struct tracer *tracer, struct buffer *lines)
{
	struct snapshot *after;
	bool whole;

	if (!tracer->before)
		return store_put(tracer->store, lines, &tracer->o.hider);
	after = snapshot_take(tracer->trace.root);
	whole = snapshot_put(tracer->before, after,
	    tracer->trace.ended - tracer->trace.began, lines, &tracer->o.hider);
	snapshot_free(after);
	return whole;
}

static void
finish(void *data, bool killed)
{
	struct tracer *tracer = data;
	struct trace *trace = &tracer->trace;
	struct buffer lines = { 0 };
	const char *why = NULL;

	stop_serving(tracer);
	if (killed)
		why = "its helper was killed";
	else if (tracer->stopped.tells ? stops_remain(&tracer->stopped) :
	    listener_is_used(&tracer->listener))
		why = "processes that it left ran on";
	else
		why = witness_blindness(tracer->witness);
	trace->ended = clock_now();
	trace_put_begin(&lines, trace, &tracer->o.hider);
	if (!put_lines(tracer, &lines) && !why)
		why = "it touched more than a trace has room for";
	trace->unreadable = witness_unreadable(tracer->witness);
	trace->foreign = witness_foreign(tracer->witness);
	trace->complete = !why;
	trace->why = why ? xstrdup(why) : NULL;
	trace_put_end(&lines, trace);
	write_trace(tracer, &lines);
	witness_close(tracer->witness);
	store_close(tracer->store);
	snapshot_free(tracer->before);
	stops_forget(&tracer->stopped);
}

static bool
stays(void *data)
{
	struct tracer *tracer = data;

	return tracer->stopped.filters && stops_remain(&tracer->stopped);
}

struct tracer *
tracer_open(const struct tracer_options *options)
{
	struct tracer *tracer = xcalloc(1, sizeof(*tracer));
	struct utsname kernel;

	*tracer = (struct tracer){ .o = *options, .watcher = { .begin = begin, .stopped = stopped,
	    .ended = ended, .finish = finish, .stays = stays, .data = tracer } };
	tracer->trace = (struct trace){ .target = xstrdup(options->target),
		.session = xstrdup(options->session), .mechanism = xstrdup("notify"),
		.root = xstrdup(options->root), .cwd = xstrdup(options->root),
		.began = clock_now(), .argv = options->argv };
	sem_init(&tracer->may_stop, 0, 0);
	if (uname(&kernel) == 0)
		tracer->trace.kernel = xstrdup(kernel.release);
	tracer->can_listen = listener_prepare(&tracer->listener) && strcmp(wanted(), "ptrace") != 0;
	return tracer;
}

void
tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	listener_close(&tracer->listener);
	trace_clear(&tracer->trace);
	free(tracer);
}

struct keeper_watcher *
tracer_watcher(struct tracer *tracer)
{
	return tracer ? &tracer->watcher : NULL;
}
