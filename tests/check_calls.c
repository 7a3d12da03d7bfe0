#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "support.h"
#include "trace/calls.h"

/* Arguments as of the call's number, and what has to come of them. */
static const struct {
	int number;
	uint64_t arguments[6], more;
	size_t n;
	struct touch touches[CALL_TOUCHES];
} decoded[] = {
	{ SYS_openat, { 7, 100, O_RDWR | O_CREAT }, 0, 1,
	    { { 7, 100, false, false, ACT_OPEN, O_RDWR | O_CREAT, { 0 } } } },
	{ SYS_openat, { (uint64_t)AT_FDCWD, 100, O_NOFOLLOW }, 0, 1,
	    { { AT_FDCWD, 100, true, false, ACT_OPEN, O_NOFOLLOW, { 0 } } } },
	{ SYS_openat, { 7, 100, O_CREAT | O_EXCL }, 0, 1,
	    { { 7, 100, true, false, ACT_OPEN, O_CREAT | O_EXCL, { 0 } } } },
	{ SYS_openat2, { 7, 100, 200, 24 }, O_WRONLY | O_TRUNC, 1,
	    { { 7, 100, false, false, ACT_OPEN, O_WRONLY | O_TRUNC, { 0 } } } },
	{ SYS_renameat2, { 7, 100, 8, 200, 0 }, 0, 2,
	    { { 7, 100, true, false, ACT_RENAME_FROM, 0, { 0 } },
	    { 8, 200, true, false, ACT_RENAME_TO, 0, { 0 } } } },
	{ SYS_renameat2, { 7, 100, 8, 200, 2 }, 0, 2,
	    { { 7, 100, true, false, ACT_EXCHANGE, 0, { 0 } },
	    { 8, 200, true, false, ACT_EXCHANGE, 0, { 0 } } } },
	{ SYS_unlinkat, { 7, 100, 0 }, 0, 1, { { 7, 100, true, false, ACT_UNLINK, 0, { 0 } } } },
	{ SYS_unlinkat, { 7, 100, AT_REMOVEDIR }, 0, 1,
	    { { 7, 100, true, false, ACT_RMDIR, 0, { 0 } } } },
	{ SYS_linkat, { 7, 100, 8, 200, 0 }, 0, 2,
	    { { 7, 100, true, false, ACT_LINK, 0, { 0 } },
	    { 8, 200, true, false, ACT_MAKE, 0, { 0 } } } },
	{ SYS_linkat, { 7, 100, 8, 200, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH }, 0, 2,
	    { { 7, 100, false, true, ACT_LINK, 0, { 0 } },
	    { 8, 200, true, false, ACT_MAKE, 0, { 0 } } } },
	{ SYS_symlinkat, { 100, 7, 200 }, 0, 1,
	    { { 7, 200, true, false, ACT_SYMLINK, 0, { 0 } } } },
	{ SYS_newfstatat, { 7, 100, 0, AT_SYMLINK_NOFOLLOW }, 0, 1,
	    { { 7, 100, true, false, ACT_PROBE, 0, { 0 } } } },
	{ SYS_execveat, { 7, 100, 0, 0, AT_EMPTY_PATH }, 0, 1,
	    { { 7, 100, false, true, ACT_EXEC, 0, { 0 } } } },
	{ SYS_utimensat, { 7, 0, 0, 0 }, 300, 1,
	    { { 7, 0, false, false, ACT_UTIME, 0, { 300 } } } },
	{ SYS_fchownat, { 7, 100, 1, 2, AT_SYMLINK_NOFOLLOW }, 0, 1,
	    { { 7, 100, true, false, ACT_CHOWN, 0, { 1, 2 } } } },
	{ SYS_fchmodat, { 7, 100, 0644 }, 0, 1,
	    { { 7, 100, false, false, ACT_CHMOD, 0, { 0644 } } } },
	{ SYS_fchmod, { 7, 0644 }, 0, 1, { { 7, 0, false, false, ACT_CHMOD, 0, { 0644 } } } },
	{ SYS_readlinkat, { 7, 100 }, 0, 1, { { 7, 100, true, true, ACT_READLINK, 0, { 0 } } } },
	{ SYS_getdents64, { 7, 100, 0x200 }, 0, 1, { { 7, 0, false, false, ACT_LIST, 0, { 0 } } } },
	{ SYS_flock, { 7, 2 }, 0, 1, { { 7, 0, false, false, ACT_LOCK, 0, { 0 } } } },
	{ SYS_fcntl, { 7, F_SETLK, 100 }, 0, 1, { { 7, 0, false, false, ACT_LOCK, 0, { 0 } } } },
#ifdef __x86_64__
	{ SYS_open, { 100, O_WRONLY }, 0, 1,
	    { { AT_FDCWD, 100, false, false, ACT_OPEN, O_WRONLY, { 0 } } } },
	{ SYS_creat, { 100, 0644 }, 0, 1,
	    { { AT_FDCWD, 100, false, false, ACT_OPEN, O_CREAT | O_WRONLY | O_TRUNC, { 0 } } } },
	{ SYS_rename, { 100, 200 }, 0, 2,
	    { { AT_FDCWD, 100, true, false, ACT_RENAME_FROM, 0, { 0 } },
	    { AT_FDCWD, 200, true, false, ACT_RENAME_TO, 0, { 0 } } } },
	{ SYS_symlink, { 100, 200 }, 0, 1,
	    { { AT_FDCWD, 200, true, false, ACT_SYMLINK, 0, { 0 } } } },
	{ SYS_lstat, { 100, 200 }, 0, 1, { { AT_FDCWD, 100, true, false, ACT_PROBE, 0, { 0 } } } },
	{ SYS_chmod, { 100, AT_SYMLINK_NOFOLLOW }, 0, 1,
	    { { AT_FDCWD, 100, false, false, ACT_CHMOD, 0, { AT_SYMLINK_NOFOLLOW } } } },
#endif
};

START_TEST(arguments_become_paths)
{
	const struct call *call = call_of(decoded[_i].number);
	struct touch got[CALL_TOUCHES];

	ck_assert_ptr_nonnull(call);
	ck_assert_uint_eq(call_touches(call, decoded[_i].arguments, decoded[_i].more, got),
	    decoded[_i].n);
	for (size_t i = 0; i < decoded[_i].n; i++) {
		ck_assert_int_eq(got[i].dirfd, decoded[_i].touches[i].dirfd);
		ck_assert_uint_eq(got[i].path, decoded[_i].touches[i].path);
		ck_assert_int_eq(got[i].stays, decoded[_i].touches[i].stays);
		ck_assert_int_eq(got[i].may_be_empty, decoded[_i].touches[i].may_be_empty);
		ck_assert_int_eq(got[i].act, decoded[_i].touches[i].act);
		ck_assert_uint_eq(got[i].flags, decoded[_i].touches[i].flags);
		ck_assert_uint_eq(got[i].sets[0], decoded[_i].touches[i].sets[0]);
		ck_assert_uint_eq(got[i].sets[1], decoded[_i].touches[i].sets[1]);
	}
}
END_TEST

/* What says nothing of a file is never asked for: each such call would cost. */
START_TEST(other_calls_are_none_of_ours)
{
	static const int others[] = { SYS_read, SYS_write, SYS_close, SYS_mmap, SYS_fstat, -1 };
	const struct call *call;

	for (size_t i = 0; i < countof(others); i++)
		ck_assert_ptr_null(call_of(others[i]));
	for (size_t i = 0; (call = call_at(i)); i++) {
		ck_assert(call->path > 0 || call->dirfd > 0 || call->act == ACT_BIND ||
			  call->act == ACT_CONNECT || call->act == ACT_FOREIGN);
		ck_assert(call->path <= 6 && call->to_path <= 6 && call->flags <= 6 &&
			  call->sets <= 6);
	}
}
END_TEST

START_TEST(who_is_told_of_all_calls_knows_which_are_meant)
{
	const uint64_t of_path[6] = { 0 };
	const uint64_t of_descriptor[6] = { [2] = AT_EMPTY_PATH, [3] = AT_EMPTY_PATH };
	const uint64_t locks[6] = { 0, F_SETLKW }, reads[6] = { 0, F_GETFL };

	ck_assert(call_is_told(SYS_openat, of_path));
	ck_assert(call_is_told(SYS_newfstatat, of_path));
	ck_assert(!call_is_told(SYS_newfstatat, of_descriptor));
	ck_assert(call_is_told(SYS_fcntl, locks));
	ck_assert(!call_is_told(SYS_fcntl, reads));
	ck_assert(!call_is_told(SYS_read, of_path));
}
END_TEST

Suite *
check_calls_suite(void)
{
	Suite *suite = suite_create("calls");
	TCase *calls = support_case(suite, "calls");

	tcase_add_loop_test(calls, arguments_become_paths, 0, countof(decoded));
	tcase_add_test(calls, other_calls_are_none_of_ours);
	tcase_add_test(calls, who_is_told_of_all_calls_knows_which_are_meant);
	return suite;
}
