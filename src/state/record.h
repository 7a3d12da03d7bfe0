#ifndef NOXMK_STATE_RECORD_H
#define NOXMK_STATE_RECORD_H

/*
 * TARGET.json in the run folder: how one session ended. It appears whole, the moment the session's
 * own process has ended, and once more when what that has left is ended, too. All that is told of a
 * run is made from it:
 *
 *   {"schema":1,"target":"lint","session":"lint","verdict":"failed","reason":"…","exit":1,
 *    "signal":null,"started":1795396708.25,"ended":…,"duration":1.5,"log":"lint.log","live":false,
 *    "notify":[{"target":"coverage","posargs":["-v"]}],"waits":[{"for":"resource","seconds":1.5,
 *    "resource":"db","target":"tests","pid":17},{"for":"slot","seconds":0.5}],"cue":"build",
 *    "left":"sleep 30 (pid 17)","cpu":2.75,"client":null,
 *    "told":4,"width":4,"memory":734003200,"wide":["pytest"],"crowded":0.5,
 *    "own":4.25,"shown":120,"announced":[2,0],"slots":1,"fork":"","machine":null,
 *    "samples":{"every":0.25,"cpu":[1.9],"width":[4],"mib":[700.0]},
 *    "steps":[{"kind":"run","command":"pytest -q","exit":0,"started":1795396709.5,"seconds":4.0,
 *    "waited":0.0}],"more_steps":{"steps":49800,"install":0.5,"run":12.0},
 *    "attempts":[{"verdict":"failed","reason":"…","started":1795396706.5,"duration":1.5,
 *    "log":"lint.log.1"}],
 *    "recheck":{"verdict":"passed","reason":null,"seconds":1.5,"log":"lint.recheck.log",
 *    "beside":["tests","docs"],"others":2,"hazards":[…]}}
 *
 * exit, signal: of the session's process, or null. started and ended are Unix time; duration is in
 * seconds, measured by the monotonic clock. notify: what the session notified. waits: what the
 * helper waited for between its own start and that of the session, in order (turn.h); then what the
 * session itself waited for, a build of another one, {"for":"build","seconds":2.5}, or processors,
 * at the gate, before a command that may use several: {"for":"processors",
 * "seconds":1.5,"command":"pytest","needed":2,"used":2}, each with "started", Unix time.
 * {"for":"memory","seconds":3.0} is a wait before the start, until there was enough left. duration
 * is without the time at the gate. left: processes that outlived the session, and were ended
 * (leftover.h). cue: the target at whose end make was to start the session (order.h), or null. cpu:
 * the processor seconds of the session and of the processes that it waited for. client: whether
 * tools in it opened make's jobserver (toolenv.h), or null where they could not. told: how many
 * processors its tools were told to use, at the gate the fewest of all its commands; 0: nothing.
 * width: the most threads that were seen runnable at once; 0: nobody looked. memory: the most bytes
 * that it had; 0: unknown. wide: the commands that were seen to use more than one processor.
 * crowded: seconds of its duration that it lost since all sessions together had more to run than
 * there are processors, or null: unknown.
 * own: seconds of its duration that nox spent in the session, not on its own start and end, or
 * null: unknown. shown: so many lines a CI's page had when the log was on it (output/page.h), or,
 * where there is none, so many lines had the whole log and the verdict above it as it ended; 0: it
 * was not shown. announced: of how many errors and warnings it has told a CI itself, by commands
 * (output/commands.h). slots: the job slots that it held, but while it waited within. samples: what
 * it used over time (state/samples.h), or null. fork: "" if it was forked from a nox that had read
 * the noxfile, else why not, or null: nobody asked for that. machine: the one of several that ran
 * it, where shard/merge.h made one run of theirs, or null. steps: what the session has done, as far
 * as nox has come to tell of it (nox/steps.h): the making of its "environment", whose command is
 * "reused" or "created by venv", an "install", or to "run" something; started is Unix time, waited
 * what it waited for others besides its seconds; "cut":true, if the session was killed before it
 * had ended. more_steps: how many there were besides, and their seconds, or null (bounds.h, which
 * sums up many waits, too). attempts: those before the last one; a session that passed after some
 * is flaky. recheck: how it went when it was run once more, alone, since it had failed beside
 * `others` sessions, of which `beside` names those that ran beside it the longest
 * (report/company.h); null: it was not. verdict is null in there when that did not come to an end;
 * hazards are those with its company, as of audit/overlap.h, where it passed and there are traces.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

enum verdict { PASSED, FAILED, SKIPPED, ABORTED, CANCELLED, NOT_RUN, VERDICTS };

struct record {
	char *target, *session;
	enum verdict verdict;
	char *reason;      /* or NULL */
	int exit, signal;  /* of the session's process; -1: none */
	double started, ended, duration, cpu;
	bool logged;       /* there is a TARGET.log */
	bool live;         /* its output was shown while it ran */
	int client;        /* 1, or 0; -1: its tools could not open the jobserver */
	bool gone;         /* the noxfile had no such session; this is not written down */
	bool excused;      /* not run, but since a prerequisite was skipped that is no failure */
	json_t *notify;    /* list of {"target","posargs"}, or NULL */
	json_t *waits;     /* list, or NULL */
	json_t *attempts;  /* list, or NULL */
	json_t *steps;     /* list, or NULL */
	json_t *more_steps; /* what is left out of them, or NULL */
	json_t *wide;      /* list of commands that used several processors, or NULL */
	json_t *recheck;   /* as above, or NULL */
	char *cue, *left;  /* or NULL */
	char *machine;     /* that ran it, of several whose runs were merged, or NULL */
	/* Of a part (plan/parts.h) the group of all, and its place there, by report/table.h. */
	char *whole;
	unsigned part, parts; /* 0: it is none */
	char *fork;        /* why it was not forked, "": it was; NULL: nobody asked for that */
	unsigned told;     /* how many processors its tools were told of; 0: nothing */
	char *few;         /* why not of all that there are, or NULL */
	unsigned width;    /* the most runnable threads at once that were seen; 0: nobody looked */
	unsigned long long memory; /* the most bytes that it had; 0: unknown */
	double crowded;    /* seconds that it lost to others; -1: unknown */
	double own;        /* seconds without nox's own start and end; -1: unknown */
	unsigned announced[2]; /* errors and warnings that it has told a CI of, by commands */
	unsigned slots;    /* job slots that it held, but while it waited within; 0: unknown */
	json_t *samples;   /* as above, and sound, or NULL */
	long long shown;   /* lines up to the end of its log, or of it alone: see above; or 0 */
};

const char *verdict_name(enum verdict);

/*
 * Of the parts of one session the worst counts, the one with the highest number: that all were
 * skipped comes before nothing. bad: as record_is_bad says.
 */
int verdict_badness(enum verdict, bool bad);

/* This verdict with its reason (or NULL), which is the record's from now on, replaces the last. */
void record_decide(struct record *, enum verdict, char *reason);

/* Another attempt follows: the last one's verdict, and its log (or NULL), go to the attempts. */
void record_set_aside(struct record *, const char *log);

/* Has the session passed, but only after attempts that failed? And that in words for people. */
bool record_is_flaky(const struct record *);
#define RECORD_FLAKY "flaky: it failed first"

/* Is that one of its waits for what the session itself waited, and not its helper before? */
bool record_waits_within(const json_t *wait);

/* Are they of the same machine? */
bool record_same_machine(const struct record *, const struct record *);

/* Does this record make a goal fail? */
bool record_is_bad(const struct record *);

/*
 * Reserves the room of that target's record in the run folder, .TARGET.room, unless that is done: a
 * disk that is full later costs no verdict. 0, or -1 with errno set.
 */
int record_reserve(int rundir, const char *target) UNUSED_RESULT;

/* Removes the room of a session that has no record. */
void record_release(int rundir, const char *target);

/*
 * Writes it to the run folder, and a copy to the runtime folder (runtime.h; -1: there is none). 0
 * when at least one of the two has it, or -1 after a warning. What is written outlives a crash of
 * any process; a loss of power it outlives after record_sync, which takes long enough that no
 * session should wait for it.
 */
int record_write(int rundir, int runtime, const struct record *);

/* Puts the records and logs of these targets, the keys of an object, on the disk for good. */
void record_sync(int rundir, const json_t *targets);

/*
 * What another session gave that one with session.notify(…, posargs): a JSON list, from the first
 * record that has one; a new reference. NULL when none did. A session that was notified has a file
 * .TARGET.notified, so that the others need not read all records to find that out.
 */
json_t *record_notified_posargs(int rundir, const char *target);

/*
 * Reads the record of that target. 1 and a filled record (record_clear frees), 0 when there is
 * none, -1 after a warning when the file cannot be read or is not a record of that target.
 */
int record_read(int rundir, const char *target, struct record *);

/* The same without a warning: *why is borrowed, after -1. */
int record_load(int rundir, const char *target, struct record *, const char **why);

void record_clear(struct record *);

/* Has its attempt's verdict been written, or that of a later one? Then the record becomes that. */
bool record_recall(int rundir, struct record *);

/*
 * Calls visit for each record of the folder that can be read, in the order of targets. The record
 * is cleared after the call: what visit wants to keep of it, it copies.
 */
void record_each(int rundir, void (*visit)(void *data, const struct record *), void *data);

/* Removes the record of a session that has not run, which its helper has not written. */
void record_forget(int rundir, const char *target);

/*
 * Targets of all records in the folder, sorted: a JSON list, or NULL after a warning. A file that
 * is called like a record, but like no session of the run's plan, is none of ours.
 */
json_t *record_list(int rundir);

#endif
