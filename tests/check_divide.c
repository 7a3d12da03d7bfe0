#include <stdlib.h>
#include <string.h>

#include "shard/divide.h"
#include "support.h"

enum { BUNDLES = 9, RESOURCES = 3 };

static unsigned
any(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

/* Random work: bundles that differ much or little, some with resources or a long chain. */
static size_t
make_bundles(unsigned seed, struct divide_bundle *bundles, struct divide_use *uses)
{
	size_t n = 1 + any(&seed, BUNDLES);
	unsigned most = any(&seed, 2) ? 20 : 20000;

	for (size_t i = 0; i < n; i++) {
		bundles[i] = (struct divide_bundle){ .work = 1 + any(&seed, most) };
		bundles[i].least = any(&seed, 8) == 0 ? bundles[i].work * 2 : bundles[i].work;
		if (seed % 3 != 0 && any(&seed, 2)) {
			uses[i] = (struct divide_use){ any(&seed, RESOURCES),
				1 + any(&seed, most) * 2 };
			bundles[i].uses = &uses[i];
			bundles[i].nuses = 1;
		}
	}
	return n;
}

/* The longest machine of that division, as the header has it. */
static long long
length_of(const struct divide_bundle *bundles, size_t n, size_t machines, const size_t *machine_of)
{
	long long longest = 0;

	for (size_t m = 0; m < machines; m++) {
		long long loads[1 + RESOURCES] = { 0 };

		for (size_t i = 0; i < n; i++) {
			if (machine_of[i] != m)
				continue;
			loads[0] += bundles[i].work;
			if (bundles[i].least > longest)
				longest = bundles[i].least;
			for (size_t k = 0; k < bundles[i].nuses; k++)
				loads[1 + bundles[i].uses[k].resource] += bundles[i].uses[k].ms;
		}
		for (size_t d = 0; d < countof(loads); d++)
			if (loads[d] > longest)
				longest = loads[d];
	}
	return longest;
}

/* Tries all divisions. */
static long long
optimum(const struct divide_bundle *bundles, size_t n, size_t machines)
{
	size_t machine_of[BUNDLES] = { 0 }, i;
	long long best = length_of(bundles, n, machines, machine_of);

	for (;;) {
		long long now = length_of(bundles, n, machines, machine_of);

		if (now < best)
			best = now;
		/* The next number of n digits, each below `machines`. */
		for (i = 0; i < n && ++machine_of[i] == machines; i++)
			machine_of[i] = 0;
		if (i == n)
			return best;
	}
}

START_TEST(it_is_the_best_of_all_divisions)
{
	struct divide_bundle bundles[BUNDLES] = { 0 };
	struct divide_use uses[BUNDLES] = { 0 };
	size_t machines = 2 + (size_t)_i % 3, machine_of[BUNDLES];
	size_t n = make_bundles((unsigned)_i * 7919 + 1, bundles, uses);
	long long length = divide(bundles, n, RESOURCES, machines, machine_of);

	for (size_t i = 0; i < n; i++)
		ck_assert_uint_lt(machine_of[i], machines);
	ck_assert_int_eq(length, length_of(bundles, n, machines, machine_of));
	ck_assert_int_eq(length, optimum(bundles, n, machines));
	ck_assert_int_ge(length, divide_bound(bundles, n, RESOURCES, machines));
}
END_TEST

/* 3 3 2 2 2 on two machines: longest first comes to 7. */
START_TEST(it_is_better_than_longest_first)
{
	struct divide_bundle bundles[5] = { { .work = 3 }, { .work = 3 }, { .work = 2 },
		{ .work = 2 }, { .work = 2 } };
	size_t machine_of[5];

	ck_assert_int_eq(divide(bundles, 5, 0, 2, machine_of), 6);
}
END_TEST

START_TEST(users_of_a_resource_go_to_different_machines)
{
	struct divide_use use = { 0, 100 };
	struct divide_bundle bundles[4] = { { 25, 100, &use, 1 }, { 25, 100, &use, 1 },
		{ .work = 25 }, { .work = 25 } };
	size_t machine_of[4];

	ck_assert_int_eq(divide(bundles, 4, 1, 2, machine_of), 100);
	ck_assert_uint_ne(machine_of[0], machine_of[1]);
}
END_TEST

START_TEST(more_machines_than_bundles)
{
	struct divide_bundle bundles[2] = { { .work = 5 }, { .work = 7 } };
	size_t machine_of[2];

	ck_assert_int_eq(divide(bundles, 2, 0, 9, machine_of), 7);
	ck_assert_uint_ne(machine_of[0], machine_of[1]);
	ck_assert_int_eq(divide(bundles, 0, 0, 3, machine_of), 0);
}
END_TEST

/* As many as no search can go through: it ends all the same, and is even. */
START_TEST(many_bundles)
{
	enum { MANY = 5000, MACHINES = 8 };
	struct divide_bundle *bundles = xcalloc(MANY, sizeof(*bundles));
	size_t *machine_of = xcalloc(MANY, sizeof(*machine_of));
	unsigned seed = 5;
	long long bound, length;

	for (size_t i = 0; i < MANY; i++)
		bundles[i].work = 1 + any(&seed, 30000);
	bound = divide_bound(bundles, MANY, 0, MACHINES);
	length = divide(bundles, MANY, 0, MACHINES, machine_of);
	ck_assert_int_ge(length, bound);
	ck_assert_int_le(length, bound + bound / 1000);
	free(machine_of);
	free(bundles);
}
END_TEST

Suite *
check_divide_suite(void)
{
	Suite *suite = suite_create("divide");
	TCase *tc = support_case(suite, "divisions");

	tcase_add_loop_test(tc, it_is_the_best_of_all_divisions, 0, 60);
	tcase_add_test(tc, it_is_better_than_longest_first);
	tcase_add_test(tc, users_of_a_resource_go_to_different_machines);
	tcase_add_test(tc, more_machines_than_bundles);
	tcase_add_test(tc, many_bundles);
	return suite;
}
