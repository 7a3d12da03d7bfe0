#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "report/list.h"

/* The column of the targets is as wide as the longest, within these limits. */
enum { WIDTH_MIN = 20, WIDTH_MAX = 48 };

static void
print_session(const json_t *line, int width)
{
	const char *target = json_text(line, "target"), *session = json_text(line, "session");
	bool same = !strcmp(target, session);

	printf("%c %-*s  ", json_is_true(json_object_get(line, "default")) ? '*' : '-', width,
	    target);
	if (!same)
		screen_put("", session, "");
	screen_put(same ? "" : ": ", json_text(line, "description"), "");
	putchar('\n');
}

/* A group of one session, other than ci, is only another name for it: that is left out. */
static void
print_group(const json_t *line, int width)
{
	size_t n = json_array_size(json_object_get(line, "members"));

	if (n == 1 && strcmp(json_text(line, "group"), "ci") != 0)
		return;
	printf("+ %-*s  ", width, json_text(line, "group"));
	screen_put("", json_text(line, "what"), "");
	printf(" (%zu session%s)\n", n, n == 1 ? "" : "s");
}

void
list_print(struct planfile *plan)
{
	int width = WIDTH_MIN;
	json_t *line;

	puts("* default session   - other session   + group");
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		int len = (int)strlen(json_text(line, "target"));

		if (len > width)
			width = len < WIDTH_MAX ? len : WIDTH_MAX;
		json_decref(line);
	}
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (*json_text(line, "target"))
			print_session(line, width);
		else
			print_group(line, width);
		json_decref(line);
	}
}
