#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/sources.h"
#include "support.h"

static char *project; /* absolute */

/* repository/.git, and a project in it, in which we are. */
static void
begin(void)
{
	static const char *const names[] = { "a.py", "docs/a.rst", "docs/b.py", "b.py",
		".nox/x/a.py", "lib/site-packages/a.py", "..odd.py" };
	char *folder;

	close(folder_make("repository/.git"));
	close(folder_make("repository/project/docs"));
	close(folder_make("repository/project/.nox/x"));
	close(folder_make("repository/project/lib/site-packages"));
	close(folder_make("repository-2"));
	file_put("repository-2/a.py", "");
	file_put("outside.py", "");
	file_put("repository/top.py", "");
	folder = getcwd(NULL, 0);
	project = xasprintf("%s/repository/project", folder);
	free(folder);
	ck_assert_int_eq(chdir(project), 0);
	for (size_t i = 0; i < countof(names); i++)
		file_put(names[i], "");
	ck_assert_int_eq(symlink("a.py", "link.py"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling.py"), 0);
	odd_put(ODD_FIFO, "fifo.py");
	unsetenv("GITHUB_WORKSPACE");
}

/* What that path is called, or "none". It lives until the next call. */
static const char *
called(struct sources *sources, const char *path)
{
	static char *file;

	free(file);
	file = sources_file(sources, path, strlen(path));
	return file ? file : "none";
}

static const struct {
	const char *path, *file;
} relative[] = {
	{ "a.py", "project/a.py" }, { "./docs//./a.rst", "project/docs/a.rst" },
	{ "docs/../a.py", "project/a.py" }, { "a.py/", "project/a.py" },
	{ "..odd.py", "project/..odd.py" }, { "link.py", "project/link.py" },
	{ "../top.py", "top.py" }, { "../../outside.py", "none" },
	{ "../../repository-2/a.py", "none" }, { "dangling.py", "none" }, { "fifo.py", "none" },
	{ "docs", "none" }, { "nowhere.py", "none" }, { "", "none" }, { ".", "none" },
	{ "/", "none" }, { ".nox/x/a.py", "none" }, { "lib/site-packages/a.py", "none" },
	{ "/etc/passwd", "none" }, { "../../../../../../../../../etc/passwd", "none" },
	{ "<string>", "none" },
};

START_TEST(a_path_is_called_by_its_name_in_the_repository)
{
	struct sources *sources;

	begin();
	sources = sources_open();
	ck_assert_str_eq(called(sources, relative[_i].path), relative[_i].file);
	sources_close(sources);
}
END_TEST

START_TEST(whole_paths)
{
	struct sources *sources;
	char *path;

	begin();
	sources = sources_open();
	path = xasprintf("%s/docs/../a.py", project);
	ck_assert_str_eq(called(sources, path), "project/a.py");
	free(path);
	path = xasprintf("%s-2/a.py", project);
	ck_assert_str_eq(called(sources, path), "none");
	free(path);
	sources_close(sources);
}
END_TEST

static void
set_folder(struct sources *sources, enum folder kind, const char *path)
{
	sources_folder(sources, kind, path, strlen(path));
}

START_TEST(a_path_is_seen_from_the_folder_that_was_named_last)
{
	struct sources *sources;

	begin();
	sources = sources_open();
	ck_assert_str_eq(called(sources, "a.rst"), "none");
	ck_assert_str_eq(called(sources, "b.py"), "project/b.py");
	set_folder(sources, FOLDER_NOX, "docs");
	ck_assert_str_eq(called(sources, "b.py"), "project/docs/b.py");
	ck_assert_str_eq(called(sources, "a.rst"), "project/docs/a.rst");
	ck_assert_str_eq(called(sources, "a.py"), "project/a.py");
	set_folder(sources, FOLDER_NOX, "/");
	ck_assert_str_eq(called(sources, "b.py"), "project/b.py");
	set_folder(sources, FOLDER_PYTEST, "..");
	ck_assert_str_eq(called(sources, "top.py"), "top.py");
	/* Another log knows nothing of that. */
	sources_begin(sources);
	ck_assert_str_eq(called(sources, "top.py"), "none");
	sources_close(sources);
}
END_TEST

START_TEST(without_git_the_workspace_or_the_project_is_the_root)
{
	struct sources *sources;
	char *above;

	begin();
	folder_remove("../.git");
	sources = sources_open();
	ck_assert_str_eq(called(sources, "a.py"), "a.py");
	ck_assert_str_eq(called(sources, "../top.py"), "none");
	sources_close(sources);
	above = xasprintf("%.*s", (int)(strlen(project) - strlen("/project")), project);
	setenv("GITHUB_WORKSPACE", above, 1);
	sources = sources_open();
	ck_assert_str_eq(called(sources, "a.py"), "project/a.py");
	sources_close(sources);
	setenv("GITHUB_WORKSPACE", "/elsewhere", 1);
	sources = sources_open();
	ck_assert_str_eq(called(sources, "a.py"), "a.py");
	sources_close(sources);
	free(above);
	/* A work tree's is a file. */
	file_put("../.git", "gitdir: x\n");
	sources = sources_open();
	ck_assert_str_eq(called(sources, "a.py"), "project/a.py");
	sources_close(sources);
}
END_TEST

Suite *
check_sources_suite(void)
{
	Suite *suite = suite_create("sources");
	TCase *tc = support_case(suite, "sources");

	tcase_add_loop_test(tc, a_path_is_called_by_its_name_in_the_repository, 0,
	    countof(relative));
	tcase_add_test(tc, whole_paths);
	tcase_add_test(tc, a_path_is_seen_from_the_folder_that_was_named_last);
	tcase_add_test(tc, without_git_the_workspace_or_the_project_is_the_root);
	return suite;
}
