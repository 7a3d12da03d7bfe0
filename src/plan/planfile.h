#ifndef NOXMK_PLAN_PLANFILE_H
#define NOXMK_PLAN_PLANFILE_H

/*
 * plan.jsonl: the plan as the helper itself reads it back, one JSON object a line:
 *
 *   {"schema":1,"nox":"…","command":["nox"],"args":[],"python":"…","path":[…],"noxfile":"…",
 *    "complaint":null,"source_build":true,"log_limit":8589934592,"mask":["*TOKEN*"],
 *    "unmask":[],"ci_commands":null}
 *   {"target":"lint","session":"lint","name":"lint","index":0,"selector":"lint","description":"…",
 *    "default":true,"requires":["build"],"after":[],"complaint":null,
 *    "by":{"build":"tool.noxmk.session.lint.needs"},
 *    "claims":[{"resource":"database","use":"exclusive","by":"tool.noxmk.session.lint.uses"},
 *              {"resource":"docs","use":"shared","by":"…"},
 *              {"resource":"memory","use":"amount","amount":2048,"capacity":8192,"by":"…"}],
 *    "options":{"jobs":[1,4],"timeout":600.0,"slow":60.0,"retries":1,"env":{"K":"v"}}}
 *                                                                     one line a session
 *   {"group":"ci","what":"the default sessions","members":["lint","tests-3.12"]}
 *
 * options has only what is set; jobs is [least, most], where most 0 stands for all there are.
 * Sessions come in definition order, then groups. The key that a line is looked up by comes first
 * and is a slug, so a lookup compares bytes and parses one line only: a helper runs for every
 * session, and a plan may have thousands.
 */

#include <jansson.h>
#include <stdbool.h>

#include "plan/plan.h"

struct planfile;

/*
 * noxfile: as the user names it from the project's folder. command: the words of NOX. Appends to
 * out.
 */
void planfile_write(const struct plan *, const char *noxfile, const struct strings *command,
    struct buffer *out);

/* The plan in that folder. NULL after a warning. planfile_close frees. */
struct planfile *planfile_open(int dirfd) UNUSED_RESULT;
void planfile_close(struct planfile *);

/* The first line. Borrowed: lives until planfile_close. */
const json_t *planfile_header(const struct planfile *);

/* A new reference, or NULL without a warning when there is none such. */
json_t *planfile_session(struct planfile *, const char *target) UNUSED_RESULT;
json_t *planfile_session_at(struct planfile *, size_t index) UNUSED_RESULT;

/* Line after line from the start: sessions, then groups. NULL at the end. A new reference. */
void planfile_rewind(struct planfile *);
json_t *planfile_next(struct planfile *) UNUSED_RESULT;

/*
 * All sessions that the goals run (a list of targets, of sessions and groups), prerequisites
 * included and first: target -> line of the plan, in that order, added to `sessions`. 0, or -1 when
 * there are unknown goals, which add nothing; each is told, if warns.
 */
int planfile_expand(struct planfile *, const json_t *goals, json_t *sessions, bool warns);

#endif
