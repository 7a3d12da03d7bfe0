#ifndef NOXMK_PLAN_CONFIG_H
#define NOXMK_PLAN_CONFIG_H

/*
 * Reads the table [tool.noxmk] of pyproject.toml, which nox.mk(5), CONFIGURATION describes, and
 * checks what can be checked without the noxfile: keys, types, quantities, durations, names of
 * resources. What only some sessions can make wrong is left to overlay.h.
 */

#include <jansson.h>

#include "plan/setting.h"

/* The value of a choice that a section does not make. */
enum { CONFIG_UNSET = -1 };

struct config_resource {
	const char *name;
	long long capacity;
};

struct config_use {
	char *name;
	long long amount; /* 0: all of it */
};

struct config_uses {
	struct config_use *v;
	size_t n;
};

/* One [tool.noxmk.session.NAME]. */
struct config_session {
	const char *name;
	const json_t *table; /* all of it; its options (options.h) are read from here */
	struct config_uses uses;
	struct strings reads, after, needs, together;
	int alone, is_default;
};

struct config_group {
	const char *name;
	struct strings members;
};

/* The word of `locks` by which a session that cannot lock what it claims runs all the same. */
#define CONFIG_BEST_EFFORT "best-effort"

/* The word of `hazards` by which those that audit has seen become edges: hazards.h. */
#define CONFIG_LEARN "learn"

struct config {
	json_t *root; /* owns all strings but the names in uses */
	bool source_build;   /* builds in the source tree are to be kept apart */
	long long log_limit; /* bytes; 0: none */
	struct strings mask; /* patterns for names of variables with secrets */
	struct strings unmask; /* and for those that have none all the same */
	const char *locks;       /* a word: see CONFIG_BEST_EFFORT; or NULL */
	const char *hazards;     /* CONFIG_LEARN, or NULL */
	const char *ci_commands; /* what sessions may tell the CI (ci.h); NULL: it is not said */
	struct config_resource *resources;
	size_t nresources;
	struct config_session *sessions; /* in the order of the file, as groups are */
	size_t nsessions;
	struct config_group *groups;
	size_t ngroups;
};

/*
 * Takes its own reference to the table; NULL or null is an empty one. NULL after one warning that
 * names the file, the key and the remedy. config_free frees.
 */
struct config *config_parse(json_t *table) UNUSED_RESULT;
void config_free(struct config *);

#endif
