#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/makeflags.h"
#include "slots/jobserver.h"
#include "support.h"

/* R, W: ends of a pipe with one token; X: another's; F: a FIFO's path; S: a socket; D: a file. */
static const struct {
	const char *auth;
	bool found;
} places[] = {
	{ "R,W", true },
	{ "fifo:F", true },
	{ "fifo:f\\ f", false },
	{ "-2,-2", false },
	{ "R,W,", false },
	{ "R", false },
	{ "", false },
	{ "99999999999999999999,W", false },
	{ "9998,9999", false },
	{ "W,R", false },
	{ "R,R", false },
	{ "S,S", false },
	{ "D,D", false },
	{ "R,S", false },
	{ "R,X", false },
	{ "fifo:missing", false },
	{ "fifo:stale", false },
	{ "fifo:.", false },
	{ "fifo:file", false },
	{ "fifo:", false },
};

static void
add_place(struct buffer *to, char letter, const int pipe[2], int socket, int file, int other)
{
	switch (letter) {
	case 'R':
		buffer_printf(to, "%d", pipe[0]);
		break;
	case 'W':
		buffer_printf(to, "%d", pipe[1]);
		break;
	case 'S':
		buffer_printf(to, "%d", socket);
		break;
	case 'D':
		buffer_printf(to, "%d", file);
		break;
	case 'X':
		buffer_printf(to, "%d", other);
		break;
	case 'F':
		buffer_addstr(to, "f f");
		break;
	default:
		buffer_add(to, &letter, 1);
	}
}

START_TEST(only_a_pipe_or_fifo_is_believed)
{
	int ends[2], others[2], sockets[2], file, fifo, mode;
	struct buffer text = { 0 };
	struct jobserver *jobserver;

	ck_assert(pipe2(ends, O_CLOEXEC) == 0 && pipe2(others, O_CLOEXEC) == 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	file_put("file", "");
	file = open("file", O_RDWR);
	ck_assert_int_eq(mkfifo("f f", 0666) | mkfifo("stale", 0666), 0);
	fifo = open("f f", O_RDWR);
	ck_assert_int_eq(write(fifo, "+", 1) + write(ends[1], "+", 1), 2);
	for (const char *p = places[_i].auth; *p; p++)
		add_place(&text, *p, ends, sockets[0], file, others[1]);
	mode = fcntl(ends[0], F_GETFL);
	jobserver = jobserver_open(text.data ? text.data : "");
	ck_assert_int_eq(jobserver != NULL, places[_i].found);
	if (jobserver) {
		ck_assert_int_eq(jobserver_take(jobserver), '+');
		ck_assert_int_eq(jobserver_take(jobserver), -1);
		ck_assert(jobserver_give(jobserver, 'z'));
		ck_assert_int_eq(jobserver_take(jobserver), 'z');
	}
	/* make's own descriptor still waits. */
	ck_assert_int_eq(fcntl(ends[0], F_GETFL), mode);
	jobserver_close(jobserver);
	buffer_free(&text);
	assert_silent();
	close(file);
	close(fifo);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(others[i]);
		close(sockets[i]);
	}
}
END_TEST

START_TEST(there_may_be_none)
{
	ck_assert_ptr_null(jobserver_open(NULL));
	jobserver_close(NULL);
}
END_TEST

/* As in a make that was started with closed streams. */
START_TEST(a_pipe_in_the_place_of_streams_gets_no_output)
{
	int ends[2], saved[2] = { dup(0), dup(1) }, take, give;
	struct makeflags makeflags;
	struct jobserver *jobserver;
	char byte;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[0], 0), 0);
	ck_assert_int_eq(dup2(ends[1], 1), 1);
	close(ends[0]);
	close(ends[1]);
	setenv("MAKEFLAGS", "k -j3 --jobserver-auth=0,1 -- X=0,1", 1);
	jobserver_leave_streams();
	ck_assert_int_eq(write(1, "x", 1), 1);
	makeflags = makeflags_read(getenv("MAKEFLAGS"), 0);
	jobserver = jobserver_open(makeflags.auth);
	dup2(saved[0], 0);
	dup2(saved[1], 1);
	ck_assert_ptr_nonnull(jobserver);
	ck_assert_int_eq(sscanf(makeflags.auth, "%d,%d", &take, &give), 2);
	ck_assert(take > 2 && give > 2);
	ck_assert_uint_eq(makeflags.slots, 3);
	ck_assert_ptr_nonnull(strstr(getenv("MAKEFLAGS"), " -- X=0,1"));
	/* What was printed is no token. */
	ck_assert_int_eq(jobserver_take(jobserver), -1);
	ck_assert_int_eq(write(give, "+", 1), 1);
	ck_assert_int_eq(read(take, &byte, 1), 1);
	ck_assert_int_eq(byte, '+');
	jobserver_close(jobserver);
	makeflags_clear(&makeflags);
	/* Others stay. */
	setenv("MAKEFLAGS", " -j3 --jobserver-auth=9998,9999", 1);
	jobserver_leave_streams();
	ck_assert_str_eq(getenv("MAKEFLAGS"), " -j3 --jobserver-auth=9998,9999");
}
END_TEST

Suite *
check_jobserver_suite(void)
{
	Suite *suite = suite_create("jobserver");
	TCase *tc = support_case(suite, "jobserver");

	tcase_add_loop_test(tc, only_a_pipe_or_fifo_is_believed, 0, countof(places));
	tcase_add_test(tc, there_may_be_none);
	tcase_add_test(tc, a_pipe_in_the_place_of_streams_gets_no_output);
	return suite;
}
