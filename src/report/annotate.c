#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/slug.h"
#include "output/ci.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "report/annotate.h"
#include "report/findings.h"
#include "report/sources.h"

/* Bytes of a log at its start, and at its end; findings of a level that are kept. */
enum { READ_MOST = 16 << 20, KEPT_MOST = 500 };

/* Annotations of a level that a forge shows; lines of a table; columns of a line of text. */
enum { SHOWN_MOST = 10, ROWS_MOST = 50, COLUMNS_MOST = 300, WHERE_MOST = 60 };

/* Two messages whose first bytes, so many, are the same are not so by chance. */
enum { SURE_LEAST = 8 };

#define LEVELS LEVEL_NONE

struct kept {
	enum level level;
	char *file, *rule, *message;
	unsigned line, column;
	uint32_t hash;        /* of file, line and message */
	size_t session;       /* the first that has it, as a position in the records */
	size_t last_session;
	unsigned sessions;    /* how many have it */
	bool announced;
};

struct list {
	const struct record *records;
	size_t session;       /* whose log is read */
	struct kept *v;
	size_t n, counts[LEVELS];
	unsigned more[LEVELS]; /* that are not shown */
	struct indices unshown; /* the sessions that they are of */
};

/* Tests without a line may fail for the same reason, and are two. */
static uint32_t
hash_of(const struct finding *finding)
{
	char *text = xasprintf("%s:%u:%s:%s", finding->file, finding->line,
	    finding->line > 0 ? "" : finding->rule, finding->message);
	uint32_t hash = slug_hash(text);

	free(text);
	return hash;
}

static struct kept *
find_same(const struct list *list, const struct finding *finding, uint32_t hash)
{
	for (size_t i = 0; i < list->n; i++) {
		struct kept *kept = &list->v[i];

		if (kept->hash == hash && kept->line == finding->line &&
		    kept->announced == finding->announced && !strcmp(kept->file, finding->file))
			return kept;
	}
	return NULL;
}

static void
add_more(struct list *list, enum level level, size_t session)
{
	list->more[level]++;
	if (!indices_has(&list->unshown, session))
		indices_add(&list->unshown, session);
}

/* A struct finder's found. */
static void
add(void *to, const struct finding *finding)
{
	uint32_t hash = hash_of(finding);
	struct list *list = to;
	struct kept *same = find_same(list, finding, hash);

	if (same) {
		same->sessions += same->last_session != list->session;
		same->last_session = list->session;
		return;
	}
	if (list->counts[finding->level] == KEPT_MOST) {
		add_more(list, finding->level, list->session);
		return;
	}
	list->counts[finding->level]++;
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = (struct kept){ .level = finding->level,
		.file = xstrdup(finding->file), .rule = xstrdup(finding->rule),
		.message = xstrdup(finding->message), .line = finding->line,
		.column = finding->column, .hash = hash, .session = list->session,
		.last_session = list->session, .sessions = 1, .announced = finding->announced };
}

/* So many bytes of it, from its place on. */
static void
read_part(int log, long long most, struct findings *findings)
{
	char data[65536];
	ssize_t n;

	while (most > 0 && (n = read(log, data, sizeof(data))) > 0) {
		findings_feed(findings, data, (size_t)n);
		most -= n;
	}
}

/* A log that cannot be read has been warned of where it was shown. */
static void
read_log(int rundir, const char *target, const struct finder *finder)
{
	int log = joblog_find(rundir, target);
	struct findings *findings = findings_open(finder);
	struct stat st;

	if (log >= 0 && fstat(log, &st) == 0) {
		read_part(log, READ_MOST, findings);
		if (st.st_size > 2LL * READ_MOST && lseek(log, -READ_MOST, SEEK_END) > 0)
			findings_feed(findings, "\n", 1);
		read_part(log, READ_MOST, findings);
	}
	findings_close(findings);
	fd_close(&log);
}

static void
gather(struct list *list, int rundir, size_t n)
{
	struct sources *sources = sources_open();
	struct finder finder = { .file = sources_file, .folder = sources_folder,
		.data = sources, .found = add, .to = list };

	for (size_t i = 0; i < n; i++) {
		const struct record *r = &list->records[i];

		if ((r->verdict != FAILED && r->verdict != ABORTED) || !r->logged)
			continue;
		list->session = i;
		sources_begin(sources);
		read_log(rundir, r->target, &finder);
	}
	sources_close(sources);
}

/*
 * Is it the same as the message, as far as pytest's summary shows it? That cuts it, and may leave
 * out what most begin with. Of the cut one there have to be so many bytes.
 */
static bool
is_shorter(const char *summary, const char *message, size_t least)
{
	static const char assertion[] = "AssertionError: ";
	size_t skip = sizeof(assertion) - 1, n;

	summary += strncmp(summary, assertion, skip) ? 0 : skip;
	message += strncmp(message, assertion, skip) ? 0 : skip;
	n = strlen(summary);
	if (n >= 3 && !strcmp(summary + n - 3, "..."))
		n -= 3;
	return n >= least && strncmp(summary, message, n) == 0;
}

/*
 * Does the other one tell of the same, and more? A test's failure may have its place in another
 * file. What a session has told the CI of a line is what it has found there.
 */
static bool
is_better(const struct kept *other, const struct kept *kept)
{
	bool same_file = !strcmp(other->file, kept->file);

	if (other->line == 0)
		return false;
	if (kept->line > 0)
		return same_file && other->line == kept->line && other->announced &&
		       !kept->announced;
	return (same_file || other->session == kept->session) &&
	       is_shorter(kept->message, other->message, same_file ? 0 : SURE_LEAST);
}

static bool
is_known(const struct list *list, const struct kept *kept)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_better(&list->v[i], kept))
			return true;
	return false;
}

/* The text with each of its lines made safe, and cut to so many columns. The caller frees. */
static char *
safe_lines(const char *text, int columns)
{
	struct buffer lines = { 0 };

	buffer_addstr(&lines, "");
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = xasprintf("%.*s", (int)n, text), *safe = screen_safe(line);
		char *cut = utf8_cut(safe, columns);

		buffer_addstr(&lines, cut);
		text += n;
		if (*text && *++text)
			buffer_addstr(&lines, "\n");
		free(cut);
		free(safe);
		free(line);
	}
	return lines.data;
}

/*
 * Prints text of a command, or of a property of it, as GitHub's runner decodes it. The name of a
 * file is of use only as a whole.
 */
static void
put_escaped(const char *text, bool is_property)
{
	char *safe = safe_lines(text, is_property ? PATH_MAX : COLUMNS_MOST);

	for (const char *p = safe; *p; p++)
		if (*p == '%' || *p == '\n' || (is_property && (*p == ':' || *p == ',')))
			printf("%%%02X", (unsigned)(unsigned char)*p);
		else
			putchar(*p);
	free(safe);
}

/* "lint", or "tests-3.12 and 3 more". The caller frees. */
static char *
sessions_of(const struct list *list, const struct kept *kept)
{
	const char *target = list->records[kept->session].target;

	return kept->sessions == 1 ? xstrdup(target) :
	    xasprintf("%s and %u more", target, kept->sessions - 1);
}

static void
put_annotation(const struct list *list, const struct kept *kept)
{
	char *sessions = sessions_of(list, kept);
	char *title = xasprintf("%s%s%s", sessions, *kept->rule ? ": " : "", kept->rule);

	printf("::%s file=", kept->level == LEVEL_ERROR ? "error" : "warning");
	put_escaped(kept->file, true);
	if (kept->line > 0)
		printf(",line=%u", kept->line);
	if (kept->column > 0)
		printf(",col=%u", kept->column);
	printf(",title=");
	put_escaped(title, true);
	printf("::");
	put_escaped(kept->message, false);
	putchar('\n');
	free(title);
	free(sessions);
}

/* "src/core.py:7:12". The caller frees. */
static char *
where_of(const struct kept *kept)
{
	if (kept->line == 0)
		return xstrdup(kept->file);
	if (kept->column == 0)
		return xasprintf("%s:%u", kept->file, kept->line);
	return xasprintf("%s:%u:%u", kept->file, kept->line, kept->column);
}

static void
put_row(const struct list *list, const struct kept *kept, int wheres, int sessions)
{
	char *where = where_of(kept), *session = sessions_of(list, kept);
	char *first = xasprintf("%s%s%.*s", kept->rule, *kept->rule ? ": " : "",
	    (int)strcspn(kept->message, "\n"), kept->message);

	/* A path may be a command, which would begin the line. */
	printf("- ");
	screen_put_cell(where, WHERE_MOST, wheres);
	printf("  ");
	screen_put_cell(session, WHERE_MOST, sessions);
	printf("  ");
	screen_put_cut(first, COLUMNS_MOST);
	putchar('\n');
	free(first);
	free(session);
	free(where);
}

/* How wide the text is at least, within the bound of its column. */
static int
wider(int width, const char *text)
{
	int columns = utf8_columns(text);

	columns = columns < WHERE_MOST ? columns : WHERE_MOST;
	return columns > width ? columns : width;
}

static void
put_table(const struct list *list, const struct indices *shown)
{
	int wheres = (int)strlen("where"), sessions = (int)strlen("session");

	for (size_t i = 0; i < shown->n; i++) {
		const struct kept *kept = &list->v[shown->v[i]];
		char *where = where_of(kept), *session = sessions_of(list, kept);

		wheres = wider(wheres, where);
		sessions = wider(sessions, session);
		free(where);
		free(session);
	}
	if (shown->n > 0)
		printf("\n  %-*s  %-*s  what\n", wheres, "where", sessions, "session");
	for (size_t i = 0; i < shown->n; i++)
		put_row(list, &list->v[shown->v[i]], wheres, sessions);
}

/*
 * Positions of those that are to be shown, errors first. annotations: they are those that the forge
 * has room for besides what all n sessions, also those that passed, have told it.
 */
static struct indices
choose(struct list *list, size_t n, bool annotations)
{
	size_t rooms[LEVELS] = { ROWS_MOST, ROWS_MOST };
	struct indices shown = { 0 };

	for (enum level level = 0; annotations && level < LEVELS; level++) {
		rooms[level] = SHOWN_MOST;
		for (size_t i = 0; i < n; i++)
			rooms[level] -= at_most(list->records[i].announced[level],
			    (unsigned)rooms[level]);
	}
	for (enum level level = 0; level < LEVELS; level++)
		for (size_t i = 0; i < list->n; i++) {
			const struct kept *kept = &list->v[i];

			if (kept->level != level || !*kept->file ||
			    (kept->announced && annotations) || is_known(list, kept))
				continue;
			if (rooms[level] > 0 && shown.n < ROWS_MOST) {
				indices_add(&shown, i);
				rooms[level]--;
			} else {
				add_more(list, level, kept->session);
			}
		}
	return shown;
}

/* "noxmk: 3 more errors and 1 more warning are in the logs of lint, tests" */
static void
put_more(const struct list *list)
{
	static const char *const words[] = { "error", "warning" };
	bool both = list->more[LEVEL_ERROR] > 0 && list->more[LEVEL_WARNING] > 0;
	unsigned n = list->more[LEVEL_ERROR] + list->more[LEVEL_WARNING];

	if (n == 0)
		return;
	printf("\nnoxmk: ");
	for (enum level level = 0; level < LEVELS; level++)
		if (list->more[level] > 0)
			printf("%s%u more %s%s", level > 0 && both ? " and " : "",
			    list->more[level], words[level], list->more[level] > 1 ? "s" : "");
	printf(" %s in the log%s of ", n > 1 ? "are" : "is", list->unshown.n > 1 ? "s" : "");
	for (size_t i = 0; i < list->unshown.n; i++)
		printf("%s%s", i > 0 ? ", " : "", list->records[list->unshown.v[i]].target);
	putchar('\n');
}

void
annotate_print(int rundir, const struct record *records, size_t n, const char *ci_commands)
{
	bool annotations = ci_annotates(ci_commands);
	struct list list = { .records = records };
	struct indices shown;

	if (ci_reads("none") == CI_NONE)
		return;
	gather(&list, rundir, n);
	shown = choose(&list, n, annotations);
	if (annotations)
		for (size_t i = 0; i < shown.n; i++)
			put_annotation(&list, &list.v[shown.v[i]]);
	else
		put_table(&list, &shown);
	put_more(&list);
	free(shown.v);
	free(list.unshown.v);
	for (size_t i = 0; i < list.n; i++) {
		free(list.v[i].file);
		free(list.v[i].rule);
		free(list.v[i].message);
	}
	free(list.v);
}
