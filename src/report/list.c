#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "report/list.h"

/* The column of the targets is as wide as the longest, within these limits. */
enum { WIDTH_MIN = 20, WIDTH_MAX = 48, MARKS = 4 };

/* A target that is too long for its column is cut only where the line has to fit. */
static void
print_line(char mark, const char *target, const char *rest, int width)
{
	int columns = screen_left(0) > 0 ? width : 0, used = (int)strlen(target);

	if (columns > 0 || used < width)
		used = width;
	printf("%c ", mark);
	screen_put_cell(target, columns, width);
	printf("  ");
	screen_put_cut(rest, screen_left(MARKS + used));
	putchar('\n');
}

static void
print_session(const json_t *line, int width)
{
	const char *target = json_text(line, "target"), *session = json_text(line, "session");
	const char *description = json_text(line, "description");
	bool same = !strcmp(target, session);
	char *rest = xasprintf("%s%s%s", same ? "" : session,
	    same || !*description ? "" : ": ", description);

	print_line(json_is_true(json_object_get(line, "default")) ? '*' : '-', target, rest, width);
	free(rest);
}

/* A group of one session, other than ci, is only another name for it: that is left out. */
static void
print_group(const json_t *line, int width)
{
	size_t n = json_array_size(json_object_get(line, "members"));
	char *rest;

	if (n == 1 && strcmp(json_text(line, "group"), "ci") != 0)
		return;
	rest = xasprintf("%s (%zu session%s)", json_text(line, "what"), n, n == 1 ? "" : "s");
	print_line('+', json_text(line, "group"), rest, width);
	free(rest);
}

void
list_print(struct planfile *plan)
{
	int width = WIDTH_MIN, left = screen_left(MARKS), most = WIDTH_MAX;
	json_t *line;

	if (left > 0 && left / 2 < most)
		most = left / 2;

	screen_put_cut("* default session   - other session   + group", screen_left(0));
	putchar('\n');
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		int len = (int)strlen(json_text(line, "target"));

		if (len > width)
			width = len < most ? len : most;
		json_decref(line);
	}
	width = width < most ? width : most;
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (*json_text(line, "target"))
			print_session(line, width);
		else
			print_group(line, width);
		json_decref(line);
	}
}
