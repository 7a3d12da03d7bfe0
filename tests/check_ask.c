#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session/ask.h"
#include "support.h"

static void
say(struct ask *ask, const char *text)
{
	ck_assert_int_eq(send(ask_other_end(ask), text, strlen(text), 0), (ssize_t)strlen(text));
}

static const struct {
	const char *text;
	struct ask_question question;
} questions[] = {
	{ "command plain 0 ruff", { ASK_PLAIN, 0, "ruff" } },
	{ "command sibling 0 make", { ASK_SIBLING, 0, "make" } },
	{ "command wide 12 pytest", { ASK_WIDE, 12, "pytest" } },
	{ "command wide 0 pytest", { ASK_WIDE, 0, "pytest" } },
	{ "build", { ASK_BUILD, 0, "" } },
	{ "built", { ASK_BUILT, 0, "" } },
	{ "unreported success", { ASK_UNREPORTED, 0, "success" } },
};

START_TEST(questions_are_read_and_answered)
{
	struct ask *ask = ask_open();
	struct ask_question question;
	char answer[32] = "";

	ck_assert(!ask_next(ask, &question));
	say(ask, questions[_i].text);
	ck_assert(ask_next(ask, &question));
	ck_assert_int_eq(question.kind, questions[_i].question.kind);
	ck_assert_uint_eq(question.processes, questions[_i].question.processes);
	ck_assert_str_eq(question.name, questions[_i].question.name);
	ck_assert(!ask_next(ask, &question));
	ask_hold(ask);
	ck_assert_int_eq(recv(ask_other_end(ask), answer, sizeof(answer) - 1, 0), 4);
	ck_assert_str_eq(answer, "wait");
	ask_answer(ask, 8);
	ck_assert_int_gt(recv(ask_other_end(ask), answer, sizeof(answer) - 1, 0), 0);
	ck_assert_str_eq(answer, "go 8");
	ask_close(ask);
	assert_silent();
}
END_TEST

static const char *const nonsense[] = { "command", "command wide", "command wide x pytest",
	"command odd 1 pytest", "command build 1 x", "wide 1 pytest", "plain", "buildx", "\n",
	"command wide -1 pytest\n" };

START_TEST(what_is_no_question_is_passed_over)
{
	struct ask *ask = ask_open();
	struct ask_question question;

	say(ask, nonsense[_i]);
	say(ask, "build");
	ck_assert(!ask_next(ask, &question));
	ck_assert(ask_next(ask, &question));
	ck_assert_int_eq(question.kind, ASK_BUILD);
	ask_close(ask);
	assert_silent();
}
END_TEST

START_TEST(a_session_that_has_closed_its_end_asks_nothing_more)
{
	struct ask *ask = ask_open();
	struct ask_question question;

	ck_assert_int_ge(ask_fd(ask), 0);
	ask_started(ask);
	ck_assert(!ask_next(ask, &question));
	ck_assert_int_eq(ask_fd(ask), -1);
	ask_close(ask);
	ask_close(NULL);
	ck_assert_int_eq(ask_fd(NULL), -1);
	ck_assert(!ask_next(NULL, &question));
	assert_silent();
}
END_TEST

Suite *
check_ask_suite(void)
{
	Suite *suite = suite_create("ask");
	TCase *tc = support_case(suite, "ask");

	tcase_add_loop_test(tc, questions_are_read_and_answered, 0, (int)countof(questions));
	tcase_add_loop_test(tc, what_is_no_question_is_passed_over, 0, (int)countof(nonsense));
	tcase_add_test(tc, a_session_that_has_closed_its_end_asks_nothing_more);
	return suite;
}
