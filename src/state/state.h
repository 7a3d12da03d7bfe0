#ifndef NOXMK_STATE_STATE_H
#define NOXMK_STATE_STATE_H

#include <stdbool.h>

#include "base/util.h"

/*
 * The state folder, which holds all that must last between makes of a project. It lies in nox's own
 * folder, .nox/.noxmk: whatever walks through a checkout and copes with the users of nox, a
 * packager, linter or test runner, leaves that alone. NOXMK_STATE, or `noxmk -S`, puts it
 * elsewhere: an absolute path, or one seen from the project.
 *
 *   .gitignore, CACHEDIR.TAG   git never sees the folder, nor do backups
 *   sessions.mk, plan.jsonl    the plan (rule.h, planfile.h)
 *   inputs.json                what it rests on (nox/inputs.h)
 *   planning.XXXXXX/           while it is made (nox/scratch.h)
 *   order.mk                   the order of some goals (order.h)
 *   traces/, hazards.json      what audits have seen (audit/kept.h, plan/hazards.h)
 *   equivalence/               logs of the last audit of that (equivalence.h)
 *   history.json, failed       what earlier runs came to (history.h, learned.h, failed.h)
 *   forked, unforked           can the sessions of a plan be forked? (forkable.h)
 *   locks/                     who uses which resource (lock.h)
 *   runs/, latest              the runs, a folder for each, and the newest (rundir.h)
 *   lock                       see state_lock
 *
 * Its descriptor is called `state` everywhere. It is private, since logs may hold what is not for
 * everybody; whoever wants to share it with a group changes its mode, and we leave it so. What root
 * makes in it belongs to the owner of the checkout.
 */

/* The state folder as seen from the project, for people and for what takes no descriptor. */
const char *state_path(void);

/* A file of it, likewise. The caller frees. */
char *state_file(const char *name) UNUSED_RESULT;

/*
 * The folder itself, or the nearest one of its path that is there and that it would be made in;
 * NULL if none is. The caller frees.
 */
char *state_nearest(void) UNUSED_RESULT;

/* From here on state_path is this. */
void state_choose(const char *path);

/*
 * Opens the state folder of the current folder, the project's; state_make makes it if need be, or
 * moves it there from where it was before, .noxmk. The caller closes. -1 after a warning, which
 * names the owner if the folder is somebody else's.
 */
int state_make(void);
int state_open(void);

/* The same as state_open, but where there is none errno is ENOENT and nothing is printed. */
int state_find(void);

/*
 * Opens a folder in the state folder, which is made if need be, also in the place of something that
 * is none of ours, which is said. -1 after a warning; the caller closes.
 */
int state_folder(int state, const char *name);

/*
 * To be called when a make begins, and reads some of these files itself: removes what lies in the
 * place of one of our files and cannot be it, and says so. All of them are made anew. False when
 * something stays that make must not read.
 */
bool state_mend(int state);

/*
 * Waits until nobody else changes a file of the state folder that is read, changed and replaced,
 * and keeps others from that until state_unlock is given what this returns. Nobody may inherit
 * that descriptor. Where the lock is not to be had within so many seconds, that is warned of, and
 * the caller goes on without it: -1.
 */
int state_lock(int state, int seconds);

/* Has a process that we run within that lock? */
bool state_is_locked_around(int state);

/* Seconds in which others read, change and replace a file. */
enum { STATE_PATIENCE = 3 };
void state_unlock(int lock);

#endif
