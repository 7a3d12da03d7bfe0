#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "output/block.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "output/utf8.h"

/*
 * Bytes of a log that are shown, of its start and of its end. A page has its limits (GitLab's 4 MiB
 * by default, beyond which it shows nothing more), and most of it belongs to what failed.
 */
enum { KIB = 1024, HEAD = 32 * KIB, TAIL = 96 * KIB };
enum { HEAD_FOLDED = 8 * KIB, TAIL_FOLDED = 24 * KIB };

/* One log takes no more of the room that is left than that part, but so many bytes in any case. */
enum { PART = 8, PART_FOLDED = 32, LEAST = 4 * KIB };

/* Columns of a reason in a title. */
enum { REASON_MOST = 200 };

/* One log with what goes around it. */
struct block {
	enum ci_forge forge;
	int rundir;
	char *title;      /* safe, without a line end */
	char *name;       /* for GitLab: letters, digits and - */
	char *file, *path;
	double started, ended;
	const char *colour;
	bool folded;
	long long room;   /* bytes; see block_print */
};

static bool
has_groups(enum ci_forge forge)
{
	return forge == FORGE_GITHUB || forge == FORGE_FORGEJO || forge == FORGE_GITEA;
}

static bool
folds(enum ci_forge forge)
{
	return has_groups(forge) || forge == FORGE_GITLAB;
}

/* GitHub's runner decodes what stands behind its commands. */
static void
put_title(const struct block *block)
{
	for (const char *p = block->title; *p; p++)
		if (block->forge == FORGE_GITHUB && *p == '%')
			fputs("%25", stdout);
		else
			putchar(*p);
	putchar('\n');
}

static void
begin(const struct block *block)
{
	if (block->forge == FORGE_GITLAB) {
		printf("\033[0Ksection_start:%.0f:%s%s\r\033[0K", block->started, block->name,
		    block->folded ? "[collapsed=true]" : "");
		put_title(block);
	} else if (block->folded && has_groups(block->forge)) {
		printf("::group::");
		put_title(block);
	} else {
		printf("%s--- %s%s\n", block->colour, block->title,
		    *block->colour ? screen_plain() : "");
	}
}

static void
end(const struct block *block)
{
	if (block->forge == FORGE_GITLAB)
		printf("\033[0Ksection_end:%.0f:%s\r\033[0K\n", block->ended, block->name);
	else if (block->folded && has_groups(block->forge))
		printf("::endgroup::\n");
}

static long long
put(const struct block *block)
{
	long long head = block->folded ? HEAD_FOLDED : HEAD;
	long long tail = block->folded ? TAIL_FOLDED : TAIL;
	long long most = block->room / (block->folded ? PART_FOLDED : PART), lines;

	most = most > LEAST ? most : LEAST;
	if (head + tail > most) {
		head = most / 4;
		tail = most - head;
	}

	begin(block);
	fflush(stdout);
	lines = joblog_print_cut(block->rundir, block->file, block->path, head, tail);
	end(block);
	fflush(stdout);
	return block->folded && folds(block->forge) ? 1 : lines + 1;
}

/* "lint passed 1.2s: REASON"; attempt: "", or which one that was. */
static char *
title_of(const char *target, const char *attempt, const char *verdict, double seconds,
    const char *reason)
{
	char *safe = screen_safe(reason ? reason : "");
	char *cut = utf8_cut(safe, REASON_MOST);
	char *title = xasprintf("%s%s %s %s%s%s", target, attempt, verdict,
	    screen_duration(seconds).s, *cut ? ": " : "", cut);

	free(cut);
	free(safe);
	return title;
}

/* GitLab takes few characters in a name, which nobody sees; n keeps those of attempts apart. */
static char *
name_of(const char *target, size_t n)
{
	char *name = xasprintf("noxmk-%s-%zu", target, n);

	for (char *p = name; *p; p++)
		if (!isascii((unsigned char)*p) || !isalnum((unsigned char)*p))
			*p = '-';
	return name;
}

static long long
put_and_free(struct block *block, const struct record *r, size_t n, const char *folder)
{
	long long lines;

	block->name = name_of(r->target, n);
	block->path = xasprintf("%s/%s", folder, block->file);
	lines = put(block);
	free(block->title);
	free(block->name);
	free(block->file);
	free(block->path);
	return lines;
}

/* The log of an attempt that was not the last one, if it is still there. */
static long long
put_attempt(const struct block *common, const struct record *r, size_t n, const char *folder)
{
	const json_t *attempt = json_array_get(r->attempts, n);
	const char *log = json_string_value(json_object_get(attempt, "log"));
	double seconds = json_number(attempt, "duration");
	char *words = xasprintf(", attempt %zu:", n + 1);
	struct block block = *common;
	long long lines = 0;

	if (log) {
		block.title = title_of(r->target, words, json_text(attempt, "verdict"), seconds,
		    json_string_value(json_object_get(attempt, "reason")));
		block.file = xstrdup(log);
		block.ended = block.started + seconds;
		block.folded = true;
		lines = put_and_free(&block, r, n + 1, folder);
	}
	free(words);
	return lines;
}

bool
block_is_wanted(const struct record *r)
{
	return r->logged && !r->live && r->verdict != SKIPPED && r->verdict != NOT_RUN;
}

long long
block_print(enum ci_forge forge, int rundir, const struct record *r, const char *folder,
    long long room)
{
	struct block block = { .forge = forge, .rundir = rundir, .started = r->started,
		.ended = r->started + r->duration, .colour = screen_colour(r), .room = room,
		.folded = r->verdict == PASSED && !record_is_bad(r) };
	const char *reason = r->reason;
	long long lines = 0;

	for (size_t i = 0; i < json_array_size(r->attempts); i++)
		lines += put_attempt(&block, r, i, folder);
	if (!reason && record_is_flaky(r))
		reason = RECORD_FLAKY;
	block.title = title_of(r->target, "", verdict_name(r->verdict), r->duration, reason);
	block.file = xasprintf("%s.log", r->target);
	return lines + put_and_free(&block, r, 0, folder);
}
