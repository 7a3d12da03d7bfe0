#ifndef NOXMK_TESTS_FUZZ_RULECHECK_H
#define NOXMK_TESTS_FUZZ_RULECHECK_H

#include "plan/plan.h"

/*
 * Reads sessions.mk as strictly as nothing else does: each line must be one of the few forms that
 * rule.c may write, and each name a slug. Aborts at the first thing that is not so.
 */
void rulecheck_makefile(const char *text, const struct plan *, const struct strings *reserved);

/* The same for plan.jsonl. */
void rulecheck_planfile(const char *text, const struct plan *);

#endif
