#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/keeper.h"
#include "base/util.h"
#include "state/forkable.h"

#define UNFORKED "unforked"
#define FORKED "forked"

char *
forkable_plan(int state, struct timespec *made)
{
	struct stat plan = { 0 };

	(void)!fstatat(state, "plan.jsonl", &plan, AT_SYMLINK_NOFOLLOW);
	*made = plan.st_mtim;
	return xasprintf("%lld.%09ld %llu %llu\n", (long long)plan.st_mtim.tv_sec,
	    plan.st_mtim.tv_nsec, (unsigned long long)plan.st_ino,
	    (unsigned long long)plan.st_size);
}

char *
forkable_read(int folder, const char *name, const char *mark)
{
	struct buffer text = { 0 };
	size_t n = strlen(mark);
	char *rest = NULL;

	if (file_load(folder, name, &text) == 0 && text.len > n && !memcmp(text.data, mark, n))
		rest = xasprintf("%.*s", KEEPER_WHY - 1, text.data + n);
	buffer_free(&text);
	return rest;
}

char *
forkable_refusal(int state, const char *plan)
{
	return forkable_read(state, UNFORKED, plan);
}

void
forkable_refuse(int state, const char *plan, const char *why)
{
	char *text = xasprintf("%s%s", plan, why);

	(void)!file_store(state, UNFORKED, text, strlen(text));
	free(text);
}

bool
forkable_is_known(int state, const char *plan)
{
	struct buffer text = { 0 };
	bool known = file_load(state, FORKED, &text) == 0 && text.len == strlen(plan) &&
		     !memcmp(text.data, plan, text.len);

	buffer_free(&text);
	return known;
}

void
forkable_know(int state, const char *plan)
{
	if (!forkable_is_known(state, plan))
		(void)!file_store(state, FORKED, plan, strlen(plan));
}

void
forkable_forget(int state)
{
	unlinkat(state, FORKED, 0);
}
