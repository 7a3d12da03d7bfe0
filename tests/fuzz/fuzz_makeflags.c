/*
 * What we read of make and the kernel: MAKEFLAGS, and the files of cgroups that hold a CPU quota.
 * Parts of the input: MAKEFLAGS, /proc/self/cgroup, cpu.max, cpu.cfs_quota_us, cpu.cfs_period_us.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpus.h"
#include "base/makeflags.h"
#include "base/util.h"
#include "fuzz.h"

static const char *const groups[] = { "", "cpu", "cpu,cpuacct", "a", "cpu/a" };
static const char *const quotas[] = { "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us" };

static void
check_flags(const uint8_t *part, size_t length)
{
	char *flags = strndup((const char *)part, length);
	struct makeflags makeflags = makeflags_read(flags, 3);
	char *client = makeflags_with_jobserver(flags, 7, 8);
	struct makeflags told = makeflags_read(client, 3);

	REQUIRE(makeflags.slots > 0 && (!makeflags.unlimited || makeflags.slots == 3));
	REQUIRE(!makeflags.unlimited || strstr(flags, "-j"));
	REQUIRE(!makeflags.unlimited || !makeflags.auth);
	/* What stands after a lone -- are variables, which never count. */
	if (!strncmp(flags, "-- ", 3))
		REQUIRE(!makeflags.unlimited && makeflags.slots == 1 && makeflags.load == 0 &&
			!makeflags.auth);
	/* A client is told of its jobserver, and all else as before. */
	REQUIRE(told.auth && !strcmp(told.auth, "7,8") && !told.unlimited);
	REQUIRE(told.load == makeflags.load || told.load != told.load);
	REQUIRE(!told.tools_auth == !makeflags.tools_auth);
	REQUIRE(makeflags_sets(client, "A") == makeflags_sets(flags, "A"));
	makeflags_clear(&makeflags);
	makeflags_clear(&told);
	free(client);
	free(flags);
}

static void
write_quota(int dirfd, const char *name, const uint8_t *part, size_t length)
{
	for (size_t i = 0; i < countof(groups); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", groups[i], *groups[i] ? "/" : "", name);
		fuzz_file(dirfd, path, part, length);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int dirfd = fuzz_folder();
	char cgroup[4200];
	const uint8_t *part;
	size_t length;

	if (!(part = fuzz_part(&data, &size, &length)))
		return 0;
	check_flags(part, length);
	if (!(part = fuzz_part(&data, &size, &length)))
		return 0;
	for (size_t i = 0; i < countof(groups); i++)
		if (*groups[i])
			mkdirat(dirfd, groups[i], 0777);
	fuzz_file(dirfd, "cgroup", part, length);
	for (size_t i = 0; i < countof(quotas); i++) {
		part = fuzz_part(&data, &size, &length);
		write_quota(dirfd, quotas[i], part, length);
	}
	snprintf(cgroup, sizeof(cgroup), "%s/cgroup", fuzz_folder_path());
	(void)cpus_quota(cgroup, fuzz_folder_path());
	return 0;
}
