#ifndef NOXMK_PLAN_FACTS_H
#define NOXMK_PLAN_FACTS_H

/*
 * What a noxfile says, as nox/probe.py found it. The head of probe.py describes the format of its
 * JSON; facts_parse checks every field, so that the rest of noxmk need not.
 */

#include <jansson.h>

#include "base/util.h"

/*
 * What a session takes from others, as far as the code shows (nox/coupling.py): a global variable
 * that they assign, or files that they leave.
 */
struct facts_tie {
	bool is_global;
	const char *what;    /* the variable's name; or what it is, for people */
	struct indices from; /* positions in facts.sessions */
};

struct facts_session {
	const char *name;        /* base name: tests */
	const char *session;     /* as nox lists it: tests-3.12(django='4.2') */
	const char *description; /* first line of the docstring, or "" */
	const char *python;      /* NULL when none is asked for */
	const char *envdir;      /* absolute, NULL when the session has no environment */
	const char *complaint;   /* nox could not resolve its requires=: its words, or NULL */
	const json_t *twin;      /* see plan/planfile.h; NULL: not known */
	int parallel;            /* allow_parallel=: 1, 0, or -1 when the noxfile has none */
	size_t number;           /* its position in the noxfile, which the shim knows it by */
	unsigned part, parts;    /* which one it is of how many (parts.h); 0 and 0: the whole */
	struct strings signatures;
	struct strings tags;
	struct indices requires; /* direct prerequisites, positions in facts.sessions */
	struct indices notifies; /* sessions it may notify, as far as its code shows */
	struct facts_tie *ties;
	size_t nties;
	const json_t *leaves; /* what it hands on: a list of [module, global variable]; or NULL */
};

struct facts {
	json_t *root;         /* owns every string below */
	const char *nox;      /* its version */
	const char *python;   /* the interpreter nox runs in; NULL: unknown (a listing, no probe) */
	const char *noxfile;  /* absolute */
	const char *complaint; /* why nox could not make its default selection, or NULL */
	bool fail_fast;       /* nox's stop_on_first_error */
	json_t *config;           /* [tool.noxmk] of pyproject.toml; NULL or null when not there */
	const char *config_error; /* why it cannot be told, or NULL */
	struct strings path;  /* sys.path of that interpreter */
	const json_t *inputs;   /* what the plan rests on, see nox/inputs.h; NULL: not known */
	struct strings asked;   /* names of variables that the noxfile asked for */
	const char *changing;   /* what else it rests on, that changes without a trace; or NULL */
	bool forkable;          /* is it likely that one process can load it for all sessions? */
	struct strings args;    /* options in the user's nox command, for every session */
	const json_t *environ;  /* variable that nox was started with -> its value; NULL: unknown */
	struct strings pythons; /* what nox narrows every selection to; empty: to none */
	struct indices queue; /* what plain `nox` runs, in its order, prerequisites included */
	struct facts_session *sessions; /* all of them, in definition order */
	size_t n;
};

/*
 * Takes its own reference to root. NULL after a warning that names source (the file or command
 * that the JSON came from) and the field. facts_free frees.
 */
struct facts *facts_parse(json_t *root, const char *source) UNUSED_RESULT;
void facts_free(struct facts *);

#endif
