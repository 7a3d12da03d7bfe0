#ifndef NOXMK_PLAN_CLAIM_H
#define NOXMK_PLAN_CLAIM_H

/*
 * Collects the resources of a plan, and what each session claims of them. `by` names the place
 * where a claim is declared; the plan keeps a copy.
 */

#include "plan/config.h"
#include "plan/plan.h"

struct claims;

/* Adds the resources that the configuration lists to the plan. claims_free frees. */
struct claims *claims_new(struct plan *, const struct config *) UNUSED_RESULT;
void claims_free(struct claims *);

/*
 * Claim what a section declares: `uses` a resource for itself (all of it, or an amount), or `reads`
 * it beside other readers. Where the sections of a session differ, exclusive use wins over shared,
 * and the later amount over the earlier. 0, or -1 after a warning when the resource's capacity does
 * not allow the claim.
 */
int claim_use(struct claims *, size_t session, const struct config_use *, const char *by);
int claim_read(struct claims *, size_t session, const char *name, const char *by);

/*
 * claim_everything: the session is to run alone. claim_the_rest, called once when all of those are
 * known: if there are any, every other session shares everything with its like.
 */
void claim_everything(struct claims *, size_t session, const char *by);
void claim_the_rest(struct claims *);

/*
 * Claims the environment of each session that has one, for itself: sessions may share a folder, and
 * another make in this checkout may run the same session.
 */
void claim_environments(struct claims *);

#endif
