#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpus.h"
#include "support.h"

/* groups: as /proc/self/cgroup; files: NAME, TEXT, NAME, TEXT … below the mount point. */
static const struct {
	const char *groups, *files[10];
	unsigned cpus;
} table[] = {
	{ "", { NULL }, 0 },
	{ "0::/\n", { NULL }, 0 },
	{ "0::/\n", { "cpu.max", "max 100000\n" }, 0 },
	{ "0::/\n", { "cpu.max", "200000 100000\n" }, 2 },
	/* Rounded up. */
	{ "0::/\n", { "cpu.max", "150000 100000\n" }, 2 },
	{ "0::/\n", { "cpu.max", "1000 100000\n" }, 1 },
	{ "0::/\n", { "cpu.max", "9223372036854775807 9223372036854775807" }, 1 },
	/* The least of our group's and of those above it. */
	{ "0::/a/b\n", { "a/b/cpu.max", "400000 100000", "a/cpu.max", "300000 100000",
	    "cpu.max", "max 100000" }, 3 },
	{ "0::/a/b\n", { "a/b/cpu.max", "max 100000", "a/cpu.max", "600000 100000" }, 6 },
	{ "0::/a/b\n", { "a/b/cpu.max", "100000 50000", "cpu.max", "100000 100000" }, 1 },
	/* The names are the mount's; our group is not visible in it. */
	{ "0::/../../outer\n", { "cpu.max", "200000 100000" }, 2 },
	{ "0::/a b:c\n", { "a b:c/cpu.max", "200000 100000" }, 2 },
	/* Absurd ones. */
	{ "0::/\n", { "cpu.max", "" }, 0 },
	{ "0::/\n", { "cpu.max", "max" }, 0 },
	{ "0::/\n", { "cpu.max", "100000" }, 0 },
	{ "0::/\n", { "cpu.max", "-1 100000" }, 0 },
	{ "0::/\n", { "cpu.max", "100000 0" }, 0 },
	{ "0::/\n", { "cpu.max", "100000 -5" }, 0 },
	{ "0::/\n", { "cpu.max", "0 100000" }, 0 },
	{ "0::/\n", { "cpu.max", "\xff\xff" }, 0 },
	{ "nonsense\n\n:\n1:cpu\n", { "cpu.max", "200000 100000" }, 0 },
	/* Version 1, alone or beside an empty version 2. */
	{ "4:cpu,cpuacct:/\n", { "cpu,cpuacct/cpu.cfs_quota_us", "300000\n",
	    "cpu,cpuacct/cpu.cfs_period_us", "100000\n" }, 3 },
	{ "4:cpu:/g\n0::/g\n", { "cpu/g/cpu.cfs_quota_us", "300000",
	    "cpu/g/cpu.cfs_period_us", "100000" }, 3 },
	{ "4:cpu:/g\n", { "cpu/g/cpu.cfs_quota_us", "-1", "cpu/g/cpu.cfs_period_us", "100000",
	    "cpu/cpu.cfs_quota_us", "50000", "cpu/cpu.cfs_period_us", "100000" }, 1 },
	{ "4:cpu:/g\n", { "cpu/g/cpu.cfs_quota_us", "300000" }, 0 },
	{ "4:memory:/\n", { "cpu/cpu.cfs_quota_us", "300000",
	    "cpu/cpu.cfs_period_us", "100000" }, 0 },
	{ "4:cpu:/\n0::/\n", { "cpu/cpu.cfs_quota_us", "300000", "cpu/cpu.cfs_period_us", "100000",
	    "cpu.max", "200000 100000" }, 2 },
};

START_TEST(the_least_quota_counts)
{
	close(folder_make("root"));
	file_put("cgroup", table[_i].groups);
	for (const char *const *file = table[_i].files; *file; file += 2) {
		char *name = xasprintf("root/%s", file[0]);
		char *slash = strrchr(name, '/');

		*slash = '\0';
		close(folder_make(name));
		*slash = '/';
		file_put(name, file[1]);
		free(name);
	}
	ck_assert_uint_eq(cpus_quota("cgroup", "root"), table[_i].cpus);
}
END_TEST

START_TEST(without_cgroups_there_is_no_quota)
{
	ck_assert_uint_eq(cpus_quota("none", "root"), 0);
}
END_TEST

START_TEST(affinity_limits_the_processors)
{
	unsigned before = cpus_available();
	cpu_set_t old, one;

	ck_assert_uint_ge(before, 1);
	ck_assert_uint_le(before, 100000);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(old), &old), 0);
	CPU_ZERO(&one);
	for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &old))
			CPU_SET(i, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_uint_eq(cpus_available(), 1);
	sched_setaffinity(0, sizeof(old), &old);
}
END_TEST

/* With as many processors as there are, and with others; what is no such file. */
START_TEST(the_threads_that_want_a_processor_are_counted)
{
	unsigned all = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

	file_put("loadavg", "0.20 0.18 0.12 7/1080 11206\n");
	ck_assert_uint_eq(cpus_wanted("loadavg", all), 7);
	ck_assert_uint_eq(cpus_wanted("loadavg", all + 1), 0);
	ck_assert_uint_eq(cpus_wanted("none", all), 0);
	file_put("loadavg", "0.20 0.18");
	ck_assert_uint_eq(cpus_wanted("loadavg", all), 0);
	ck_assert_uint_ge(cpus_wanted("/proc/loadavg", all), 1);
}
END_TEST

Suite *
check_cpus_suite(void)
{
	Suite *suite = suite_create("cpus");
	TCase *tc = support_case(suite, "cpus");

	tcase_add_loop_test(tc, the_least_quota_counts, 0, countof(table));
	tcase_add_test(tc, without_cgroups_there_is_no_quota);
	tcase_add_test(tc, affinity_limits_the_processors);
	tcase_add_test(tc, the_threads_that_want_a_processor_are_counted);
	return suite;
}
