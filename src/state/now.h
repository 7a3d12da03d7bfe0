#ifndef NOXMK_STATE_NOW_H
#define NOXMK_STATE_NOW_H

/*
 * What the sessions of a run do at this moment, for those who look on: `noxmk status`, and the
 * board of a run on a terminal. A table in the runtime folder, or else in the run folder:
 *
 *   .sessions.now   a struct now_head, and then a struct now_entry for each helper that has come
 *                   so far, in order of arrival; a later one for the same target counts
 *
 * An entry is only ever written by its helper, a few times in its life, by one pwrite(2); it stays
 * when the session has ended. While the helper lives, its entry is locked for it (fcntl(2), so that
 * no child inherits that). Nothing depends on the table: where it cannot be had, or is damaged,
 * people see less.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/util.h"
#include "state/record.h"

/* As in session/life.c. */
enum now_phase { NOW_WAITS, NOW_RUNS, NOW_HELD_UP, NOW_INTERRUPTED, NOW_TERMINATED, NOW_KILLED,
	NOW_CLEARS, NOW_PAUSES, NOW_ENDED, NOW_PHASES };

/* Times are monotonic seconds; 0: not yet. */
struct now_entry {
	uint32_t phase, verdict; /* verdict: once it has ended */
	uint32_t slots, jobs;    /* that it holds; that its make has, or as many as there may be */
	double since;            /* in the phase */
	double begun;            /* its attempt; the time that it is held up shifts that */
	double seconds;          /* that it took, once it has ended */
	int32_t bad;             /* its verdict makes a goal fail */
	int32_t helper;          /* the process, as it is called where it runs */
	char target[176], what[64]; /* what: it waits for, in words for people */
};

/* What drawers of one run tell each other (session/drawer.h). */
struct now_head {
	double ends;     /* when the run is expected to end; 0: unknown */
	double foretold; /* when that was worked out */
	double quiet;    /* until then nothing is drawn */
	double told;     /* when what runs was last told because somebody has asked */
	double total;    /* how many sessions there are; 0: unknown, or some are in parts */
	double expanded; /* when that, and the whole plan, was last looked at */
	double spare[2];
};

struct now;

/*
 * Adds an entry for that session, which waits. Never NULL: where there can be no table nothing is
 * kept. now_close frees; the entry stays. folder: borrowed for this call only.
 */
struct now *now_open(int folder, const char *target, unsigned jobs) UNUSED_RESULT;
void now_close(struct now *);

/* The session comes into that phase, or still is in it; what: it waits for, or "". */
void now_enter(struct now *, enum now_phase, const char *what);

/* Its attempt has begun, or would have begun, then; and it holds so many slots. */
void now_begun(struct now *, double begun, unsigned slots);

/* It has ended so. */
void now_ended(struct now *, const struct record *);

/* Opens the table of that folder for now_look; -1: there is none. The caller closes. */
int now_open_table(int folder) UNUSED_RESULT;

/* The table of ours, or -1. Borrowed: to close it would end our locks. */
int now_table(const struct now *);

/* All that is in the table by now; nothing where it is -1 or damaged. now_view_clear frees. */
struct now_view {
	struct now_head head;
	struct now_entry *entries;
	size_t n;
};
struct now_view now_look(int table) UNUSED_RESULT;
void now_view_clear(struct now_view *);

/* What the helper of that session has told last, or NULL. Borrowed from the view. */
const struct now_entry *now_find(const struct now_view *, const char *target);

/* For how long its attempt runs at that monotonic time; 0: not yet. Held up, its clock stands. */
double now_seconds(const struct now_entry *, double time);

/* Does the helper of that entry of the table live? own: whoever asks, or NULL. */
bool now_lives(int table, size_t entry, const struct now *own);

/*
 * From now on until now_close, or now_leave, we are the one who draws, if nobody else is. More than
 * once is as good as once.
 */
bool now_draws(struct now *);
void now_leave(struct now *);

/* Is it us, of all helpers that ask within so many seconds, who is to tell what runs? */
bool now_tells(struct now *, double seconds);

/* Writes one of the head's times: its place in the struct. */
void now_note(struct now *, size_t place, double time);

#endif
