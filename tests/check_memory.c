#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "support.h"

#define MACHINE "MemTotal:    1000 kB\nMemFree:   100 kB\nMemAvailable:    600 kB\n"

/*
 * meminfo: as /proc/meminfo; groups: as /proc/self/cgroup; files: NAME, TEXT, NAME, TEXT … below
 * the mount point. Results in KiB.
 */
static const struct {
	const char *meminfo, *groups, *files[16];
	unsigned total, available;
} table[] = {
	{ MACHINE, "", { NULL }, 1000, 600 },
	{ MACHINE, "0::/\n", { NULL }, 1000, 600 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "max\n", "a/memory.current", "409600" }, 1000,
	    600 },
	/* What a group has used is gone, but for its files. */
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000\n" }, 500, 500 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000\n", "a/memory.current", "409600\n" }, 500,
	    100 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000", "a/memory.current", "409600",
	    "a/memory.stat", "anon 1\nfile 307200\ninactive_file 204800\nactive_file 51200\n" },
	    500, 350 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000", "a/memory.current", "409600",
	    "a/memory.stat", "slab_reclaimable 102400\nworkingset_activate_file 99999\n" },
	    500, 200 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000", "a/memory.current", "1024",
	    "a/memory.stat", "inactive_file 409600\n" }, 500, 500 },
	/* A group may be above a limit that was lowered. */
	{ MACHINE, "0::/a\n", { "a/memory.max", "102400", "a/memory.current", "409600" }, 100, 0 },
	/* Above "high" it is slowed down. */
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000", "a/memory.high", "256000",
	    "a/memory.current", "102400" }, 250, 150 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "512000", "a/memory.high", "max",
	    "a/memory.current", "102400" }, 500, 400 },
	/* The machine itself has less. */
	{ MACHINE, "0::/a\n", { "a/memory.max", "921600", "a/memory.current", "0" }, 900, 600 },
	{ MACHINE, "0::/a\n", { "a/memory.max", "9223372036854775807", "a/memory.current", "0" },
	    1000, 600 },
	/* A limit above what the machine has is none. */
	{ MACHINE, "0::/a\n", { "a/memory.max", "1126400", "a/memory.current", "1024000" }, 1000,
	    600 },
	/* The least of our group's and of those above it, of which others use something, too. */
	{ MACHINE, "0::/a/b\n", { "a/b/memory.max", "409600", "a/b/memory.current", "102400",
	    "a/memory.max", "819200", "a/memory.current", "768000" }, 400, 50 },
	{ MACHINE, "0::/a/b\n", { "a/b/memory.max", "max", "a/memory.max", "307200",
	    "a/memory.current", "102400", "memory.max", "512000", "memory.current", "102400" },
	    300, 200 },
	{ MACHINE, "0::/../../outer\n", { "memory.max", "512000" }, 500, 500 },
	/* Version 1, where no limit is a huge one. */
	{ MACHINE, "4:memory:/g\n0::/\n", { "memory/g/memory.limit_in_bytes", "512000",
	    "memory/g/memory.usage_in_bytes", "409600", "memory/g/memory.stat",
	    "inactive_file 1\ntotal_inactive_file 102400\ntotal_active_file 51200\n" }, 500, 250 },
	{ MACHINE, "4:memory:/g\n", { "memory/g/memory.limit_in_bytes", "9223372036854771712",
	    "memory/g/memory.usage_in_bytes", "409600", "memory/memory.limit_in_bytes", "409600",
	    "memory/memory.usage_in_bytes", "307200" }, 400, 100 },
	{ MACHINE, "4:cpu,memory:/g\n", { "memory/g/memory.limit_in_bytes", "512000" }, 500, 500 },
	{ MACHINE, "4:cpu:/g\n", { "memory/g/memory.limit_in_bytes", "512000" }, 1000, 600 },
	/* Absurd ones. */
	{ MACHINE, "0::/\n", { "memory.max", "", "memory.current", "x" }, 1000, 600 },
	{ MACHINE, "0::/\n", { "memory.max", "-1" }, 1000, 600 },
	{ MACHINE, "0::/\n", { "memory.max", "0" }, 0, 0 },
	{ MACHINE, "nonsense\n:\n1:memory\n", { "memory.max", "1024" }, 1000, 600 },
	{ "MemTotals: 9 kB\nMemTotal 7\n", "", { NULL }, 7, 0 },
	{ "", "0::/\n", { "memory.max", "512000" }, 0, 0 },
};

static void
put_below_root(const char *name, const char *text)
{
	char *path = xasprintf("root/%s", name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	close(folder_make(path));
	*slash = '/';
	file_put(path, text);
	free(path);
}

START_TEST(the_least_of_machine_and_groups_is_available)
{
	struct memory memory;

	close(folder_make("root"));
	file_put("meminfo", table[_i].meminfo);
	file_put("cgroup", table[_i].groups);
	for (const char *const *file = table[_i].files; *file; file += 2)
		put_below_root(file[0], file[1]);
	memory = memory_read("meminfo", "cgroup", "root");
	ck_assert_uint_eq(memory.total, 1024ULL * table[_i].total);
	ck_assert_uint_eq(memory.available, 1024ULL * table[_i].available);
}
END_TEST

START_TEST(without_proc_nobody_can_know)
{
	ck_assert_uint_eq(memory_read("none", "none", "root").total, 0);
}
END_TEST

START_TEST(this_machine_has_some)
{
	struct memory memory = memory_now();

	ck_assert_uint_gt(memory.available, 0);
	ck_assert_uint_gt(memory.total, memory.available);
}
END_TEST

Suite *
check_memory_suite(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc = support_case(suite, "memory");

	tcase_add_loop_test(tc, the_least_of_machine_and_groups_is_available, 0, countof(table));
	tcase_add_test(tc, without_proc_nobody_can_know);
	tcase_add_test(tc, this_machine_has_some);
	return suite;
}
