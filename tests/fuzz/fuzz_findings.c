/*
 * A log that may say anything, for what tools have reported in it. The input's first byte: in which
 * pieces it comes.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "report/findings.h"

/* More than any message that is kept. */
enum { MESSAGE_MOST = 100000 };

/* What was found, for a comparison. */
static struct buffer report;

/* Every second path is a file, so that what depends on that is tried, too. */
static char *
file(void *data, const char *path, size_t n)
{
	REQUIRE(data == &report && n < MESSAGE_MOST);
	return n % 2 ? xasprintf("%.*s", (int)n, path) : NULL;
}

static void
folder(void *data, enum folder kind, const char *path, size_t n)
{
	REQUIRE(data == &report && kind < FOLDERS && !memchr(path, '\n', n));
}

static void
found(void *to, const struct finding *finding)
{
	REQUIRE(to == &report && finding->level < LEVEL_NONE);
	REQUIRE(*finding->file || finding->announced);
	REQUIRE(strlen(finding->message) < MESSAGE_MOST && !strchr(finding->rule, '\n'));
	buffer_printf(&report, "%d %s:%u:%u %s %s\n", finding->level, finding->file, finding->line,
	    finding->column, finding->rule, finding->message);
}

static void
read_text(const uint8_t *data, size_t size, size_t piece)
{
	struct finder finder = { .file = file, .folder = folder, .data = &report, .found = found,
		.to = &report };
	struct findings *findings = findings_open(&finder);

	for (size_t i = 0; i < size; i += piece)
		findings_feed(findings, (const char *)data + i,
		    size - i < piece ? size - i : piece);
	findings_close(findings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole;

	if (size == 0)
		return 0;
	report.len = 0;
	buffer_addstr(&report, "");
	read_text(data + 1, size - 1, size);
	whole = report.len;
	read_text(data + 1, size - 1, 1 + data[0] % 64U);
	REQUIRE(report.len == 2 * whole && !memcmp(report.data, report.data + whole, whole));
	buffer_free(&report);
	return 0;
}
