#ifndef NOXMK_PLAN_PLANFILE_H
#define NOXMK_PLAN_PLANFILE_H

/*
 * plan.jsonl: the plan as the helper itself reads it back, one JSON object a line:
 *
 *   {"schema":1,"nox":"…","command":["nox"],"args":[],"python":"…","path":[…],"noxfile":"…",
 *    "noxfile_date":1795856233523623826,"environ":{"set":{"PATH":"…"},"unset":[]},"complaint":null,
 *    "source_build":true,"log_limit":8589934592,"mask":["*TOKEN*"],"unmask":[],"locks":null,
 *    "ci_commands":null}
 *   {"target":"lint","session":"lint","name":"lint","index":0,"selector":"lint","twin":[0,1],
 *    "description":"…","default":true,"requires":["build"],"after":[],"complaint":null,
 *    "by":{"build":"tool.noxmk.session.lint.needs"},
 *    "claims":[{"resource":"database","use":"exclusive","by":"tool.noxmk.session.lint.uses"},
 *              {"resource":"docs","use":"shared","by":"…"},
 *              {"resource":"memory","use":"amount","amount":2048,"capacity":8192,"by":"…"}],
 *    "options":{"jobs":[1,4],"timeout":600.0,"slow":60.0,"retries":1,"env":{"K":"v"}},
 *    "python":"3.12","tags":["fast"]}
 *                                                                     one line a session
 *   {"group":"ci","what":"the default sessions","members":["lint"],"kind":"default"}
 *
 * "notes" in the first line, "globals", "together", "part" and "whole" in a session's line are
 * there only if there are any:
 *
 *   "notes":["…"]                              for people: see coupling.h
 *   "globals":{"leaves":[["user_nox_module","wheel"]],"takes":["build"]}    see nox/handover.py
 *   "together":["build"]                       targets, for src/shard
 *   "part":[2,4],"whole":"tests"               which one of how many it is, and the group of all
 *
 * environ: what the command in NOX changes in nox's environment, and so in that of each session.
 * index: its number in the noxfile; the parts of a session share it. twin: [1,2] is the second of
 * two whose names differ in objects' addresses at most.
 * options has only what is set; jobs is [least, most], where most 0 stands for all there are.
 * Sessions come in definition order, then groups. The key that a line is looked up by comes first
 * and is a slug, so a lookup compares bytes and parses one line only: a helper runs for every
 * session, and a plan may have thousands.
 */

#include <jansson.h>
#include <stdbool.h>

#include "plan/plan.h"

struct planfile;

/* What the plan was made by. */
struct planfile_nox {
	const char *noxfile;           /* as the user names it from the project's folder */
	long long noxfile_date;        /* in nanoseconds, or -1 */
	const struct strings *command; /* the words of NOX */
	const json_t *environ;         /* see env_difference; JSON's null or NULL: not known */
};

/* Appends to out. */
void planfile_write(const struct plan *, const struct planfile_nox *, struct buffer *out);

/* The plan in that folder. NULL after a warning. planfile_close frees. */
struct planfile *planfile_open(int dirfd) UNUSED_RESULT;

/* The same where there may be none, or no folder (-1): then NULL without a warning. */
struct planfile *planfile_find(int dirfd) UNUSED_RESULT;
void planfile_close(struct planfile *);

/* The first line. Borrowed: lives until planfile_close. */
const json_t *planfile_header(const struct planfile *);

/* Why nox cannot select the default sessions, in words; NULL: it can. The caller frees. */
char *planfile_complaint(const struct planfile *) UNUSED_RESULT;

/* A new reference, or NULL without a warning when there is none such. */
json_t *planfile_session(struct planfile *, const char *target) UNUSED_RESULT;

/* The targets of the session with that number in the noxfile, several if it is cut. A new list. */
json_t *planfile_targets_at(struct planfile *, size_t index) UNUSED_RESULT;

/* Line after line from the start: sessions, then groups. NULL at the end. A new reference. */
void planfile_rewind(struct planfile *);
json_t *planfile_next(struct planfile *) UNUSED_RESULT;

/* Is that a session of the plan? NULL has none. The first call reads it all. */
bool planfile_has_session(struct planfile *, const char *target);

/*
 * For planfile_expand: that session comes after the other one if both run, though the plan does not
 * say so. Targets that are no sessions of the plan add nothing.
 */
void planfile_add_after(struct planfile *, const char *target, const char *other);

/*
 * All sessions that the goals run (a list of targets, of sessions and groups), prerequisites
 * included and first: target -> line of the plan, in that order, added to `sessions`. 0, or -1 when
 * there are unknown goals, which add nothing; each is told, if warns.
 */
int planfile_expand(struct planfile *, const json_t *goals, json_t *sessions, bool warns);

/* The members of that group, targets all of them; NULL if there is none such. Borrowed. */
const json_t *planfile_group(struct planfile *, const char *target);

/* The parts of the session by that target, if it is cut: a new list; else NULL. */
json_t *planfile_parts(struct planfile *, const char *target) UNUSED_RESULT;

/* Is that one a target of the plan, of a session or a group? If not, a warning says what may be. */
bool planfile_knows(struct planfile *, const char *target);

#endif
