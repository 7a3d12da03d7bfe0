#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "slots/lending.h"
#include "support.h"

/* As many as lending.c has, LENDERS: one more than may lend while nobody is owed a slot. */
enum { MANY = 32 };

/* The mutex as another helper has it. */
static int
open_mutex(void)
{
	int mutex = open("mutex", O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	ck_assert_int_ge(mutex, 0);
	return mutex;
}

START_TEST(only_so_many_lend)
{
	int mutex = open_mutex();

	ck_assert(lending_is_allowed(mutex, 1));
	ck_assert(lending_is_allowed(mutex, MANY - 1));
	ck_assert(!lending_is_allowed(mutex, MANY));
	close(mutex);
}
END_TEST

START_TEST(all_lend_while_somebody_is_owed_a_slot)
{
	int us = open_mutex(), first = open_mutex(), second = open_mutex();

	lending_set_owed(first, true);
	lending_set_owed(second, true);
	ck_assert(lending_is_allowed(us, MANY));
	lending_set_owed(first, false);
	ck_assert(lending_is_allowed(us, MANY));
	lending_set_owed(second, false);
	ck_assert(!lending_is_allowed(us, MANY));
	close(us);
	close(first);
	close(second);
}
END_TEST

START_TEST(nobody_who_is_gone_is_owed_a_slot)
{
	int us = open_mutex(), other = open_mutex();

	lending_set_owed(other, true);
	close(other);
	ck_assert(!lending_is_allowed(us, MANY));
	close(us);
}
END_TEST

START_TEST(one_who_is_owed_a_slot_leaves_the_mutex_free)
{
	int us = open_mutex(), other = open_mutex();

	lending_set_owed(other, true);
	ck_assert_int_eq(flock(us, LOCK_EX | LOCK_NB), 0);
	ck_assert(lending_is_allowed(us, MANY));
	close(us);
	close(other);
}
END_TEST

Suite *
check_lending_suite(void)
{
	Suite *s = suite_create("lending");
	TCase *tc = support_case(s, "lending");

	tcase_add_test(tc, only_so_many_lend);
	tcase_add_test(tc, all_lend_while_somebody_is_owed_a_slot);
	tcase_add_test(tc, nobody_who_is_gone_is_owed_a_slot);
	tcase_add_test(tc, one_who_is_owed_a_slot_leaves_the_mutex_free);
	return s;
}
