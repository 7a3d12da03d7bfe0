#ifndef NOXMK_ORDER_WHATIF_H
#define NOXMK_ORDER_WHATIF_H

/*
 * How long a run would have taken, had something been otherwise: by simulating make with what the
 * records of that run say of its sessions. Each is taken to need the time that it has taken less
 * what it lost to others, and as many processors as it kept busy on average.
 */

#include <jansson.h>

#include "state/history.h"
#include "state/record.h"

struct whatif;

/*
 * The sessions of the run: target -> line of the plan; n records, of some or all of them. Those of
 * which there is none count as the history has it; one that has not run takes no time. slots: that
 * make had;
 * processors: that there were. What make and the helpers take for each session besides is that with
 * which the simulation, in the order in which they started, takes as long as the run has. Borrows
 * all. whatif_free frees.
 */
struct whatif *whatif_new(const json_t *sessions, const struct record *, size_t n,
    const struct history *, unsigned slots, unsigned processors) UNUSED_RESULT;
void whatif_free(struct whatif *);

/* Seconds with so many slots, in the order that is best then. */
double whatif_slots(const struct whatif *, unsigned slots);

/* The same with the run's own slots, as things were. */
double whatif_as_it_was(const struct whatif *);

/* If nobody had to wait for that resource; if no session had to wait for another one's end. */
double whatif_without(struct whatif *, const char *resource);
double whatif_without_edges(struct whatif *);

/* If that session took half of its time. */
double whatif_halved(struct whatif *, const char *target);

/* The names of the resources, as the keys of an object. Borrowed. */
const json_t *whatif_resources(const struct whatif *);

#endif
