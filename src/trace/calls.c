#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>

#include "base/util.h"
#include "trace/calls.h"

/* Newer than the headers of Debian 12; these numbers are the same on all architectures. */
enum { FCHMODAT2 = 452, SETXATTRAT = 463, REMOVEXATTRAT = 466 };

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

/* fstat(3) of glibc asks by these calls, for an open file: most stats are such. */
#define NOT_OPEN(at) { .argument = (at), .mask = AT_EMPTY_PATH }

#define IS(at, all, what) { .argument = (at), .mask = (all), .value = (what) }

/* A call that is not there on this architecture has a negative number. */
static const struct call calls[] = {
	{ SCMP_SYS(open), ACT_OPEN, .path = 1, .flags = 2 },
	{ SCMP_SYS(openat), ACT_OPEN, .dirfd = 1, .path = 2, .flags = 3 },
	{ SCMP_SYS(openat2), ACT_OPEN2, .dirfd = 1, .path = 2 },
	{ SCMP_SYS(creat), ACT_CREAT, .path = 1 },
	{ SCMP_SYS(rename), ACT_RENAME_FROM, .path = 1, .to_path = 2, .stays = true },
	{ SCMP_SYS(renameat), ACT_RENAME_FROM, .dirfd = 1, .path = 2, .to_dirfd = 3, .to_path = 4,
	    .stays = true },
	{ SCMP_SYS(renameat2), ACT_RENAME_FROM, .dirfd = 1, .path = 2, .to_dirfd = 3,
	    .to_path = 4, .flags = 5, .stays = true },
	{ SCMP_SYS(unlink), ACT_UNLINK, .path = 1, .stays = true },
	{ SCMP_SYS(unlinkat), ACT_UNLINK, .dirfd = 1, .path = 2, .flags = 3, .stays = true },
	{ SCMP_SYS(rmdir), ACT_RMDIR, .path = 1, .stays = true },
	{ SCMP_SYS(mkdir), ACT_MKDIR, .path = 1, .stays = true },
	{ SCMP_SYS(mkdirat), ACT_MKDIR, .dirfd = 1, .path = 2, .stays = true },
	{ SCMP_SYS(mknod), ACT_MAKE, .path = 1, .stays = true },
	{ SCMP_SYS(mknodat), ACT_MAKE, .dirfd = 1, .path = 2, .stays = true },
	{ SCMP_SYS(symlink), ACT_SYMLINK, .path = 2, .stays = true },
	{ SCMP_SYS(symlinkat), ACT_SYMLINK, .dirfd = 2, .path = 3, .stays = true },
	{ SCMP_SYS(link), ACT_LINK, .path = 1, .to_path = 2, .stays = true },
	{ SCMP_SYS(linkat), ACT_LINK, .dirfd = 1, .path = 2, .to_dirfd = 3, .to_path = 4,
	    .flags = 5, .stays = true },
	{ SCMP_SYS(truncate), ACT_TRUNCATE, .path = 1 },
	{ SCMP_SYS(execve), ACT_EXEC, .path = 1 },
	{ SCMP_SYS(execveat), ACT_EXEC, .dirfd = 1, .path = 2, .flags = 5 },
	{ SCMP_SYS(chmod), ACT_CHMOD, .path = 1, .sets = 2 },
	{ SCMP_SYS(fchmod), ACT_CHMOD, .dirfd = 1, .sets = 2 },
	{ SCMP_SYS(fchmodat), ACT_CHMOD, .dirfd = 1, .path = 2, .sets = 3 },
	{ FCHMODAT2, ACT_CHMOD, .dirfd = 1, .path = 2, .flags = 4, .sets = 3 },
	{ SCMP_SYS(chown), ACT_CHOWN, .path = 1, .sets = 2 },
	{ SCMP_SYS(lchown), ACT_CHOWN, .path = 1, .stays = true, .sets = 2 },
	{ SCMP_SYS(fchown), ACT_CHOWN, .dirfd = 1, .sets = 2 },
	{ SCMP_SYS(fchownat), ACT_CHOWN, .dirfd = 1, .path = 2, .flags = 5, .sets = 3 },
	{ SCMP_SYS(utime), ACT_META, .path = 1 },
	{ SCMP_SYS(utimes), ACT_META, .path = 1 },
	{ SCMP_SYS(futimesat), ACT_META, .dirfd = 1, .path = 2 },
	{ SCMP_SYS(utimensat), ACT_UTIME, .dirfd = 1, .path = 2, .flags = 4, .sets = 3 },
	{ SCMP_SYS(setxattr), ACT_META, .path = 1 },
	{ SCMP_SYS(lsetxattr), ACT_META, .path = 1, .stays = true },
	{ SCMP_SYS(removexattr), ACT_META, .path = 1 },
	{ SCMP_SYS(lremovexattr), ACT_META, .path = 1, .stays = true },
	{ SETXATTRAT, ACT_META, .dirfd = 1, .path = 2, .flags = 3 },
	{ REMOVEXATTRAT, ACT_META, .dirfd = 1, .path = 2, .flags = 3 },
	{ SCMP_SYS(flock), ACT_LOCK, .dirfd = 1 },
	{ SCMP_SYS(fcntl), ACT_LOCK, .dirfd = 1, .when = IS(2, ~0U, F_SETLK) },
	{ SCMP_SYS(fcntl), ACT_LOCK, .dirfd = 1, .when = IS(2, ~0U, F_SETLKW) },
	{ SCMP_SYS(fcntl), ACT_LOCK, .dirfd = 1, .when = IS(2, ~0U, F_OFD_SETLK) },
	{ SCMP_SYS(fcntl), ACT_LOCK, .dirfd = 1, .when = IS(2, ~0U, F_OFD_SETLKW) },
	{ .number = SCMP_SYS(bind), .act = ACT_BIND },
	{ .number = SCMP_SYS(connect), .act = ACT_CONNECT },
	{ .number = SCMP_SYS(open_by_handle_at), .act = ACT_FOREIGN },
	{ SCMP_SYS(unshare), ACT_FOREIGN, .when = IS(1, CLONE_NEWNS, CLONE_NEWNS) },
	{ SCMP_SYS(clone), ACT_FOREIGN, .when = IS(1, CLONE_NEWNS, CLONE_NEWNS) },
	{ .number = SCMP_SYS(setns), .act = ACT_FOREIGN },
	{ .number = SCMP_SYS(mount), .act = ACT_FOREIGN },
	{ .number = SCMP_SYS(umount2), .act = ACT_FOREIGN },
	{ .number = SCMP_SYS(move_mount), .act = ACT_FOREIGN },
	{ .number = SCMP_SYS(pivot_root), .act = ACT_FOREIGN },
	{ .number = SCMP_SYS(chroot), .act = ACT_FOREIGN },
	{ SCMP_SYS(stat), ACT_PROBE, .path = 1, .asks = true },
	{ SCMP_SYS(lstat), ACT_PROBE, .path = 1, .stays = true, .asks = true },
	{ SCMP_SYS(newfstatat), ACT_PROBE, .dirfd = 1, .path = 2, .flags = 4, .asks = true,
	    .when = NOT_OPEN(4) },
	{ SCMP_SYS(statx), ACT_PROBE, .dirfd = 1, .path = 2, .flags = 3, .asks = true,
	    .when = NOT_OPEN(3) },
	{ SCMP_SYS(access), ACT_PROBE, .path = 1, .asks = true },
	{ SCMP_SYS(faccessat), ACT_PROBE, .dirfd = 1, .path = 2, .asks = true },
	{ SCMP_SYS(faccessat2), ACT_PROBE, .dirfd = 1, .path = 2, .flags = 4, .asks = true },
	{ SCMP_SYS(readlink), ACT_READLINK, .path = 1, .stays = true, .asks = true },
	{ SCMP_SYS(readlinkat), ACT_READLINK, .dirfd = 1, .path = 2, .stays = true,
	    .asks = true },
	{ SCMP_SYS(getdents), ACT_LIST, .dirfd = 1, .asks = true },
	{ SCMP_SYS(getdents64), ACT_LIST, .dirfd = 1, .asks = true },
};

const struct call *
call_at(size_t at)
{
	return at < countof(calls) ? &calls[at] : NULL;
}

const struct call *
call_of(int number)
{
	for (size_t i = 0; i < countof(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

bool
call_is_told(int number, const uint64_t arguments[6])
{
	for (size_t i = 0; i < countof(calls); i++) {
		const struct call_when *when = &calls[i].when;

		if (calls[i].number == number && (when->argument == 0 ||
		    (arguments[when->argument - 1] & when->mask) == when->value))
			return true;
	}
	return false;
}

static uint64_t
argument(const uint64_t arguments[6], unsigned char at)
{
	return at > 0 ? arguments[at - 1] : 0;
}

/* Without a dirfd a path begins where the process is. */
static int
dirfd_of(const uint64_t arguments[6], unsigned char at)
{
	return at > 0 ? (int)arguments[at - 1] : AT_FDCWD;
}

/* What it sets an attribute to. */
static void
take_sets(const struct call *call, const uint64_t arguments[6], uint64_t more, uint64_t sets[2])
{
	sets[0] = call->act == ACT_UTIME ? more : argument(arguments, call->sets);
	sets[1] = call->act == ACT_CHOWN ? argument(arguments, call->sets + 1) : 0;
}

/* What the AT_… flags say. The same bits mean other things to other calls. */
static void
take_flags(const struct call *call, unsigned flags, struct touch touches[CALL_TOUCHES])
{
	if (call->act == ACT_UNLINK) {
		if (flags & AT_REMOVEDIR)
			touches[0].act = ACT_RMDIR;
	} else if (call->act == ACT_RENAME_FROM) {
		if (flags & RENAME_EXCHANGE)
			touches[0].act = touches[1].act = ACT_EXCHANGE;
	} else if (call->act == ACT_OPEN) {
		touches[0].flags = flags;
		/* open(2): a new file is never made behind a link. */
		touches[0].stays = flags & O_NOFOLLOW ||
				   (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	} else if (call->act == ACT_LINK) {
		touches[0].stays = !(flags & AT_SYMLINK_FOLLOW);
		touches[0].may_be_empty = flags & AT_EMPTY_PATH;
	} else {
		touches[0].stays |= (flags & AT_SYMLINK_NOFOLLOW) != 0;
		touches[0].may_be_empty = flags & AT_EMPTY_PATH;
	}
}

size_t
call_touches(const struct call *call, const uint64_t arguments[6], uint64_t more,
    struct touch touches[CALL_TOUCHES])
{
	struct call as_open = *call;
	uint64_t flags = more;

	touches[0] = (struct touch){ .dirfd = dirfd_of(arguments, call->dirfd),
		.path = argument(arguments, call->path), .stays = call->stays, .act = call->act };
	touches[1] = (struct touch){ .dirfd = dirfd_of(arguments, call->to_dirfd),
		.path = argument(arguments, call->to_path), .stays = true,
		.act = call->act == ACT_LINK ? ACT_MAKE : ACT_RENAME_TO };
	if (call->act == ACT_CREAT)
		flags = O_CREAT | O_WRONLY | O_TRUNC;
	else if (call->act != ACT_OPEN2)
		flags = argument(arguments, call->flags);
	if (call->act == ACT_CREAT || call->act == ACT_OPEN2)
		as_open.act = touches[0].act = ACT_OPEN;
	take_flags(&as_open, (unsigned)flags, touches);
	take_sets(call, arguments, more, touches[0].sets);
	touches[0].may_be_empty |= call->act == ACT_READLINK;
	return call->to_path > 0 ? 2 : 1;
}
