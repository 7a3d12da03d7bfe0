#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "trace/calls.h"
#include "trace/filter.h"

/* Newer than the headers of Debian 12. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static int
add_call(scmp_filter_ctx filter, uint32_t action, const struct call *call)
{
	const struct call_when *when = &call->when;

	if (when->argument == 0)
		return seccomp_rule_add_array(filter, action, call->number, 0, NULL);
	return seccomp_rule_add_array(filter, action, call->number, 1,
	    &(struct scmp_arg_cmp){ .arg = when->argument - 1, .op = SCMP_CMP_MASKED_EQ,
	    .datum_a = when->mask, .datum_b = when->value });
}

/*
 * All of the rules as a program for the kernel, in an empty buffer: that action for such calls.
 * False if they cannot be had. Calls by another architecture's numbers (int 0x80, x32) are told of,
 * too: they would be missed. What io_uring does no filter sees. Where it is refused, programs do
 * without.
 */
static bool
make_rules(uint32_t action, bool asks, struct buffer *program)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int file = memfd_create("noxmk", MFD_CLOEXEC);
	bool made = filter && file >= 0 &&
		    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, action) == 0 &&
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup),
			0) == 0;
	const struct call *call;

	for (size_t i = 0; made && (call = call_at(i)); i++)
		if (call->number >= 0 && (asks || !call->asks))
			made = add_call(filter, action, call) == 0;
	made = made && seccomp_export_bpf(filter, file) == 0;
	if (made && lseek(file, 0, SEEK_SET) == 0)
		fd_read_file(file, program);
	fd_close(&file);
	if (filter)
		seccomp_release(filter);
	return program->len > 0;
}

static int
install(const struct buffer *program, unsigned flags)
{
	struct sock_fprog rules = { .len = (unsigned short)(program->len /
	    sizeof(struct sock_filter)), .filter = (struct sock_filter *)(void *)program->data };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &rules);
}

/*
 * A call that waits for us should not be broken off by signals that come fast: Linux 5.19 knows
 * that. no_new_privs, without which only a privileged process may have a filter, changes what a
 * session can do (sudo), so it is set only where it must be.
 */
static int
install_best(const struct buffer *program, const unsigned flags[], size_t n)
{
	int result = -1;

	for (size_t i = 0; i < n && result < 0; i++) {
		result = install(program, flags[i]);
		if (result < 0 && errno == EACCES &&
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
			result = install(program, flags[i]);
		if (result < 0 && errno != EINVAL)
			return -1;
	}
	return result;
}

/* Linux 6.6 wakes us on the processor of the caller, which is several times as fast. */
static bool
hands_over_fast(void)
{
	struct utsname name;
	unsigned major, minor;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 6));
}

int
filter_install(bool *asks)
{
	static const unsigned flags[] = { SECCOMP_FILTER_FLAG_NEW_LISTENER |
	    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER };
	struct buffer program = { 0 };
	int listener = -1;

	*asks = hands_over_fast();
	if (make_rules(SCMP_ACT_NOTIFY, *asks, &program))
		listener = install_best(&program, flags, countof(flags));
	else
		errno = ENOSYS;
	if (listener >= 0)
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	buffer_free(&program);
	return listener;
}

int
filter_install_stops(void)
{
	static const unsigned flags[] = { SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0 };
	struct buffer program = { 0 };
	int result = -1;

	if (make_rules(SCMP_ACT_TRACE(0), true, &program))
		result = install_best(&program, flags, countof(flags));
	else
		errno = ENOSYS;
	buffer_free(&program);
	return result;
}
