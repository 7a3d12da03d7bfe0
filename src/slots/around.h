#ifndef NOXMK_SLOTS_AROUND_H
#define NOXMK_SLOTS_AROUND_H

/*
 * What the sessions around us hold: a session may run make, and so be an ancestor of ours. What it
 * holds it gives back when it ends, and that is after us. Whoever needs it among us would wait for
 * ever, and whoever else waits for it waits for us as well.
 */

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

struct around;

struct around *around_open(void) UNUSED_RESULT;
void around_close(struct around *);

/* Forgets what was noted. */
void around_clear(struct around *);

/* A claim that somebody holds: its file, which he has open, and what that says (lock.h). */
void around_note(struct around *, int file, json_t *claim);

/*
 * Do those that were noted and are held around us keep these claims (as in plan.jsonl) from being
 * granted? Then the first that does, which is borrowed; else NULL. *resource: what of it.
 */
const json_t *around_holder(struct around *, const json_t *claims, const char **resource);

/* Does that process run around us? */
bool around_has(struct around *, pid_t);

#endif
