#ifndef NOXMK_SHARD_MATRIX_H
#define NOXMK_SHARD_MATRIX_H

/*
 * `noxmk matrix`: shards for people, and for the engines that run them. As JSON, one line, what
 * GitHub and Forgejo take by fromJSON for `strategy.matrix`:
 *
 *   {"include":[{"shard":"1/4@9f86d081884c7d65","name":"1/4","targets":"lint tests-3.12",
 *                "sessions":2,"seconds":81.5,"runs-on":"ubuntu-latest",
 *                "tied":"docs requires lint; …"},…]}
 *
 * shard: for NOXMK_SHARD. seconds: what is expected, with the machine's cost; null: of none of its
 * sessions the time is known. runs-on: the label of its sessions, or the one for all others. tied:
 * why some of them stay together, if so. For GitLab
 * it is the text of a child pipeline, with a job for each shard that extends the project's own
 * `.shard`.
 */

#include <stdbool.h>

#include "shard/shards.h"

enum matrix_format { MATRIX_TABLE, MATRIX_JSON, MATRIX_GITLAB };

struct matrix {
	const struct shards *shards;
	const struct history *history;
	double cost;         /* seconds that each machine takes besides */
	bool learned;        /* by the history, and not by the user */
	const char *runs_on; /* the label of machines for sessions without one */
	const char *include; /* for GitLab: the file with `.shard`, seen from the repository */
};

/* On standard output. */
void matrix_print(const struct matrix *, enum matrix_format);

#endif
