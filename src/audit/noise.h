#ifndef NOXMK_AUDIT_NOISE_H
#define NOXMK_AUDIT_NOISE_H

/*
 * The rules by which noxmk audit takes what is harmless for that. Each has a name, and can be
 * switched off: --no-rule NAME. Some change what a session is seen to do (access.c), the others
 * what two sessions are to each other (clash.c; the last one, analysis.c). noxmk(1) has the same
 * list.
 */

#include <stdbool.h>

#include "base/util.h"

enum noise {
	NOISE_SYSTEM, NOISE_OWN_STATE, NOISE_BYTECODE, NOISE_DATABASES, NOISE_GIT_INDEX,
	NOISE_UNCHANGED, NOISE_FOLDERS, NOISE_TEMPORARY, NOISE_PYTEST_TMP, NOISE_LOCKS,
	NOISE_APPENDED, NOISE_CACHES, NOISE_SAME, NOISE_WALKERS, NOISE_OUTSIDE, NOISE_BUILDS,
	NOISE_DECLARED, NOISES
};

/* What is to be seen: sets of rules, bit 1 << rule. */
#define NOISE_SET(rule) (1U << (rule))

/* Its name, and what it says of a thing that it is about, as a part of a sentence. */
const char *noise_name(enum noise);
const char *noise_reason(enum noise);

/* The rule of that name; NOISES: there is none. */
enum noise noise_of(const char *name);

/* Adds all names. */
void noise_add_names(struct strings *);

/* Is that path of the system's own: devices, processes? */
bool noise_is_system(const char *path);

/* Is it in a folder that a tool keeps for its own and that its users share without harm? */
bool noise_is_cache(const char *path);

/* Is it in a folder that pytest makes with a number of its own? */
bool noise_is_pytest_tmp(const char *path);

/* Does it look like a file that only serves as a lock? */
bool noise_is_lock_name(const char *path);

#endif
