#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/commit.h"
#include "support.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER "89abcdef0123456789abcdef0123456789abcdef"

static void
forget(void)
{
	unsetenv("GITHUB_SHA");
	unsetenv("CI_COMMIT_SHA");
}

static void
assert_commit(const char *expected)
{
	char *commit = commit_checked_out();

	if (expected)
		ck_assert_str_eq(commit ? commit : "none", expected);
	else
		ck_assert_ptr_null(commit);
	free(commit);
	assert_silent();
}

/* Files, and the commit that they tell of. */
static const struct {
	const char *names[3], *texts[3], *commit;
} checkouts[] = {
	{ { ".git/HEAD" }, { COMMIT "\n" }, COMMIT },
	{ { ".git/HEAD" }, { COMMIT OTHER }, NULL },
	{ { ".git/HEAD" }, { "" }, NULL },
	{ { ".git/HEAD", ".git/refs/heads/main" }, { "ref: refs/heads/main\n", COMMIT "\n" },
	    COMMIT },
	{ { ".git/HEAD", ".git/packed-refs" }, { "ref: refs/heads/main\n",
	    "# pack-refs\n" OTHER " refs/heads/mai\n" COMMIT " refs/heads/main\n" }, COMMIT },
	{ { ".git/HEAD", ".git/refs/heads/main", ".git/packed-refs" },
	    { "ref: refs/heads/main\n", COMMIT "\n", OTHER " refs/heads/main\n" }, COMMIT },
	{ { ".git/HEAD" }, { "ref: refs/heads/new\n" }, NULL },
	{ { ".git/HEAD", "x" }, { "ref: ../x\n", COMMIT "\n" }, NULL },
	/* A worktree, with its branches elsewhere. */
	{ { ".git", "main/HEAD" }, { "gitdir: main\n", COMMIT "\n" }, COMMIT },
	{ { ".git", "wt/HEAD", "main/packed-refs" }, { "gitdir: wt\n", "ref: refs/heads/b\n",
	    COMMIT " refs/heads/b\n" }, NULL },
	{ { ".git", "main/HEAD", "main/packed-refs" }, { "gitdir: main\n", "ref: refs/heads/b\n",
	    COMMIT " refs/heads/b\n" }, COMMIT },
};

START_TEST(what_git_keeps_tells)
{
	bool is_worktree = !strcmp(checkouts[_i].names[0], ".git");

	forget();
	close(folder_make(is_worktree ? "main" : ".git/refs/heads"));
	close(folder_make("wt"));
	for (size_t i = 0; i < countof(checkouts[_i].names) && checkouts[_i].names[i]; i++)
		file_put(checkouts[_i].names[i], checkouts[_i].texts[i]);
	assert_commit(checkouts[_i].commit);
}
END_TEST

START_TEST(branches_of_a_worktree_are_elsewhere)
{
	forget();
	close(folder_make("all/worktrees/wt"));
	file_put(".git", "gitdir: all/worktrees/wt\n");
	file_put("all/worktrees/wt/HEAD", "ref: refs/heads/b\n");
	file_put("all/worktrees/wt/commondir", "../..\n");
	file_put("all/packed-refs", COMMIT " refs/heads/b\n");
	assert_commit(COMMIT);
}
END_TEST

START_TEST(a_project_may_lie_within_a_repository)
{
	forget();
	close(folder_make(".git"));
	close(folder_make("a/b"));
	file_put(".git/HEAD", COMMIT "\n");
	ck_assert_int_eq(chdir("a/b"), 0);
	assert_commit(COMMIT);
	ck_assert_int_eq(chdir("../.."), 0);
}
END_TEST

START_TEST(without_git_the_ci_tells)
{
	forget();
	setenv("GITHUB_SHA", "x", 1);
	assert_commit(NULL);
	setenv("CI_COMMIT_SHA", OTHER, 1);
	assert_commit(OTHER);
	setenv("GITHUB_SHA", COMMIT, 1);
	assert_commit(COMMIT);
	forget();
}
END_TEST

/* It neither waits nor follows. */
START_TEST(what_is_odd_tells_nothing)
{
	forget();
	close(folder_make(".git"));
	odd_put((enum odd)_i, ".git/HEAD");
	assert_commit(NULL);
}
END_TEST

Suite *
check_commit_suite(void)
{
	Suite *suite = suite_create("commit");
	TCase *tc = support_case(suite, "commit");

	tcase_add_loop_test(tc, what_git_keeps_tells, 0, countof(checkouts));
	tcase_add_test(tc, branches_of_a_worktree_are_elsewhere);
	tcase_add_test(tc, a_project_may_lie_within_a_repository);
	tcase_add_test(tc, without_git_the_ci_tells);
	tcase_add_loop_test(tc, what_is_odd_tells_nothing, 0, ODD_STRANGER);
	return suite;
}
