#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/sig.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "report/follow.h"
#include "state/makekey.h"
#include "state/presence.h"
#include "state/record.h"
#include "state/rundir.h"

/*
 * Seconds between two looks at what no event tells: that a run is dead, or that a session has ended
 * on another machine; and at all there is, where inotify(7) cannot be had.
 */
#define TICK 1.0
#define TICK_WITHOUT_EVENTS 0.2

struct follow {
	int rundir;
	const char *target;
	bool raw;
	char *key;          /* of the run's make; NULL: unknown */
	bool here;          /* the run is one of this machine: who is at work in it can be seen */
	int signals;        /* see sig_open */
	int inotify;        /* -1: there is none */
	size_t attempts;    /* whose logs were set aside before the present one */
	int log, presence;  /* of the present attempt; -1: it has not begun, cannot be watched */
	struct joblog_follower *follower;
	double tick;        /* when the next one is due, in monotonic seconds */
	off_t size;         /* of the log at the last tick */
	int signal;         /* that ends us, or 0 */
	bool unread;        /* nobody reads standard output any more */
};

static bool
is_stopped(const struct follow *f)
{
	return f->signal != 0 || f->unread;
}

static void
plan_tick(struct follow *f)
{
	f->tick = clock_monotonic() + (f->inotify >= 0 ? TICK : TICK_WITHOUT_EVENTS);
}

/* A watch of an open file or folder, to be removed by inotify_rm_watch(2). */
static int
watch(const struct follow *f, int fd, uint32_t events)
{
	char *path = xasprintf("/proc/self/fd/%d", fd);
	int id = f->inotify < 0 ? -1 : inotify_add_watch(f->inotify, path, events);

	free(path);
	return id;
}

static void
unwatch(const struct follow *f, int id)
{
	if (id >= 0)
		inotify_rm_watch(f->inotify, id);
}

static void
take_signals(struct follow *f)
{
	int signal;

	while ((signal = sig_next(f->signals))) {
		if (signal == SIGTSTP)
			raise(SIGSTOP);
		else if (signal != SIGCHLD && signal != SIGUSR1)
			f->signal = signal;
	}
}

/* Sleeps until something may have happened. more: there is something to show, if it is read. */
static void
wait_for_events(struct follow *f, bool more)
{
	struct pollfd fds[] = {
		{ .fd = f->signals, .events = POLLIN },
		{ .fd = f->presence, .events = POLLIN },
		{ .fd = f->inotify, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = more ? POLLOUT : 0 },
	};
	int timeout = f->follower ? joblog_follower_timeout(f->follower) : -1;

	if (poll(fds, countof(fds), more ? -1 : clock_until(f->tick, timeout)) < 0 &&
	    errno != EINTR)
		err(EXIT_HELPER, "poll");
	take_signals(f);
	if (fds[1].revents)
		fd_close(&f->presence);
	if (fds[2].revents)
		fd_drain(f->inotify);
	if (fds[3].revents & (POLLERR | POLLHUP))
		f->unread = true;
}

/*
 * Counts the logs that were set aside meanwhile. Is the one that is open, or, if none is, any
 * other, among them? Then the session is tried again.
 */
static bool
was_set_aside(struct follow *f)
{
	struct stat ours = { 0 }, st;
	bool found = false;

	if (f->log >= 0)
		(void)!fstat(f->log, &ours);
	for (;; f->attempts++) {
		char *name = xasprintf("%s.log.%zu", f->target, f->attempts + 1);
		int result = fstatat(f->rundir, name, &st, AT_SYMLINK_NOFOLLOW);

		free(name);
		if (result < 0)
			return found;
		found = found || f->log < 0 || st.st_ino == ours.st_ino;
	}
}

/* Has nobody work left to do in this run? */
static bool
run_is_over(const struct follow *f)
{
	return fd_is_removed(f->rundir) ||
	       rundir_has_ended(f->rundir) ||
	       !rundir_may_live(f->rundir);
}

/*
 * Has the session a verdict that no further attempt follows, or has this attempt one, if it runs?
 * Why there is no log is said, if it is a reason not to have any.
 */
static bool
is_judged(const struct follow *f, bool says)
{
	struct record record;
	int found = record_read(f->rundir, f->target, &record);
	bool judged = found != 0;

	if (found == 1)
		judged = json_array_size(record.attempts) >= f->attempts;
	if (found == 1 && judged && says) {
		char *reason = screen_safe(record.reason ? record.reason : "");

		warnx("%s has no log: %s%s%s", f->target, verdict_name(record.verdict),
		    *reason ? ": " : "", reason);
		free(reason);
	}
	record_clear(&record);
	return judged;
}

/* Will there be no log, or no further one? */
static bool
will_not_begin(const struct follow *f, bool says)
{
	if (is_judged(f, says))
		return true;
	if (!run_is_over(f))
		return false;
	if (says)
		warnx("%s has no log: its run is over", f->target);
	return true;
}

/*
 * Opens the next log, or waits for it. What we look at may change meanwhile: that no log will come
 * only counts if none has come, or come and gone, since that was seen. first: none was shown.
 */
static bool
next_log(struct follow *f, bool first)
{
	int id = watch(f, f->rundir, IN_CREATE | IN_MOVED_TO);
	bool never = false, said = !first;

	while (!is_stopped(f)) {
		(void)was_set_aside(f);
		never = will_not_begin(f, false);
		f->log = joblog_find(f->rundir, f->target);
		if (f->log >= 0 || (never && !was_set_aside(f)))
			break;
		if (!said)
			warnx("%s has not begun yet", f->target);
		said = true;
		plan_tick(f);
		wait_for_events(f, false);
	}
	unwatch(f, id);
	if (f->log < 0 && never && first)
		(void)will_not_begin(f, true);
	return f->log >= 0;
}

/* Does the log have its last line, which says how the session ended? */
static bool
has_last_line(const struct follow *f, off_t size)
{
	char end[3];

	return size >= 3 && pread(f->log, end, sizeof(end), size - 3) == 3 &&
	       !memcmp(end, ".]\n", sizeof(end));
}

/*
 * At a tick: has the attempt ended although nobody says so? One that was given up has a keeper for
 * good, and of one on another machine we see the files only. These are quiet then.
 */
static bool
has_come_to_rest(struct follow *f)
{
	off_t before = f->size;
	struct stat st = { 0 };

	if (clock_monotonic() < f->tick)
		return false;
	plan_tick(f);
	(void)!fstat(f->log, &st);
	f->size = st.st_size;
	if (before != st.st_size)
		return false;
	return (has_last_line(f, st.st_size) && is_judged(f, false)) ||
	       (f->presence < 0 && run_is_over(f));
}

/* Watches who is at work on the attempt. False when nobody is any more. */
static bool
watch_presence(struct follow *f)
{
	errno = 0;
	f->presence = f->key ? presence_watch(f->key, f->target) : -1;
	if (f->presence >= 0)
		return true;
	return !(f->here && errno == ECONNREFUSED) && !run_is_over(f);
}

/* Shows the open log until its attempt has ended. 0, or -1 after a warning. */
static int
show_attempt(struct follow *f)
{
	int id = watch(f, f->log, IN_MODIFY), more = 0;
	bool over = !watch_presence(f), watched = f->presence >= 0;

	f->follower = joblog_follower_open_all(f->log, f->raw);
	f->size = -1;
	plan_tick(f);
	while (!is_stopped(f) && (more = joblog_follower_step(f->follower)) >= 0) {
		if (more == 0 && over)
			break;
		wait_for_events(f, more > 0);
		over = over || (watched && f->presence < 0) || has_come_to_rest(f);
	}
	if (more < 0 && errno == EPIPE)
		f->unread = true;
	else if (more < 0)
		warn("%s.log cannot be shown", f->target);
	if (more < 0 || is_stopped(f))
		joblog_follower_leave(f->follower);
	else
		joblog_follower_close(f->follower);
	f->follower = NULL;
	fd_close(&f->presence);
	unwatch(f, id);
	return more < 0 && !f->unread ? -1 : 0;
}

static int
show_attempts(struct follow *f)
{
	bool first = true, again = true;
	int result = 0;

	while (again && result == 0 && next_log(f, first)) {
		if (!first)
			printf("\n--- %s: attempt %zu\n", f->target, f->attempts + 1);
		fflush(stdout);
		first = false;
		result = show_attempt(f);
		again = !is_stopped(f) && was_set_aside(f);
		fd_close(&f->log);
	}
	return first && !is_stopped(f) ? -1 : result;
}

/* Whose run it is. Without that the files alone tell. */
static void
identify(struct follow *f)
{
	json_t *info = rundir_info(f->rundir);
	const char *key = json_text(info, "make");
	char *where = makekey_where();

	if (makekey_is_sane(key))
		f->key = xstrdup(key);
	f->here = f->key && !strcmp(json_text(info, "where"), where);
	free(where);
	json_decref(info);
}

int
follow_print(int rundir, const char *target, bool raw)
{
	struct follow f = { .rundir = rundir, .target = target, .raw = raw, .log = -1,
		.presence = -1 };
	int result;

	if (strchr(target, '/')) {
		warnx("%s is no target (`make nox-list` has them)", target);
		return -1;
	}
	identify(&f);
	f.signals = sig_open();
	f.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	result = show_attempts(&f);
	fd_close(&f.inotify);
	sig_close(f.signals);
	free(f.key);
	/* As if we had not waited for it ourselves. */
	if (f.signal != 0) {
		fflush(stdout);
		raise(f.signal);
	}
	return result;
}
