#ifndef NOXMK_PLAN_CONFIG_H
#define NOXMK_PLAN_CONFIG_H

/*
 * The table [tool.noxmk] of pyproject.toml: what noxmk(1), CONFIGURATION tells. Checked as far as
 * it can be without the noxfile: keys, types, quantities, durations, names of resources.
 */

#include <jansson.h>

#include "base/util.h"

#define CONFIG_FILE "pyproject.toml"

/* Of a switch or number that the section does not set. */
enum { CONFIG_UNSET = -1 };

struct config_resource {
	const char *name;
	long long capacity;
};

struct config_use {
	char *name;
	long long amount; /* 0: all of it */
};

/* One [tool.noxmk.session.NAME]. */
struct config_session {
	const char *name;
	struct config_use *uses;
	size_t nuses;
	struct strings reads, after, needs;
	int alone, is_default, budget, retries;
	bool may_leak;               /* processes that outlive it are left alone */
	unsigned jobs_min, jobs_max; /* most 0: all there are; least 0: not set */
	double timeout, slow;        /* seconds; 0: none */
	const json_t *env;           /* an object of strings, or NULL */
};

struct config_group {
	const char *name;
	struct strings members;
};

struct config {
	json_t *root; /* owns all strings but the names in uses */
	bool source_build;
	long long log_limit;  /* bytes; 0: none */
	struct strings mask;  /* patterns for names of variables with secrets */
	struct config_resource *resources;
	size_t nresources;
	struct config_session *sessions; /* in the order of the file, as groups are */
	size_t nsessions;
	struct config_group *groups;
	size_t ngroups;
};

/*
 * Takes its own reference to the table; NULL or null is an empty one. NULL after one warning that
 * names the file, the key and the remedy. config_free releases all.
 */
struct config *config_parse(json_t *table) UNUSED_RESULT;
void config_free(struct config *);

/*
 * tool.noxmk.session."tests*".uses for ("session", "tests*", "uses"), quoted as TOML wants it; a
 * NULL is left out. The caller frees.
 */
char *config_place(const char *table, const char *name, const char *key) UNUSED_RESULT;

#endif
