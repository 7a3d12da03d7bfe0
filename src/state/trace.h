#ifndef NOXMK_STATE_TRACE_H
#define NOXMK_STATE_TRACE_H

/*
 * TARGET.trace in the run folder: what files and sockets a session has touched, one JSON object a
 * line. What is text here, a path or a program, may be {"hex":"…"} as of word.h.
 *
 *   {"noxmk-trace":1,"target":"lint","session":"lint","mechanism":"notify","kernel":"6.1.0",
 *    "root":"/p","cwd":"/p","began":1796000000.25,"argv":["nox","-s","lint"]}
 *   {"path":"/p/.coverage","ops":["write","create"],"first":"create","count":3,"before":null,
 *    "after":{"type":"file","mode":420,"size":53248,"mtime":1796000001.25,"ino":17,"dev":2049},
 *    "hash":"9f86…","reader":"pytest","writer":"coverage","read":[0.5,0.75],"wrote":[0.25,0.75]}
 *   {"port":8765,"proto":"tcp","address":"127.0.0.1","op":"bind","program":"python3"}
 *   {"unix":"/p/run.sock","op":"connect","program":"psql"}
 *   {"end":1796000009.5,"unreadable":0,"foreign":0,"strays":0,"complete":true,"why":null}
 *
 * mechanism: how it was seen: notify, ptrace, or snapshot, which only looks at the tree before and
 * after. root: the project. Two more keys, if several traces are united: runs, of how many; basis:
 * what they rest on, audit/kept.h. began, end: Unix time. path: canonical and absolute. ops:
 * all that was done there, and first what came first. before, after: what was there then: null for
 * nothing, and not there for what nobody has looked at; a file with several names has their number
 * as links. hash: of what is in the project's file
 * afterwards, or not there. reader, writer: the first program that read and that wrote. read,
 * wrote: the first and the last time of that, in seconds since began; not there: never. unreadable:
 * calls of which the path could not be read; foreign: calls of another architecture or in another
 * mount namespace; strays: processes that outlived the session; why: it is not complete. A trace
 * without that last line is not complete either.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

/* What a session does at a path. EXCL: it creates it, and wants that to fail if it is there. */
enum trace_op {
	TRACE_READ, TRACE_WRITE, TRACE_CREATE, TRACE_TRUNCATE, TRACE_APPEND, TRACE_EXCL,
	TRACE_DELETE, TRACE_RENAME_FROM, TRACE_RENAME_TO, TRACE_MKDIR, TRACE_RMDIR,
	TRACE_META,    /* owner, mode, times, attributes were set to others */
	TRACE_EXEC,
	TRACE_PROBE,   /* asked whether it is there, or what it is */
	TRACE_LIST,    /* a folder's names were read */
	TRACE_MISSING, /* it was not there when it was to be read or asked for */
	TRACE_LOCK,
	TRACE_SUBTREE, /* a folder was renamed, removed or closed, with all that is in it */
	TRACE_CLOSE,   /* a folder was closed for what writes: no name can come or go */
	TRACE_OPS
};

/* Sets of them, bit 1 << op. */
#define TRACE_SET(op) (1U << (op))

/* Their words, as in the file. */
const char *trace_op_name(enum trace_op);

/* What is at a path. */
enum trace_kind { TRACE_UNSEEN, TRACE_NOTHING, TRACE_FILE, TRACE_FOLDER, TRACE_LINK, TRACE_OTHER };
struct trace_state {
	enum trace_kind kind;
	unsigned mode; /* the permission bits */
	long long size;
	double mtime;  /* Unix time */
	unsigned long long ino, dev;
	unsigned long long links; /* of a file, its names: 0: one, or nobody knows */
};

struct trace_path {
	char *path;
	unsigned ops; /* a set */
	enum trace_op first;
	unsigned long long count;
	struct trace_state before, after;
	char *hash, *reader, *writer; /* or NULL */
	double read[2], wrote[2];     /* the first and the last time; -1: never */
};

struct trace_socket {
	char *path; /* of a Unix socket, "@…" for an abstract one; NULL: it is one of IP */
	int port;
	bool udp, binds; /* not udp: TCP; not binds: it connects */
	char *address;   /* or NULL */
	char *program;   /* or NULL */
};

struct trace {
	char *target, *session, *mechanism, *kernel, *root, *cwd, *basis; /* or NULL */
	double began, ended;
	unsigned runs;
	json_t *argv; /* words as of word.h, or NULL */
	struct trace_path *paths;
	size_t npaths;
	struct trace_socket *sockets;
	size_t nsockets;
	unsigned long long unreadable, foreign, strays;
	bool complete;
	char *why; /* or NULL */
};

/* What makes a word one without secrets: takes it, and returns that. */
struct trace_hider {
	char *(*hide)(void *data, char *word);
	void *data;
};

/*
 * Each adds a line: the first what is known of the trace at its begin, the last the end. No secret
 * of the hider, which may be NULL, is in them.
 */
void trace_put_begin(struct buffer *, const struct trace *, const struct trace_hider *);
void trace_put_path(struct buffer *, const struct trace_path *, const struct trace_hider *);
void trace_put_socket(struct buffer *, const struct trace_socket *,
    const struct trace_hider *);
void trace_put_end(struct buffer *, const struct trace *);

/* All of them, in their order. */
void trace_put(struct buffer *, const struct trace *);

/* The name of the file, which is the target and that. The caller frees. */
#define TRACE_SUFFIX ".trace"
char *trace_name(const char *target) UNUSED_RESULT;

/*
 * Reads the trace of that target, as it was written last. 1 and a filled trace, whose paths are
 * sorted and no two of which are one (trace_clear frees), 0 when there is none, -1 after a warning
 * when the file cannot be read or is not a trace of that target. A line that is damaged is left
 * out, and then the trace is not complete.
 */
int trace_read(int dirfd, const char *target, struct trace *);
void trace_clear(struct trace *);

/* What a trace that was read has of that path, or NULL. */
const struct trace_path *trace_find(const struct trace *, const char *path);

/* What is in its root, and that, is in this one from now on. */
void trace_move(struct trace *, const char *root);

/* Adds what another trace of the same session has seen, which is cleared; the newer one is that. */
void trace_unite(struct trace *, struct trace *newer);

#endif
