#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/util.h"

/* How the versions of cgroups, 1 and 2, call what they limit. NULL: they do not tell. */
static const struct version {
	const char *limits[2], *usage;
	const char *files[3]; /* words of memory.stat, for what can be had back */
} versions[] = {
	{ { "memory.limit_in_bytes" }, "memory.usage_in_bytes",
	    { "total_inactive_file", "total_active_file" } },
	{ { "memory.max", "memory.high" }, "memory.current",
	    { "inactive_file", "active_file", "slab_reclaimable" } },
};

/* The number behind a word that begins a line; 0 where there is none. */
static unsigned long long
number_of(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, len) == 0 && (line[len] == ' ' || line[len] == ':'))
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

/* Bytes that the group has of files, and of the kernel's notes on them. */
static unsigned long long
reclaimable(const char *dir, const struct version *version)
{
	char *path = xasprintf("%s/memory.stat", dir);
	struct buffer text = { 0 };
	unsigned long long bytes = 0;

	if (file_read(AT_FDCWD, path, &text) == 0)
		for (size_t i = 0; i < countof(version->files) && version->files[i]; i++)
			bytes += number_of(text.data, version->files[i]);
	buffer_free(&text);
	free(path);
	return bytes;
}

/* The least limit of the group with that folder; -1: it has none. */
static long long
limit_of(const char *dir, const struct version *version)
{
	long long least = -1;

	for (size_t i = 0; i < countof(version->limits) && version->limits[i]; i++) {
		long long limit = cgroup_number(dir, version->limits[i]);

		if (limit >= 0 && (least < 0 || limit < least))
			least = limit;
	}
	return least;
}

/* What there is for us, and on the whole machine. */
struct tally {
	struct memory memory;
	unsigned long long machine;
};

/*
 * Lessens what there is to what the group with that folder leaves. A limit above what the machine
 * has, as where there is none in version 1, limits nothing, and spares the kernel its statistics.
 */
static void
apply_limits(void *data, int number, const char *dir)
{
	const struct version *version = &versions[number - 1];
	struct tally *tally = data;
	struct memory *memory = &tally->memory;
	long long limit = limit_of(dir, version), usage;
	unsigned long long most = (unsigned long long)limit, used = 0, files;

	if (limit < 0 || most >= tally->machine)
		return;
	usage = cgroup_number(dir, version->usage);
	files = reclaimable(dir, version);
	if (usage >= 0 && (unsigned long long)usage > files)
		used = (unsigned long long)usage - files;
	if (memory->total > most)
		memory->total = most;
	/* A group that was given a lower limit may be above it for a while. */
	if (used > most)
		memory->available = 0;
	else if (memory->available > most - used)
		memory->available = most - used;
}

struct memory
memory_read(const char *meminfo, const char *proc_cgroup, const char *root)
{
	static const char *const mounts[] = { "memory", NULL };
	struct tally tally = { 0 };
	struct buffer text = { 0 };

	/* In units of 1024 bytes, whatever "kB" means elsewhere. */
	if (file_read(AT_FDCWD, meminfo, &text) == 0) {
		tally.machine = 1024 * number_of(text.data, "MemTotal");
		tally.memory.total = tally.machine;
		tally.memory.available = 1024 * number_of(text.data, "MemAvailable");
	}
	buffer_free(&text);
	if (tally.machine > 0)
		cgroup_each(proc_cgroup, root, mounts, apply_limits, &tally);
	return tally.memory;
}

struct memory
memory_now(void)
{
	return memory_read("/proc/meminfo", "/proc/self/cgroup", "/sys/fs/cgroup");
}
