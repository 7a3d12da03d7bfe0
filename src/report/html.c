#include <sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <bsd/stdlib.h>

#include "base/json.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "report/assets.h"
#include "report/excerpts.h"
#include "report/html.h"
#include "report/results.h"
#include "report/sparks.h"
#include "report/telling.h"
#include "report/timeline.h"
#include "report/xml.h"
#include "state/rundir.h"

/* Columns of a reason in the table: what is behind the row has all of it. */
enum { REASON_MOST = 120 };

/* A page that is made, and what several of its places are made of. */
struct filling {
	const struct html *html;
	const struct story *story;
	json_t *results;
};

static void
add_text(struct buffer *out, const char *text)
{
	xml_add(out, text, strlen(text));
}

/* What of glibc does this is in a library of its own, which nothing else here needs. */
static void
add_base64(struct buffer *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned three = (unsigned)bytes[i] << 16;

		three |= i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0;
		three |= i + 2 < n ? bytes[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			buffer_printf(out, "%c",
			    i + k > n ? '=' : digits[three >> (18 - 6 * k) & 63]);
	}
}

/* " 'sha256-…'" of what is between the tags. */
static void
add_hash(struct buffer *out, const char *text)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)text, strlen(text));
	SHA256Final(digest, &sha);
	buffer_addstr(out, " 'sha256-");
	add_base64(out, digest, sizeof(digest));
	buffer_addstr(out, "'");
}

static void
add_policy(struct buffer *out, const struct filling *filling)
{
	(void)filling;
	buffer_addstr(out, "default-src 'none'; base-uri 'none'; form-action 'none'; "
	    "img-src data:; require-trusted-types-for 'script'; trusted-types 'none'; script-src");
	add_hash(out, asset_page_js);
	buffer_addstr(out, "; style-src");
	add_hash(out, asset_page_css);
	add_hash(out, asset_timeline_css);
}

static void
add_title(struct buffer *out, const struct filling *filling)
{
	buffer_printf(out, "noxmk: run %s", story_name(filling->story));
}

static void
add_heading(struct buffer *out, const struct filling *filling)
{
	telling_add_counts(out, filling->story);
	buffer_printf(out, " in %s", screen_duration(filling->story->wall).s);
}

static void
add_facts(struct buffer *out, const struct filling *filling)
{
	char *goals = json_list_join(filling->story->request.goals, " ");

	buffer_printf(out, "Run %s of <code>", story_name(filling->story));
	add_text(out, goals);
	buffer_addstr(out, "</code>, began ");
	telling_add_date(out, filling->story->started);
	if (filling->story->jobs > 0)
		buffer_printf(out, ", with -j%u", filling->story->jobs);
	if (filling->story->request.processors > 0)
		buffer_printf(out, " on %u processor%s", filling->story->request.processors,
		    filling->story->request.processors == 1 ? "" : "s");
	if (filling->story->progress != TABLE_ENDED)
		buffer_addstr(out, filling->story->progress == TABLE_SO_FAR ? "; it goes on" :
		    "; it was stopped");
	free(goals);
}

static void
add_advice(struct buffer *out, const struct filling *filling)
{
	const char *advice = json_text(json_object_get(filling->results, "predictions"), "advice");

	if (*advice) {
		buffer_addstr(out, "<p class=\"advice\">");
		add_text(out, advice);
		buffer_addstr(out, "</p>\n");
	}
}

static void
add_timeline(struct buffer *out, const struct filling *filling)
{
	timeline_add(out, filling->story);
}

/* A cell with a number, or an empty one. */
static void
add_number(struct buffer *out, bool is_known, const char *text)
{
	buffer_printf(out, "<td class=\"n\">%s</td>", is_known ? text : "");
}

static void
add_row(struct buffer *out, const struct filling *filling, const struct sparks *sparks, size_t at)
{
	const struct record *r = &filling->story->table.records[at];
	struct expectation usual = history_expect(filling->html->remarks->history, r->target);
	double waited = lead_waited(&filling->story->leads[at]);
	char *words = remark_of(filling->html->remarks, r), *cut, text[32];

	buffer_printf(out, "<tr data-i=\"%zu\"><th scope=\"row\"><a href=\"#s%zu\">", at, at);
	add_text(out, r->target);
	buffer_printf(out, "</a></th><td><span class=\"v %s\">%s</span></td>",
	    verdict_name(r->verdict), verdict_name(r->verdict));
	add_number(out, lead_has_run(r), screen_duration(r->duration).s);
	add_number(out, usual.known, screen_duration(usual.seconds).s);
	buffer_addstr(out, "<td>");
	sparks_add(out, sparks, at);
	buffer_addstr(out, "</td>");
	add_number(out, waited >= SCREEN_NOTEWORTHY, screen_duration(waited).s);
	add_number(out, r->cpu >= SCREEN_NOTEWORTHY, screen_duration(r->cpu).s);
	snprintf(text, sizeof(text), "%u", r->width);
	add_number(out, r->width > 0, text);
	humanize_number(text, 6, r->memory > INT64_MAX ? INT64_MAX : (int64_t)r->memory, "",
	    HN_AUTOSCALE, HN_NOSPACE);
	add_number(out, r->memory > 0, text);
	buffer_addstr(out, "<td class=\"r\">");
	cut = utf8_cut(words ? words : "", REASON_MOST);
	add_text(out, cut);
	buffer_addstr(out, "</td></tr>\n");
	free(cut);
	free(words);
}

static void
add_rows(struct buffer *out, const struct filling *filling)
{
	struct sparks *sparks = sparks_open(filling->html->state, filling->story);

	for (size_t i = 0; i < filling->story->table.n; i++)
		add_row(out, filling, sparks, i);
	sparks_close(sparks);
}

/* Each block of what is told, its first line for its heading. */
static void
add_explained(struct buffer *out, const struct filling *filling)
{
	struct buffer text = { 0 };
	char *rest, *block;

	buffer_addstr(&text, "");
	telling_explain(&text, filling->story,
	    json_object_get(filling->results, "predictions"));
	rest = text.data;
	while (rest && *rest) {
		size_t n = strcspn(rest += strspn(rest, "\n"), "\n");
		char *end = strstr(rest, "\n\n");

		block = xasprintf("%.*s", (int)(end ? (size_t)(end - rest) : strlen(rest)), rest);
		buffer_addstr(out, "<div><h3>");
		xml_add(out, block, n);
		buffer_addstr(out, "</h3><pre>");
		add_text(out, block + n + (block[n] == '\n'));
		buffer_addstr(out, "</pre></div>\n");
		free(block);
		rest = end;
	}
	buffer_free(&text);
}

/* A section, where something runs. */
static void
add_running(struct buffer *out, const struct filling *filling)
{
	const json_t *running = filling->story->ongoing;
	json_t *session;
	size_t i;

	if (json_array_size(running) == 0)
		return;
	buffer_addstr(out, "<section aria-labelledby=\"running-h\">\n"
	    "<h2 id=\"running-h\">Running when this was made</h2>\n"
	    "<table>\n<thead><tr><th scope=\"col\">session</th>"
	    "<th scope=\"col\" class=\"n\">since</th><th scope=\"col\" class=\"n\">time</th>"
	    "<th scope=\"col\">state</th></tr></thead>\n<tbody>\n");
	json_array_foreach(running, i, session) {
		buffer_addstr(out, "<tr><th scope=\"row\">");
		add_text(out, json_text(session, "target"));
		buffer_addstr(out, "</th>");
		add_number(out, true, screen_duration(json_number(session, "began")).s);
		add_number(out, true, screen_duration(json_number(session, "seconds")).s);
		buffer_addstr(out, "<td class=\"r\">");
		add_text(out, json_text(session, "state"));
		buffer_addstr(out, "</td></tr>\n");
	}
	buffer_addstr(out, "</tbody>\n</table>\n</section>\n");
}

static void
add_version(struct buffer *out, const struct filling *filling)
{
	(void)filling;
	buffer_addstr(out, NOXMK_VERSION);
}

static void
add_folder(struct buffer *out, const struct filling *filling)
{
	char *folder = rundir_path(story_name(filling->story));

	if (filling->html->links) {
		buffer_addstr(out, "<a href=\"");
		add_text(out, filling->html->links);
		buffer_addstr(out, "\">");
	}
	add_text(out, folder);
	buffer_addstr(out, filling->html->links ? "</a>" : "");
	free(folder);
}

/*
 * JSON as the text of a <script>, where no character may begin markup, or end a line of a language
 * in which U+2028 does. Outside of strings, where an escape would be none, JSON has none of these.
 */
static void
add_json(struct buffer *out, const char *json)
{
	for (const char *p = json; *p; p++) {
		if (*p == '<' || *p == '>' || *p == '&') {
			buffer_printf(out, "\\u%04x", (unsigned)*p);
		} else if (!strncmp(p, "\xe2\x80\xa8", 3) || !strncmp(p, "\xe2\x80\xa9", 3)) {
			buffer_printf(out, "\\u20%02x", (unsigned char)p[2] - 0x80u);
			p += 2;
		} else {
			buffer_add(out, p, 1);
		}
	}
}

static void
add_run(struct buffer *out, const struct filling *filling)
{
	json_t *run = json_pack("{s:O,s:o}", "results", filling->results, "logs",
	    excerpts_of(filling->story, filling->html->links));
	char *text = run ? json_dumps(run, JSON_COMPACT | JSON_REAL_PRECISION(8)) : NULL;

	add_json(out, text ? text : "null");
	free(text);
	json_decref(run);
}

static void
add_css(struct buffer *out, const struct filling *filling)
{
	(void)filling;
	buffer_addstr(out, asset_page_css);
}

static void
add_js(struct buffer *out, const struct filling *filling)
{
	(void)filling;
	buffer_addstr(out, asset_page_js);
}

static const struct {
	const char *name;
	void (*add)(struct buffer *, const struct filling *);
} places[] = {
	{ "policy", add_policy }, { "title", add_title }, { "css", add_css },
	{ "heading", add_heading }, { "facts", add_facts }, { "advice", add_advice },
	{ "timeline", add_timeline }, { "running", add_running }, { "rows", add_rows },
	{ "explained", add_explained }, { "version", add_version }, { "folder", add_folder },
	{ "run", add_run }, { "js", add_js },
};

void
html_add(struct buffer *out, const struct html *html)
{
	struct filling filling = { html, html->story,
		results_of(html->story, html->remarks->history) };
	const char *rest = asset_page_html, *open;

	while ((open = strstr(rest, "{{"))) {
		size_t n = strcspn(open + 2, "}");

		buffer_add(out, rest, (size_t)(open - rest));
		for (size_t i = 0; i < countof(places); i++)
			if (strlen(places[i].name) == n && !strncmp(places[i].name, open + 2, n))
				places[i].add(out, &filling);
		rest = open + 2 + n + 2;
	}
	buffer_addstr(out, rest);
	json_decref(filling.results);
}
