#ifndef NOXMK_AUDIT_CLASH_H
#define NOXMK_AUDIT_CLASH_H

/*
 * Where two sessions meet such that their order or company matters: each pair of them on each path,
 * port and socket, by what they do there. noise.h has what is harmless.
 */

#include "audit/access.h"
#include "audit/noise.h"

enum level { LEVEL_HARMLESS, LEVEL_LIKELY, LEVEL_CONFLICT };

enum clash_kind {
	CLASH_WRITES, /* both write it */
	CLASH_READS,  /* one writes it, the other reads it */
	CLASH_MISSES, /* one makes it, the other did not find it */
	CLASH_PROBES, /* one writes it, the other asks whether it is there */
	CLASH_TREE,   /* one removes or renames the folder, the other uses what is in it */
	CLASH_PORT,   /* both listen at that port, or that socket */
	CLASH_SERVES, /* one listens there, the other connects */
	CLASH_KINDS
};

/* In the words of the JSON that programs read, and of tables. */
const char *clash_name(enum clash_kind);
const char *level_name(enum level);

/*
 * What n sessions do, those that change something or those that do not, before a word for what they
 * meet at: "writes", "listen on".
 */
const char *clash_verb(enum clash_kind, bool writers, size_t n);

/* What one of the two does. */
enum clash_role { ROLE_WRITES = 1, ROLE_READS = 2 };

struct clash {
	size_t first, second; /* positions of the sessions, in the order in which they ran */
	enum clash_kind kind;
	enum level level;
	enum noise rule;      /* why it is harmless; NOISES: it is not */
	unsigned roles[2];    /* sets of enum clash_role */
	bool hands_on;        /* the second reads what the first has made */
	bool is_found;        /* the second only asks for it, but the first has made it */
	const char *programs[2]; /* or NULL */
	const char *path;     /* or "port 8765/tcp", "socket /p/x" */
	bool is_path;         /* else the list owns that text */
};

struct clashes {
	struct clash *v;
	size_t n, room;
};

/* What there is to know besides the traces. */
struct clash_scene {
	const struct actor *actors; /* in the order in which they ran */
	size_t n;
	unsigned rules;             /* those that are on */
	const char *root;           /* the project, canonical */
	struct strings own;         /* folders of noxmk's own */
	bool builds_apart;          /* noxmk keeps builds of the project apart */
};

/* All of them, by path. clash_clear frees. */
struct clashes clash_find(const struct clash_scene *) UNUSED_RESULT;
void clash_clear(struct clashes *);

/* Does the path lie in that folder, or is it that? */
bool clash_is_below(const char *path, const char *folder);

#endif
