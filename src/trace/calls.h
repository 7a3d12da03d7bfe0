#ifndef NOXMK_TRACE_CALLS_H
#define NOXMK_TRACE_CALLS_H

/*
 * The system calls that a trace is made of: a table of which argument is what, and of what the call
 * does there. Nothing here looks at a process or a file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is done at a path; store.h says what becomes of it. */
enum act {
	ACT_OPEN,  /* by the flags of open(2) */
	ACT_OPEN2, /* the same, with flags that lie in the caller's memory: call_touches */
	ACT_CREAT, /* the same as ACT_OPEN, by the flags of creat(2) */
	ACT_RENAME_FROM, ACT_RENAME_TO, ACT_EXCHANGE,
	ACT_UNLINK, ACT_RMDIR, ACT_MKDIR,
	ACT_SYMLINK,
	ACT_MAKE,  /* another name of a file, a FIFO … */
	ACT_LINK,  /* it gets another name */
	ACT_TRUNCATE,
	ACT_CHMOD, ACT_CHOWN, ACT_UTIME, ACT_META, /* META: any other attribute */
	ACT_EXEC, ACT_PROBE, ACT_READLINK, ACT_LIST, ACT_LOCK,
	ACT_BIND, ACT_CONNECT,
	ACT_FOREIGN /* what follows may be in another mount namespace, or beyond paths */
};

/* A call as a thread makes it. */
struct made {
	pid_t pid; /* of the thread; 0: it has no number here */
	int number;
	unsigned arch; /* AUDIT_ARCH_... */
	uint64_t arguments[6];
};

/* When the kernel is to tell of a call: the value of an argument, from 1 on, under a mask. */
struct call_when {
	unsigned char argument; /* 0: always */
	uint64_t mask, value;
};

struct call {
	int number;
	enum act act;
	unsigned char dirfd, path; /* which argument, from 1 on; 0: none. A dirfd alone is a file */
	unsigned char to_dirfd, to_path; /* of a second path */
	unsigned char flags;       /* of open(2), or AT_… */
	unsigned char sets;        /* the mode, the owner with the group behind it, the times */
	bool stays;                /* at a link in the path's last part */
	bool asks;                 /* only whether something is there, what it is, and its names */
	struct call_when when;     /* any of them: a call may have several rows in a row */
};

/* All of them, in the order of the table, from 0 on; NULL behind the last one. */
const struct call *call_at(size_t);

/* The one of that number, or NULL. */
const struct call *call_of(int number);

/* Would the kernel tell of it, by one of its rows? For where it tells of all calls there are. */
bool call_is_told(int number, const uint64_t arguments[6]);

/* One path that a call touches. */
struct touch {
	int dirfd;       /* AT_FDCWD: the folder that the process is in */
	uint64_t path;   /* its address there; 0: dirfd itself is meant */
	bool stays;      /* see above */
	bool may_be_empty; /* an empty path means dirfd itself */
	enum act act;
	unsigned flags;  /* of open(2), for ACT_OPEN */
	uint64_t sets[2]; /* the mode; owner and group; the time of change, as `more` below */
};

/* The time of change that ACT_UTIME sets, in nanoseconds of Unix time; else one of these. */
#define CALL_TIME_NOW UINT64_MAX
#define CALL_TIME_STAYS (UINT64_MAX - 1)

/*
 * What a call with these arguments touches: as many of *touches as it says. more: what lies in the
 * caller's memory: the flags of openat2(2), for ACT_OPEN2; that time, for ACT_UTIME.
 */
enum { CALL_TOUCHES = 2 };
size_t call_touches(const struct call *, const uint64_t arguments[6], uint64_t more,
    struct touch touches[CALL_TOUCHES]);

#endif
