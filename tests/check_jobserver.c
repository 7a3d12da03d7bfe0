#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slots/jobserver.h"
#include "support.h"

/* R, W: ends of a pipe with one token; X: another's; F: a FIFO's path; S: a socket; D: a file. */
static const struct {
	const char *flags;
	bool found;
} flags[] = {
	{ " -j4 --jobserver-auth=R,W", true },
	{ "k -j4 --jobserver-auth=R,W -- A=1", true },
	{ " --jobserver-fds=R,W -j", true },
	{ " -j4 --jobserver-auth=9998,9999 --jobserver-auth=R,W", true },
	{ " -j4 --jobserver-auth=R,W --jobserver-auth=-2,-2", false },
	{ " -j4 --jobserver-auth=fifo:F", true },
	{ "", false },
	{ " -j", false },
	{ " -j4", false },
	{ " -- --jobserver-auth=R,W", false },
	{ "--jobserver-auth=R,W", true },
	{ " --jobserver-auth=R,W,", false },
	{ " --jobserver-auth=R", false },
	{ " --jobserver-auth=", false },
	{ " --jobserver-auth=99999999999999999999,W", false },
	{ " --jobserver-auth=9998,9999", false },
	{ " --jobserver-auth=W,R", false },
	{ " --jobserver-auth=R,R", false },
	{ " --jobserver-auth=S,S", false },
	{ " --jobserver-auth=D,D", false },
	{ " --jobserver-auth=R,S", false },
	{ " --jobserver-auth=R,X", false },
	{ " --jobserver-auth=fifo:missing", false },
	{ " --jobserver-auth=fifo:stale", false },
	{ " --jobserver-auth=fifo:.", false },
	{ " --jobserver-auth=fifo:file", false },
	{ " --jobserver-auth=fifo:", false },
	{ " x\\ --jobserver-auth=R,W", false },
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
		/* Of a path, make escapes blanks, backslashes and dollars. */
		buffer_addstr(to, "a\\ b\\\\c$$d");
		break;
	default:
		buffer_add(to, &letter, 1);
	}
}

START_TEST(only_a_jobserver_that_is_there_is_opened)
{
	int ends[2], others[2], sockets[2], file, fifo, mode;
	struct buffer text = { 0 };
	struct jobserver *jobserver;

	ck_assert(pipe2(ends, O_CLOEXEC) == 0 && pipe2(others, O_CLOEXEC) == 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	file_put("file", "");
	file = open("file", O_RDWR);
	ck_assert_int_eq(mkfifo("a b\\c$d", 0666) | mkfifo("stale", 0666), 0);
	fifo = open("a b\\c$d", O_RDWR);
	ck_assert_int_eq(write(fifo, "+", 1) + write(ends[1], "+", 1), 2);
	for (const char *p = flags[_i].flags; *p; p++)
		add_place(&text, *p, ends, sockets[0], file, others[1]);
	mode = fcntl(ends[0], F_GETFL);
	jobserver = jobserver_open(text.data ? text.data : "");
	ck_assert_int_eq(jobserver != NULL, flags[_i].found);
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

START_TEST(nothing_to_close)
{
	jobserver_close(NULL);
}
END_TEST

Suite *
check_jobserver_suite(void)
{
	Suite *suite = suite_create("jobserver");
	TCase *tc = support_case(suite, "jobserver");

	tcase_add_loop_test(tc, only_a_jobserver_that_is_there_is_opened, 0, countof(flags));
	tcase_add_test(tc, nothing_to_close);
	return suite;
}
