#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "trace/snapshot.h"

static bool
says(const struct buffer *lines, const char *folder, const char *name, const char *ops)
{
	char *text = xasprintf("{\"path\":\"%s/%s\",\"ops\":[%s],", folder, name, ops);
	bool found = lines->data && strstr(lines->data, text) != NULL;

	free(text);
	return found;
}

static void
fill(void)
{
	mkdir(".git", 0755);
	mkdir("d", 0755);
	mkdir("e", 0755);
	file_put("d/changes", "one");
	file_put("d/goes", "");
	file_put("d/replaced", "same");
	file_put("d/stays", "same");
	file_put("mode", "");
	file_put(".git/index", "");
}

START_TEST(two_looks_show_what_has_changed_in_between)
{
	char *folder = getcwd(NULL, 0);
	struct snapshot *before, *after;
	struct buffer lines = { 0 };

	fill();
	before = snapshot_take(folder);
	file_put("d/changes", "three");
	unlink("d/goes");
	file_put("new", "same");
	ck_assert_int_eq(rename("new", "d/replaced"), 0);
	file_put("a", "");
	mkdir("z", 0755);
	rmdir("e");
	chmod("mode", 0600);
	file_put(".git/index", "changed");
	after = snapshot_take(folder);
	ck_assert(snapshot_put(before, after, 1.5, &lines, NULL));
	ck_assert(says(&lines, folder, "a", "\"write\",\"create\""));
	ck_assert(says(&lines, folder, "d/changes", "\"write\""));
	ck_assert(says(&lines, folder, "d/goes", "\"delete\""));
	ck_assert(says(&lines, folder, "d/replaced", "\"rename-to\""));
	ck_assert(says(&lines, folder, "e", "\"rmdir\""));
	ck_assert(says(&lines, folder, "z", "\"mkdir\""));
	ck_assert(says(&lines, folder, "mode", "\"meta\""));
	ck_assert_ptr_null(strstr(lines.data, "stays"));
	ck_assert_ptr_null(strstr(lines.data, ".git"));
	ck_assert_ptr_nonnull(strstr(lines.data, "\"first\":\"create\""));
	ck_assert_ptr_nonnull(strstr(lines.data, "\"wrote\":[0.0,1.5]"));
	buffer_free(&lines);
	snapshot_free(before);
	snapshot_free(after);
	snapshot_free(NULL);
	free(folder);
}
END_TEST

START_TEST(nothing_has_changed_where_nothing_is)
{
	struct snapshot *none = snapshot_take("/no such folder");
	struct buffer lines = { 0 };

	ck_assert(snapshot_put(none, none, 1, &lines, NULL));
	ck_assert_uint_eq(lines.len, 0);
	snapshot_free(none);
}
END_TEST

START_TEST(the_folder_itself_may_have_any_name)
{
	char *folder = getcwd(NULL, 0), *root = xasprintf("%s/.git", folder);
	struct snapshot *before, *after;
	struct buffer lines = { 0 };

	fill();
	before = snapshot_take(root);
	file_put(".git/index", "changed");
	after = snapshot_take(root);
	ck_assert(snapshot_put(before, after, 1.5, &lines, NULL));
	ck_assert(says(&lines, root, "index", "\"write\""));
	snapshot_free(before);
	snapshot_free(after);
	buffer_free(&lines);
	free(root);
	free(folder);
}
END_TEST

Suite *
check_snapshot_suite(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *snapshot = support_case(suite, "snapshot");

	tcase_add_test(snapshot, two_looks_show_what_has_changed_in_between);
	tcase_add_test(snapshot, nothing_has_changed_where_nothing_is);
	tcase_add_test(snapshot, the_folder_itself_may_have_any_name);
	return suite;
}
