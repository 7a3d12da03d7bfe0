#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/vis.h>

#include "audit/overlap.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "output/ci.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "report/markdown.h"

/* GitHub takes so many bytes for a step, others may have written there, too. */
enum { MOST = 1 << 20, ROWS_MOST = MOST / 2 };

/* Columns of a reason; the log has all of it. */
enum { REMARK_MOST = 160 };

#define VARIABLE "GITHUB_STEP_SUMMARY"

static const char *
path(void)
{
	const char *path = getenv(VARIABLE);

	return path && *path ? path : NULL;
}

bool
markdown_is_wanted(void)
{
	return ci_forge() != FORGE_NONE && path();
}

/* Does a sign in the midst of a word, or at its end, mean nothing? "3.11", "py3-dev", "2, 3". */
static bool
is_harmless(const struct buffer *out, char byte, char next)
{
	const char *before = out->len > 0 ? out->data + out->len - 1 : "";

	if (!isalnum((unsigned char)*before))
		return false;
	/* "1. " begins a list, and "www." a link. */
	if (byte == '.')
		return isalnum((unsigned char)next) && tolower((unsigned char)*before) != 'w';
	return strchr("-,;/%", byte) != NULL;
}

/* A sign can begin a table's cell, a link, a mention, an element: as a number it is only itself. */
static void
add_ascii(struct buffer *out, char byte, char next)
{
	if (byte == ' ' || isalnum((unsigned char)byte) || is_harmless(out, byte, next))
		buffer_add(out, &byte, 1);
	else
		buffer_printf(out, "&#%d;", byte);
}

static void
add_safe(struct buffer *out, const char *text)
{
	char visible[8];

	for (size_t n; *text; text += n) {
		n = utf8_next(text);
		if (n > 1) {
			buffer_add(out, text, n);
			continue;
		}
		n = 1;
		vis(visible, (unsigned char)*text, VIS_CSTYLE | VIS_TAB | VIS_NL, 0);
		for (const char *p = visible; *p; p++)
			add_ascii(out, *p, *(p[1] ? p + 1 : text + 1));
	}
}

void
markdown_add(struct markdown *markdown, const struct record *r, const char *remark)
{
	struct buffer *text = &markdown->text;
	const char *bold = record_is_bad(r) ? "**" : "";
	char *cut = utf8_cut(remark ? remark : "", REMARK_MOST);

	if (text->len == 0)
		buffer_addstr(text, "| session | verdict | time | reason |\n|---|---|--:|---|\n");
	if (text->len > ROWS_MOST) {
		markdown->left_out++;
	} else {
		buffer_addstr(text, "| ");
		add_safe(text, r->target);
		buffer_printf(text, " | %s%s%s | %s | ", bold, verdict_name(r->verdict), bold,
		    r->verdict == NOT_RUN ? "-" : screen_duration(r->duration).s);
		add_safe(text, cut);
		buffer_addstr(text, " |\n");
	}
	free(cut);
}

void
markdown_add_overlaps(struct markdown *markdown, const json_t *overlaps)
{
	const json_t *overlap;
	size_t i;

	if (json_array_size(overlaps) > 0)
		buffer_addstr(&markdown->text, "\n");
	json_array_foreach(overlaps, i, overlap) {
		char *told = overlap_told(overlap), *words = utf8_cut(told, REMARK_MOST);

		if (markdown->text.len <= ROWS_MOST) {
			buffer_addstr(&markdown->text, "- ");
			add_safe(&markdown->text, json_text(overlap, "level"));
			buffer_addstr(&markdown->text, ": ");
			add_safe(&markdown->text, words);
			buffer_addstr(&markdown->text, "\n");
		}
		free(words);
		free(told);
	}
}

static void
append(const struct buffer *text)
{
	int file = file_open_append(path());
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		warnx(VARIABLE "=%.200s: %s", path(), file_why(errno));
	else if (st.st_size + (off_t)text->len > MOST)
		warnx(VARIABLE ": no room for the summary: with it the file would be larger than "
		    "1 MiB, and not be shown");
	else if (fd_write_all(file, text->data, text->len) < 0)
		warn(VARIABLE "=%.200s", path());
	fd_close(&file);
}

void
markdown_end(struct markdown *markdown, const char *total)
{
	struct buffer *text = &markdown->text;

	if (markdown->left_out > 0)
		buffer_printf(text, "\nand %zu more session%s\n", markdown->left_out,
		    markdown->left_out == 1 ? "" : "s");
	buffer_addstr(text, "\n");
	add_safe(text, total);
	buffer_addstr(text, "\n\n");
}

void
markdown_write(struct markdown *markdown, const char *total)
{
	markdown_end(markdown, total);
	append(&markdown->text);
	buffer_free(&markdown->text);
}
