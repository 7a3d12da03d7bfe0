#ifndef NOXMK_STATE_RECORD_H
#define NOXMK_STATE_RECORD_H

/*
 * TARGET.json in a run's folder: how one session ended. It appears whole, the moment the session
 * has ended, and is what every report is made from:
 *
 *   {"schema":1,"target":"lint","session":"lint","verdict":"failed","reason":"…","exit":1,
 *    "signal":null,"started":1795396708.25,"ended":…,"duration":1.5,"log":"lint.log","live":false,
 *    "notify":[{"target":"coverage","posargs":["-v"]}],"waits":[{"for":"resource","seconds":1.5,
 *    "resource":"db","target":"tests","pid":17},{"for":"slot","seconds":0.5}],"cue":"build",
 *    "left":"sleep 30 (pid 17)","cpu":2.75,"client":null,
 *    "attempts":[{"verdict":"failed","reason":"…","duration":1.5,"log":"lint.log.1"}]}
 *
 * started and ended are Unix time; duration is measured by the monotonic clock, in seconds. waits:
 * what the helper waited for between its own start and that of the session, in order (turn.h); then
 * {"for":"build","seconds":2.5}, what the session itself waited for a build of another one.
 * left: processes that outlived the session, and were ended (leftover.h). cue: the target at whose
 * end make was to start it (order.h), if there was such a one. cpu: processor seconds of the
 * session and of what it waited for. client: did tools in it open make's jobserver (toolenv.h)?
 * null: they could not. attempts: those before this last one; a session that passed after some is
 * flaky.
 */

#include <jansson.h>
#include <stdbool.h>

enum verdict { PASSED, FAILED, SKIPPED, ABORTED, CANCELLED, NOT_RUN, VERDICTS };

struct record {
	char *target, *session;
	enum verdict verdict;
	char *reason;      /* or NULL */
	int exit, signal;  /* of the session's process; -1 when it has none */
	double started, ended, duration, cpu;
	bool logged;       /* there is a TARGET.log */
	bool live;         /* its output was shown while it ran */
	int client;        /* of the jobserver; -1: none of its tools could be */
	bool excused;      /* not run because a prerequisite was skipped: no failure */
	json_t *notify;    /* list of {"target","posargs"}, or NULL */
	json_t *waits;     /* list, or NULL */
	json_t *attempts;  /* list, or NULL */
	char *cue, *left;  /* or NULL */
};

const char *verdict_name(enum verdict);

/* This verdict with its reason (or NULL), which is the record's from now on, replaces the last. */
void record_decide(struct record *, enum verdict, char *reason);

/* Has it passed, but not at once? */
bool record_is_flaky(const struct record *);

/* Does this make the goal fail? */
bool record_is_bad(const struct record *);

/* 0, or -1 after a warning. */
int record_write(int rundir, const struct record *);

/*
 * What a caller gave with session.notify(…, posargs): a JSON list, of the first record that has
 * one. NULL when nobody did. So that not every session has to read all records, those that were
 * notified have a file .TARGET.notified besides.
 */
json_t *record_notified_posargs(int rundir, const char *target);

/*
 * 1 and a filled record (record_clear frees), 0 when there is none, -1 after a warning when the
 * file cannot be read or is not a record.
 */
int record_read(int rundir, const char *target, struct record *);
void record_clear(struct record *);

/*
 * Calls visit for each record of the folder that can be read, in the order of targets. The record
 * is cleared after the call: what visit wants to keep of it, it copies.
 */
void record_each(int rundir, void (*visit)(void *data, const struct record *), void *data);

/* Targets of all records in the folder, sorted: a JSON list, or NULL after a warning. */
json_t *record_list(int rundir);

#endif
