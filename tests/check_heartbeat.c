#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "session/heartbeat.h"
#include "state/now.h"
#include "support.h"

/* A run's folder with a plan of a to h, of which a to d are to run, and the page of a CI. */
static struct planfile *plan;
static json_t *goals;
static struct heartbeat_options options;

/* What be_silent(61) is told as, if not at once. */
#define SIXTY_ONE "(6[1-9]|[7-9][0-9])s"

/* What they do. */
static struct now *entries[8];

/* A session that waits, and then comes into that phase. */
static void
enter(size_t i, enum now_phase phase)
{
	const char name[] = { (char)('a' + i), '\0' };

	entries[i] = now_open(AT_FDCWD, name, 2);
	now_begun(entries[i], clock_monotonic() - 2, 1);
	now_enter(entries[i], phase, "");
	options.table = now_table(entries[i]);
}

static void
begin(double every)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b'},{'name':'c'},{'name':'d'},"
		"{'name':'e'},{'name':'f'},{'name':'g'},{'name':'h'}]", "[]");

	setenv("CI", "true", 1);
	plan_put(AT_FDCWD, facts, NULL, NULL);
	facts_free(facts);
	plan = planfile_open(AT_FDCWD);
	goals = json_of("['a','b','c','d']");
	options = (struct heartbeat_options){ .page = page_open(AT_FDCWD), .rundir = AT_FDCWD,
		.table = -1, .goals = goals, .every = every };
}

static void
end(void)
{
	for (size_t i = 0; i < countof(entries); i++)
		now_close(entries[i]);
	page_close(options.page);
	planfile_close(plan);
	json_decref(goals);
}

/*
 * The page was silent for so many seconds. No more than the machine has been up: a moment before
 * its start is none.
 */
static void
be_silent(double seconds)
{
	struct page_state state = { .lines = 1, .last = clock_monotonic() - seconds };
	int file = open(".page.now", O_WRONLY);

	ck_assert_int_eq(pwrite(file, &state, sizeof(state), 0), sizeof(state));
	close(file);
}

static char *
looked(struct heartbeat *heartbeat)
{
	output_begin();
	heartbeat_look(heartbeat, plan);
	return output_end();
}

static void
assert_matches(char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "no \"%s\" in: %s", pattern, text);
	regfree(&regex);
	free(text);
}

START_TEST(a_silence_is_broken_once)
{
	struct heartbeat *one, *other;
	char *text;

	begin(60);
	enter(0, NOW_ENDED);
	enter(1, NOW_RUNS);
	enter(2, NOW_WAITS);
	enter(3, NOW_RUNS);
	now_begun(entries[3], clock_monotonic() - 0.5, 1);
	now_enter(entries[3], NOW_RUNS, "");
	one = heartbeat_open(&options);
	other = heartbeat_open(&options);
	be_silent(61);
	assert_matches(looked(one), "^noxmk: nothing new for " SIXTY_ONE ": 2 run "
		"\\(b [0-9.]+s, d [0-9.]+s\\), 1 wait\n$");
	text = looked(other);
	ck_assert_str_eq(text, "");
	free(text);
	heartbeat_close(one);
	heartbeat_close(other);
	end();
}
END_TEST

/* They look at the same moment. */
START_TEST(of_many_helpers_one_tells_it)
{
	pid_t pids[8];
	char *text;
	int start[2];

	begin(60);
	be_silent(61);
	ck_assert_int_eq(pipe(start), 0);
	output_begin();
	for (size_t i = 0; i < countof(pids); i++) {
		pids[i] = fork();
		if (pids[i] > 0)
			continue;
		options.page = page_open(AT_FDCWD);
		close(start[1]);
		(void)!read(start[0], &(char){ 0 }, 1);
		heartbeat_look(heartbeat_open(&options), plan);
		_exit(0);
	}
	close(start[1]);
	for (size_t i = 0; i < countof(pids); i++)
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	text = output_end();
	ck_assert_ptr_nonnull(strchr(text, '\n'));
	ck_assert_ptr_eq(strchr(text, '\n'), strrchr(text, '\n'));
	free(text);
	close(start[0]);
	end();
}
END_TEST

/* The helper of one was killed, and its keeper has recorded that; another one is held up. */
START_TEST(what_is_over_is_not_told)
{
	struct heartbeat *heartbeat;

	begin(60);
	enter(0, NOW_RUNS);
	file_put("a.json", "{}");
	enter(1, NOW_HELD_UP);
	heartbeat = heartbeat_open(&options);
	be_silent(61);
	assert_matches(looked(heartbeat), ": 1 run \\(b [0-9.]+s\\), 2 wait\n$");
	heartbeat_close(heartbeat);
	end();
}
END_TEST

START_TEST(nobody_runs_yet)
{
	struct heartbeat *heartbeat;

	begin(60);
	heartbeat = heartbeat_open(&options);
	be_silent(61);
	assert_matches(looked(heartbeat), "^noxmk: nothing new for " SIXTY_ONE
		": 0 run, 4 wait\n$");
	heartbeat_close(heartbeat);
	end();
}
END_TEST

START_TEST(only_the_longest_are_named)
{
	struct heartbeat *heartbeat;

	begin(60);
	json_array_clear(goals);
	for (int i = 0; i < 8; i++) {
		const char name[] = { (char)('a' + i), '\0' };

		json_array_append_new(goals, json_string(name));
		enter((size_t)i, NOW_RUNS);
	}
	heartbeat = heartbeat_open(&options);
	be_silent(61);
	assert_matches(looked(heartbeat), "^noxmk: nothing new for " SIXTY_ONE ": 8 run "
		"\\([a-h][^,]*(, [a-h][^,]*){5}, and 2 more\\), 0 wait\n$");
	heartbeat_close(heartbeat);
	end();
}
END_TEST

START_TEST(who_has_the_turn_is_about_to_write)
{
	struct heartbeat *heartbeat;
	struct page *page;
	char *text;

	begin(60);
	heartbeat = heartbeat_open(&options);
	page = page_open(AT_FDCWD);
	be_silent(61);
	ck_assert(page_begin(page, 0));
	text = looked(heartbeat);
	ck_assert_str_eq(text, "");
	free(text);
	page_end(page, 0);
	page_close(page);
	heartbeat_close(heartbeat);
	end();
}
END_TEST

START_TEST(without_a_page_or_a_time_there_is_none)
{
	begin(0);
	ck_assert_ptr_null(heartbeat_open(&options));
	page_close(options.page);
	options = (struct heartbeat_options){ .every = 60 };
	ck_assert_ptr_null(heartbeat_open(&options));
	heartbeat_look(NULL, plan);
	heartbeat_close(NULL);
	end();
}
END_TEST

Suite *
check_heartbeat_suite(void)
{
	Suite *suite = suite_create("heartbeat");
	TCase *tc = support_case(suite, "heartbeat");

	tcase_add_test(tc, a_silence_is_broken_once);
	tcase_add_test(tc, of_many_helpers_one_tells_it);
	tcase_add_test(tc, what_is_over_is_not_told);
	tcase_add_test(tc, nobody_runs_yet);
	tcase_add_test(tc, only_the_longest_are_named);
	tcase_add_test(tc, who_has_the_turn_is_about_to_write);
	tcase_add_test(tc, without_a_page_or_a_time_there_is_none);
	return suite;
}
