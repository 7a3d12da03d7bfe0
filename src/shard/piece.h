#ifndef NOXMK_SHARD_PIECE_H
#define NOXMK_SHARD_PIECE_H

/*
 * The run folder of one of several machines, as an artifact brings it: from another path and
 * another user, cut off maybe, and maybe made by an enemy. Only records and logs of sessions of our
 * own plan are read, by names that we make ourselves, and of what a record says that names files or
 * targets only what can be so. Its plan is not read, nor are its knobs, but for the shard. No text
 * of it is shown that is not made safe.
 */

#include <jansson.h>
#include <stdbool.h>

#include "plan/planfile.h"
#include "state/machine.h"
#include "state/record.h"
#include "state/shard.h"

struct piece {
	char *name;              /* for people */
	int rundir;              /* -1: it is no run, or of another commit */
	json_t *info;            /* the run info */
	json_t *goals, *left;    /* lists of strings, not yet known to be targets; left: or NULL */
	json_t *own;             /* likewise, goals of its makefile's own */
	json_t *sessions;        /* that it was to run: target -> line of our plan */
	struct shard_choice shard; /* number 0: no NOXMK_SHARD */
	struct machine machine;
	json_t *told;            /* targets whose records were warned of */
};

/*
 * Opens the run of that folder: itself, or the newest one in it, if it is a state folder. commit:
 * of which it is to be, or NULL: that is not known. What is wrong is warned of, and counted:
 * *faults. piece_close frees.
 */
void piece_open(struct piece *, const char *folder, struct planfile *, const char *commit,
    unsigned *faults);
void piece_close(struct piece *);

/* As record_read, but nothing in the record leads to other files or targets than the plan's. */
int piece_record(const struct piece *, struct planfile *, const char *target, struct record *);

/* The targets of our plan that there may be records of. A new list. */
json_t *piece_targets(const struct piece *, struct planfile *) UNUSED_RESULT;

/*
 * Copies the logs of that record. What cannot be read is warned of: the verdict holds all the same.
 * 0, or -1 after a warning where one cannot be written.
 */
int piece_copy_logs(const struct piece *, const struct record *, int rundir);

#endif
