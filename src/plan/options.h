#ifndef NOXMK_PLAN_OPTIONS_H
#define NOXMK_PLAN_OPTIONS_H

/*
 * How one session is run: those keys of [tool.noxmk.session.NAME] that are about the session alone,
 * not about others (uses, after …). The table in options.c knows how each is read, from the
 * configuration and from the plan's line alike, and how it is written into that line (planfile.h).
 */

#include "plan/setting.h"

/* More parts of a session than anybody cuts it in. */
enum { PARTS_MAX = 100 };

/* Job slots that a session wants. least 0: "auto", it does not say; most 0: all there are. */
struct options_jobs {
	unsigned least, most;
};

/* Its tools may use what processors others leave, or just its job slots, or are told nothing. */
enum options_budget { BUDGET_SHARED, BUDGET_STRICT, BUDGET_NONE };

/* All zero: nothing is set. */
struct options {
	struct options_jobs jobs;
	double timeout; /* seconds after its start at which it is stopped; 0: never */
	double slow;    /* and at which people are told that it is slow */
	unsigned retries;
	json_t *env;    /* an object of strings, owned; or NULL */
	enum options_budget budget;
	bool may_leak;  /* processes that outlive it are left alone */
	char *runs_on;  /* the label of the machines that it is for, owned; or NULL */
	unsigned parts; /* in which it is cut (parts.h); 0: nothing is said, 1: it is not */
	json_t *part_args; /* the words that tell a part which one it is, a list, owned; or NULL */
};

/* Adds the names of all keys. */
void options_add_names(struct strings *);

/*
 * Reads one key over what is set already, and tells a fault. False, and nothing done, if it is no
 * option's key.
 */
bool options_read(struct options *, struct setting_reader *, const char *key, const json_t *value)
    UNUSED_RESULT;

/*
 * Reads all options of a table over what is set already: a key replaces its value, but env keeps
 * the variables that the table does not name. Other keys and wrong values are passed over.
 */
void options_add(struct options *, const json_t *table);

/* The options of a session, from its line of the plan. options_clear frees. */
struct options options_of(const json_t *line) UNUSED_RESULT;
void options_clear(struct options *);

/* The object for the plan's line: only what is set, jobs as [least, most]. */
json_t *options_json(const struct options *) UNUSED_RESULT;

#endif
