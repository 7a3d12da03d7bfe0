#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/ledger.h"
#include "support.h"

enum { PIPE = 4711 };

static int folder, found;

/* As somebody does who has died since, with that balance. */
static void
leave(unsigned long long pipe, int balance)
{
	struct ledger ledger = ledger_take(folder, pipe, false, &found);

	ck_assert_int_ge(ledger.file, 0);
	ledger_write(&ledger, balance);
	ledger_close(&ledger);
	ck_assert_int_eq(ledger.file, -1);
}

START_TEST(what_the_dead_have_left_is_taken_over_once)
{
	struct ledger first, second;

	folder = folder_make("run");
	leave(PIPE, -1);
	first = ledger_take(folder, PIPE, false, &found);
	ck_assert_int_eq(found, -1);
	second = ledger_take(folder, PIPE, false, &found);
	ck_assert_int_eq(found, 0);
	ck_assert_int_ne(first.place, second.place);
	ledger_write(&first, 0);
	ledger_write(&second, 3);
	ledger_close(&first);
	ledger_close(&second);
	second = ledger_take(folder, PIPE, true, &found);
	ck_assert_int_eq(found, 3);
	ledger_close(&second);
	close(folder);
}
END_TEST

START_TEST(of_the_living_nothing_is_taken)
{
	struct ledger ledger, other;
	pid_t child;

	folder = folder_make("run");
	ledger = ledger_take(folder, PIPE, false, &found);
	ledger_write(&ledger, -1);
	/* A fork has the lock as well. */
	child = fork();
	if (child == 0) {
		alarm(300);
		for (;;)
			pause();
	}
	ledger_close(&ledger);
	other = ledger_take(folder, PIPE, true, &found);
	ck_assert_int_eq(other.file, -1);
	ck_assert_int_eq(found, 0);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	other = ledger_take(folder, PIPE, true, &found);
	ck_assert_int_eq(found, -1);
	ledger_close(&other);
	close(folder);
}
END_TEST

START_TEST(what_was_left_to_another_make_stays)
{
	struct ledger ledger;

	folder = folder_make("run");
	leave(PIPE, -1);
	ledger = ledger_take(folder, PIPE + 1, true, &found);
	ck_assert_int_eq(ledger.file, -1);
	leave(PIPE + 1, 2);
	ledger = ledger_take(folder, PIPE, true, &found);
	ck_assert_int_eq(found, -1);
	ledger_close(&ledger);
	close(folder);
}
END_TEST

START_TEST(a_damaged_ledger_owes_nothing)
{
	static const char *const texts[] = { "", "x", "a text that is longer than an entry is" };
	struct ledger ledger;

	folder = folder_make("run");
	for (size_t i = 0; i < countof(texts); i++) {
		file_put("run/.balance.now", texts[i]);
		ledger = ledger_take(folder, PIPE, true, &found);
		ck_assert_int_eq(ledger.file, -1);
		ledger = ledger_take(folder, PIPE, false, &found);
		ck_assert_int_ge(ledger.file, 0);
		ck_assert_int_eq(found, 0);
		ledger_close(&ledger);
	}
	leave(PIPE, -2);
	leave(PIPE, 1 << 20);
	ledger = ledger_take(folder, PIPE, true, &found);
	ck_assert_int_eq(ledger.file, -1);
	close(folder);
}
END_TEST

/* Nowhere to write it, or a link in its place: then there is none. */
START_TEST(there_may_be_no_ledger)
{
	struct ledger ledger = ledger_take(-1, PIPE, false, &found);

	ck_assert_int_eq(ledger.file, -1);
	ledger_write(&ledger, 1);
	ledger_close(&ledger);
	folder = folder_make("run");
	file_put("elsewhere", "mine");
	ck_assert_int_eq(symlinkat("../elsewhere", folder, ".balance.now"), 0);
	ledger = ledger_take(folder, PIPE, false, &found);
	ck_assert_int_eq(ledger.file, -1);
	assert_file("elsewhere", "mine");
	close(folder);
}
END_TEST

Suite *
check_ledger_suite(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tc = support_case(suite, "ledger");

	tcase_add_test(tc, what_the_dead_have_left_is_taken_over_once);
	tcase_add_test(tc, of_the_living_nothing_is_taken);
	tcase_add_test(tc, what_was_left_to_another_make_stays);
	tcase_add_test(tc, a_damaged_ledger_owes_nothing);
	tcase_add_test(tc, there_may_be_no_ledger);
	return suite;
}
