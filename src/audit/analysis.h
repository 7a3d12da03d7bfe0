#ifndef NOXMK_AUDIT_ANALYSIS_H
#define NOXMK_AUDIT_ANALYSIS_H

/* From the traces of sessions to their hazards, and to the lines that remove these. */

#include "audit/declared.h"
#include "audit/hazard.h"
#include "plan/planfile.h"

/* One session that was traced. */
struct analysis_session {
	json_t *line; /* of the plan, owned */
	struct trace trace;
	bool failed;  /* in this run: what it would have done after that was not seen */
};

struct analysis {
	struct analysis_session *sessions; /* in the order in which nox runs them */
	struct actor *actors;              /* one for each */
	size_t n;
	struct strings missing;            /* targets that should have a trace; owned */
	size_t left_out;                   /* sessions beyond the most that are compared */
	unsigned runs;                     /* the most that a session was traced */
	char *root;                        /* the project */
	const char *home;                  /* of the user, or NULL */
	struct clashes clashes;
	struct hazards hazards;
	json_t *remedies;                  /* of all hazards that are not harmless: remedy.h */
};

/* Where the traces come from: a run, or what is kept of those before, or both. */
struct analysis_source {
	int state, rundir; /* rundir: -1: none */
	bool keeps;        /* with those from before: kept.h */
	bool stores;       /* and for later */
	bool wants_all;    /* of the sessions of the run's goals each without a trace is missing */
	unsigned rules;    /* those of noise.h that are on */
};

/*
 * Of all sessions of the plan that have a trace. 0, or -1 after a warning when none has.
 * analysis_clear frees, after either.
 */
int analysis_make(struct analysis *, struct planfile *, const struct analysis_source *);
void analysis_clear(struct analysis *);

/* Which hazards are meant: those between sessions, by position, of which that is true. */
struct analysis_filter {
	bool (*fits)(const void *data, size_t a, size_t b);
	const void *data;
	bool whole; /* with all others that meet where two of these do */
};

/* Leaves only these. */
void analysis_narrow(struct analysis *, const struct analysis_filter *);

#endif
