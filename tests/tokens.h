#ifndef NOXMK_TESTS_TOKENS_H
#define NOXMK_TESTS_TOKENS_H

/* A make without a make, for the suites of what takes and gives its tokens. */

#include <stdbool.h>
#include <sys/types.h>

/* Its jobserver's pipe, and the MAKEFLAGS and the word that name it. */
struct make {
	int ends[2];
	char *flags, *auth;
};

/* Closed by make_gone. */
struct make make_with(int tokens);
void make_gone(struct make *);

int tokens_in(const struct make *);

/* The guard is quick, but a process of its own. */
void await_tokens(const struct make *, int n);

pid_t only_child(pid_t parent);

/* See guard_process.c: may a guard hold the news of its helper's death back? */
bool may_trace(void);

#endif
