#ifndef NOXMK_REPORT_ADVICE_H
#define NOXMK_REPORT_ADVICE_H

/*
 * What would make a run shorter (order/whatif.h): another -j, a resource that nobody has to wait
 * for, a session in half of its time.
 */

#include <jansson.h>

#include "report/story.h"
#include "state/history.h"

/*
 * The predictions, in seconds of wall time:
 *
 *   {"as_it_was":20.1,"jobs":{"1":40.2,"2":20.1,…},"without":{"db":17.5},"without_edges":20.1,
 *    "halved":{"tests":15.0},"advice":"…"}
 *
 * as_it_was: with the run's own -j; jobs: with others; without: if nobody had to wait for one of
 * the resources that sessions share; without_edges: nor for another session's end; halved: for the
 * sessions of the critical path and the longest ones. advice: the one change that helps most, in a
 * sentence, or null where nothing helps much. A new reference; null of one session alone, of a run
 * that was cut short, and of more sessions than can be simulated in a few seconds.
 */
json_t *advice_of(const struct story *, const struct history *) UNUSED_RESULT;

/* The same for people, or why there is none. predictions: of advice_of. */
void advice_add(struct buffer *out, const struct story *, const json_t *predictions);

/*
 * What uv would save, in a sentence, if environments and installs took much of the sessions' time
 * and none was by uv; else NULL. The caller frees.
 */
char *advice_on_uv(const struct story *) UNUSED_RESULT;

/*
 * What NOXMK_FORK=0 has cost, in a sentence without its end, if the starts and ends of nox took
 * much of the sessions' time; else NULL. The caller frees.
 */
char *advice_on_fork(const struct story *) UNUSED_RESULT;

/*
 * That one session took nearly all of the run, and longer than all would with their work shared
 * evenly, and how it is cut in parts (plan/parts.h), in a sentence; else NULL. The caller frees.
 */
char *advice_on_parts(const struct story *) UNUSED_RESULT;

#endif
