#include <string.h>

#include "audit/noise.h"

static const struct {
	const char *name, *reason;
} rules[NOISES] = {
	[NOISE_SYSTEM] = { "system", "it is the system's: a device, a process" },
	[NOISE_OWN_STATE] = { "own-state", "it is noxmk's own" },
	[NOISE_BYTECODE] = { "bytecode", "Python writes it by renaming, for whoever comes next" },
	[NOISE_DATABASES] = { "databases", "it is SQLite's own, and the database itself counts" },
	[NOISE_GIT_INDEX] = { "git-index", "git only notes there what it has looked at" },
	[NOISE_UNCHANGED] = { "unchanged", "it was opened for writing, and not changed" },
	[NOISE_FOLDERS] = { "folders", "it is a folder that both make, or marks that for git" },
	[NOISE_TEMPORARY] = { "temporary", "its name is made up for one use, and then it is gone" },
	[NOISE_PYTEST_TMP] = { "pytest-tmp", "pytest numbers these folders, and keeps them apart" },
	[NOISE_LOCKS] = { "locks", "it is a lock: it has no content" },
	[NOISE_APPENDED] = { "appended", "both only add to its end, and neither reads it" },
	[NOISE_CACHES] = { "caches", "it is a cache, and its tool copes with others that write" },
	[NOISE_SAME] = { "same", "both leave the same in it, and neither reads it" },
	[NOISE_WALKERS] = { "walkers", "the other one looks at all that is in that folder" },
	[NOISE_OUTSIDE] = { "outside", "it is outside of the project, and only looked for" },
	[NOISE_BUILDS] = { "builds", "noxmk keeps builds of the project apart" },
	[NOISE_DECLARED] = { "declared", "the plan keeps them in order, or apart" },
};

const char *
noise_name(enum noise rule)
{
	return rules[rule].name;
}

const char *
noise_reason(enum noise rule)
{
	return rules[rule].reason;
}

enum noise
noise_of(const char *name)
{
	unsigned rule = 0;

	while (rule < NOISES && strcmp(name, rules[rule].name) != 0)
		rule++;
	return rule;
}

void
noise_add_names(struct strings *names)
{
	for (size_t i = 0; i < countof(rules); i++)
		strings_add(names, rules[i].name);
}

bool
noise_is_system(const char *path)
{
	/* Sockets of services are in /run; what sessions share is not. */
	static const char *const folders[] = { "/dev/", "/proc/", "/sys/", "/run/", "/var/run/" };

	/* Shared memory and its like have names that sessions choose. */
	if (strncmp(path, "/dev/shm/", 9) == 0 || strncmp(path, "/dev/mqueue/", 12) == 0 ||
	    strncmp(path, "/run/user/", 10) == 0)
		return false;
	for (size_t i = 0; i < countof(folders); i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

bool
noise_is_cache(const char *path)
{
	/*
	 * Each was tried with two at once, or says so itself. mypy's is here for its files, which
	 * come by renaming; its database (.db) is not, since two of them wait for each other too
	 * briefly.
	 */
	static const char *const folders[] = { "/.pytest_cache", "/.ruff_cache", "/.mypy_cache",
		"/.hypothesis", "/.cache", "/.local/share/virtualenv", "/.local/share/uv",
		"/.npm/_cacache", "/.cargo/registry" };
	const char *dot = strrchr(path, '.');

	if (dot && !strncmp(dot, ".db", 3))
		return false;
	for (size_t i = 0; i < countof(folders); i++) {
		const char *at = strstr(path, folders[i]);
		size_t len = strlen(folders[i]);

		if (at && (at[len] == '/' || at[len] == '\0'))
			return true;
	}
	return false;
}

bool
noise_is_pytest_tmp(const char *path)
{
	return strstr(path, "/pytest-of-") != NULL;
}

bool
noise_is_lock_name(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strlen(name);

	return (len >= 5 && !strcmp(name + len - 5, ".lock")) || !strcmp(name, "lock") ||
	       !strcmp(name, ".lock");
}
