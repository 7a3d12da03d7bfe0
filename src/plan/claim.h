#ifndef NOXMK_PLAN_CLAIM_H
#define NOXMK_PLAN_CLAIM_H

/* A plan's resources, and what each session claims of them. `by` is kept as a copy. */

#include "plan/config.h"
#include "plan/plan.h"

struct claims;

/* The plan gets the resources that the configuration lists. claims_free frees. */
struct claims *claims_new(struct plan *, const struct config *) UNUSED_RESULT;
void claims_free(struct claims *);

/*
 * What a section declares: use for itself (all of it, or an amount), and use beside other readers.
 * When a session's sections differ, exclusive use wins over shared, and of two amounts the later.
 * 0, or -1 after a warning when the resource's capacity does not allow that.
 */
int claim_use(struct claims *, size_t session, const struct config_use *, const char *by);
int claim_read(struct claims *, size_t session, const char *name, const char *by);

/* The session is to run alone; and, when all of those are known, what that means for the others. */
void claim_everything(struct claims *, size_t session, const char *by);
void claim_the_rest(struct claims *);

/* Each session's environment, if it has one. Another make in this checkout may want it too. */
void claim_environments(struct claims *);

#endif
