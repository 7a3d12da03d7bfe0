#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/suspects.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/parent.h"
#include "base/process.h"
#include "base/sig.h"
#include "base/util.h"
#include "output/ci.h"
#include "output/screen.h"
#include "report/company.h"
#include "report/table.h"
#include "session/run.h"
#include "state/join.h"
#include "state/knob.h"
#include "state/policy.h"
#include "state/presence.h"
#include "state/record.h"
#include "state/rundir.h"
#include "state/runtime.h"
#include "state/state.h"
#include "trial/recheck.h"

/* The share in a CI, where nothing is said. */
#define USUAL_SHARE 0.25

/*
 * What is left of the share by then ends a recheck, but not before it has taken so many times as
 * long as the session did when it failed, and so many seconds: in a short run the share is small.
 */
#define PATIENCE_TIMES 2
#define PATIENCE_MORE 1.0

/* Milliseconds between two looks at make, which may have been told to end. */
enum { LOOK_EVERY = 500 };

/* How often, and after how many milliseconds, a look for others at work is repeated. */
enum { LOOKS = 10, LOOK_TICK = 10 };

struct rechecks {
	const struct recheck_options *o;
	struct table table;   /* the records as they were when the sessions had ended */
	struct parent make;
	int signals;          /* see sig_open */
	double share, budget; /* of the run's time; seconds of it that all may take */
	double spent;
	bool stopped;         /* somebody has asked us to end */
	int lock;             /* of the one end of the run that rechecks */
};

/* In the runtime folder or, where there is none, in the run folder. */
#define LOCK ".rechecks"

bool
recheck_is_too_late(int rundir)
{
	bool unused;
	char *why = policy_stop_reason(rundir, &unused);

	free(why);
	return why != NULL;
}

/* The company that it had when it failed: a list, or NULL if it needs no recheck. */
static json_t *
company_in_doubt(const struct rechecks *it, const struct record *r)
{
	char *name = run_recheck_name(r->target);
	/* Another session may be called so. */
	bool may = company_may_matter(r) && !r->recheck &&
		   !planfile_has_session(it->o->plan, name);
	json_t *company = may ? company_of(r, it->table.records, it->table.n) : NULL;

	free(name);
	if (json_array_size(company) > 0)
		return company;
	json_decref(company);
	return NULL;
}

/* -1 after a warning. */
static pid_t
start(const struct rechecks *it, const char *target)
{
	char *program = process_own_program(), name[] = "noxmk", run[] = "run", state[] = "-S";
	char alone[] = "-x", make[] = "-r";
	char *const argv[] = { name, state, (char *)state_path(), run, alone, make,
		(char *)it->o->key, (char *)target, NULL };
	posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t pid;
	int error;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE); /* main ignores these */
	sigaddset(&defaults, SIGUSR1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setsigmask(&attributes, sig_original_mask());
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	/* It keeps our jobserver's descriptors and the process group, as a recipe of make's has. */
	error = posix_spawn(&pid, program, NULL, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	if (error) {
		errno = error;
		warn("cannot start %s to recheck %s", program, target);
		pid = -1;
	}
	free(program);
	return pid;
}

/* Whoever asks us to end asks the helper, which ends its session, as often as we were asked. */
static void
hand_on_signals(struct rechecks *it, pid_t pid)
{
	bool stopped = it->stopped;
	int signal;

	while ((signal = sig_next(it->signals))) {
		if (signal == SIGTSTP) {
			raise(SIGSTOP);
		} else if (signal != SIGCHLD && signal != SIGUSR1) {
			it->stopped = true;
			kill(pid, SIGTERM);
		}
	}
	if (!stopped && !it->stopped && parent_stopped_by(&it->make) != 0) {
		it->stopped = true;
		kill(pid, SIGTERM);
	}
}

/* Waits until the helper has ended. False if it was told to, since its time was over. */
static bool
await(struct rechecks *it, pid_t pid, double deadline)
{
	struct pollfd fd = { .fd = it->signals, .events = POLLIN };
	bool late = false;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		poll(&fd, 1, late ? LOOK_EVERY : clock_until(deadline, LOOK_EVERY));
		hand_on_signals(it, pid);
		if (!late && clock_monotonic() >= deadline) {
			late = true;
			kill(pid, SIGTERM);
		}
	}
	return !late;
}

/* A helper is. Other ends that look for one, too, are in the way of that look for a moment. */
static bool
others_are_at_work(int rundir)
{
	bool entered = rundir_is_entered(rundir);

	for (int i = 0; i < LOOKS && entered; i++) {
		poll(NULL, 0, LOOK_TICK);
		entered = rundir_is_entered(rundir);
	}
	return entered;
}

/* Did another session of the run begin meanwhile? Some goals come to their end before others. */
static bool
had_company(const struct rechecks *it, const struct record *recheck)
{
	struct table now = { 0 };
	json_t *company = NULL, *goals = json_array();
	bool had = others_are_at_work(it->o->rundir);

	if (table_read(&now, it->o->rundir, it->o->plan, goals, TABLE_SO_FAR) == 0)
		company = company_of(recheck, now.records, now.n);
	had |= json_array_size(company) > 0;
	json_decref(company);
	json_decref(goals);
	table_clear(&now);
	return had;
}

/* The recheck's own record, which is in nobody's way afterwards. in_time: as await says. */
static struct record
take_record(const struct rechecks *it, const char *name, int runtime, bool in_time)
{
	char *file = xasprintf("%s.json", name);
	struct record recheck;
	bool found = record_read(it->o->rundir, name, &recheck) == 1;

	if (!found) {
		recheck = (struct record){ .target = xstrdup(name), .verdict = CANCELLED };
		record_decide(&recheck, CANCELLED, xstrdup("it left no record"));
	} else if (recheck.verdict == CANCELLED || recheck.verdict == NOT_RUN) {
		if (!in_time)
			record_decide(&recheck, CANCELLED, xstrdup("it took longer than its share "
			    "of the run's time (NOXMK_RECHECK)"));
	} else if (had_company(it, &recheck)) {
		record_decide(&recheck, CANCELLED, xstrdup("others ran again"));
	}
	file_remove(it->o->rundir, file);
	if (runtime >= 0)
		file_remove(runtime, file);
	record_release(it->o->rundir, name);
	free(file);
	return recheck;
}

static void
keep(const struct rechecks *it, const char *target, bool in_time, double seconds,
    const json_t *company)
{
	char *name = run_recheck_name(target);
	int state = it->o->state, rundir = it->o->rundir, runtime;
	struct record recheck, record;
	bool passes;

	/* Its helper may have been killed, and the session may have removed the folders. */
	presence_await(it->o->key, name);
	join_restore(it->o->key, &state, &rundir);
	runtime = runtime_find(it->o->key);
	recheck = take_record(it, name, runtime, in_time);
	passes = recheck.verdict == PASSED;
	if (record_read(rundir, target, &record) == 1) {
		/* Another end of the same make may have rechecked it, too. */
		json_decref(record.recheck);
		record.recheck = company_recheck(&recheck, seconds, company);
		if (passes || company_may_matter(&recheck))
			company_blame(&record, suspects_of(&(struct suspects){ it->o->state,
			    it->o->rundir, it->o->plan, target, company, !passes }));
		(void)!record_write(rundir, runtime, &record);
	}
	record_clear(&record);
	record_clear(&recheck);
	fd_close(&runtime);
	free(name);
}

/* False if there is no time left for it. */
static bool
recheck(struct rechecks *it, const struct record *r, const json_t *company)
{
	double begun = clock_monotonic(), left = it->budget - it->spent, seconds;
	double least = PATIENCE_TIMES * r->duration + PATIENCE_MORE;
	bool in_time;
	pid_t pid;

	if (r->duration > left) {
		char *why = xasprintf("none, since it took %s, and %s are left of the %.0f%% of "
		    "the run's time that are for rechecks; NOXMK_RECHECK=1 rechecks all",
		    screen_duration(r->duration).s, screen_duration(left > 0 ? left : 0).s,
		    it->share * 100);

		screen_rechecks(r->target, why);
		free(why);
		return false;
	}
	/* What it shows is told by the record, which a disk that is full by then must not cost. */
	if (record_reserve(it->o->rundir, r->target) < 0 && fd_is_full(errno)) {
		warn("no room to recheck %s", r->target);
		return true;
	}
	screen_rechecks(r->target, "once more, alone, since it failed while others ran");
	pid = start(it, r->target);
	if (pid < 0) {
		record_release(it->o->rundir, r->target);
		return true;
	}
	in_time = await(it, pid, begun + (left > least ? left : least));
	seconds = clock_monotonic() - begun;
	it->spent += seconds;
	keep(it, r->target, in_time, seconds, company);
	return true;
}

/* Those that take least come first: where there is no time for one, there is none for the rest. */
static int
by_duration(const void *a, const void *b)
{
	const struct record *one = a, *other = b;

	return (one->duration > other->duration) - (one->duration < other->duration);
}

static void
recheck_all(struct rechecks *it)
{
	struct record *records = it->table.records;
	bool has_time = true;
	json_t *company;

	if (it->table.n > 0)
		qsort(records, it->table.n, sizeof(*records), by_duration);
	for (size_t i = 0; i < it->table.n && has_time && !it->stopped; i++) {
		company = company_in_doubt(it, &records[i]);
		if (company)
			has_time = recheck(it, &records[i], company);
		json_decref(company);
	}
}

/* The seconds since the run began, or 0: unknown. */
static double
age_of_run(int rundir)
{
	json_t *info = rundir_info(rundir);
	double clock = json_number(info, "clock");

	json_decref(info);
	return clock > 0 ? clock_monotonic() - clock : 0;
}

/*
 * Several goals of one make may come to their ends at the same time: one of these ends rechecks,
 * and tells of it. True where nobody can know.
 */
static bool
take_lock(struct rechecks *it)
{
	int runtime = runtime_find(it->o->key);

	it->lock = file_open_lock(runtime >= 0 ? runtime : it->o->rundir, LOCK);
	fd_close(&runtime);
	return it->lock < 0 || fd_lock(it->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

void
recheck_run(const struct recheck_options *options)
{
	struct rechecks it = { .o = options, .share = options->share, .lock = -1 };
	json_t *goals;

	if (it.share == RECHECK_UNSAID)
		it.share = ci_forge() == FORGE_NONE ? 0 : USUAL_SHARE;
	if (it.share <= 0 || recheck_is_too_late(options->rundir))
		return;
	/*
	 * A helper that is at work by now is that of another goal of make's, whose end rechecks:
	 * it must not find the lock taken by us, who do not.
	 */
	if (others_are_at_work(options->rundir))
		return;
	goals = json_array();
	if (take_lock(&it) &&
	    table_read(&it.table, options->rundir, options->plan, goals, TABLE_SO_FAR) == 0) {
		it.make = parent_open();
		it.signals = sig_open();
		it.budget = it.share == RECHECK_ALL ? RECHECK_ALL :
		    it.share * age_of_run(options->rundir);
		unsetenv("NOXMK_RUN"); /* see notified.c */
		recheck_all(&it);
		sig_close(it.signals);
		parent_close();
	}
	table_clear(&it.table);
	json_decref(goals);
	fd_close(&it.lock);
}
