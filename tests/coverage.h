#ifndef NOXMK_TESTS_COVERAGE_H
#define NOXMK_TESTS_COVERAGE_H

/*
 * Before every file of src/ in builds that count which lines are reached. gcov writes its counts at
 * exit(3), and _exit(2) would lose those of every child that ends so.
 */

#include <unistd.h>

void __gcov_dump(void);

static inline _Noreturn void
coverage_exit(int status)
{
	__gcov_dump();
	_exit(status);
}

#define _exit coverage_exit

#endif
