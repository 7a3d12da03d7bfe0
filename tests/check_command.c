#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "nox/command.h"
#include "support.h"

static const char sessions[] = "[{'name':'t','session':'t(a=1)','signatures':['t-3.12(a=1)']}]";

static struct planfile *
plan_with(const char *python)
{
	static const char *nox[] = { "python3", "-m", "nox" };
	static const struct strings words = { nox, countof(nox) };
	struct facts *facts = facts_of(sessions, "[]");
	struct planfile *plan;

	strings_add(&facts->args, "--verbose");
	plan_put(AT_FDCWD, facts, python, &words);
	facts_free(facts);
	plan = planfile_open(AT_FDCWD);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

/* The command as a shell would take it, with those posargs. */
static char *
command_text(struct planfile *plan, const struct strings *posargs, char **env)
{
	json_t *session = planfile_session(plan, "t-a-1");
	struct command command = command_make(plan, session, &(struct command_options){
	    .share = "/share", .report = "/run/.t.report", .posargs = posargs,
	    .toolenv = &(struct strings){ (const char *[]){ "OMP_NUM_THREADS=2",
	        "GOMAXPROCS=2" }, 2 },
	    .asks = true, .gated = true });
	struct buffer b = { 0 };

	for (char **word = command.argv; *word; word++) {
		buffer_addstr(&b, word == command.argv ? "" : " ");
		buffer_add_shell(&b, *word);
	}
	if (env) {
		struct buffer e = { 0 };

		buffer_addstr(&e, "");
		for (char **entry = command.envp; *entry; entry++)
			if (!strncmp(*entry, "NOX", 3))
				buffer_printf(&e, "%s\n", *entry);
		*env = e.data;
	}
	command_clear(&command);
	ck_assert_ptr_null(command.argv);
	json_decref(session);
	return b.data;
}

START_TEST(a_probed_plan_runs_by_the_shim)
{
	struct planfile *plan = plan_with("/usr/bin/python3");
	static const char *words[] = { "-v", "a b", "--" };
	struct strings posargs = { words, countof(words) };
	char *text, *env, *expected, *program = process_own_program(), folder[PATH_MAX];

	setenv("NOXMK_SHIM_INDEX", "77", 1);
	setenv("NOXSESSION", "other", 1);
	text = command_text(plan, &posargs, &env);
	ck_assert_str_eq(text, "/usr/bin/python3 -u /share/shim.py --verbose -f noxfile.py "
	    "-s 't-3.12(a=1)' --report /run/.t.report --non-interactive -- -v 'a b' --");
	expected = xasprintf("NOXMK_SHIM_NAME=t\nNOXMK_SHIM_INDEX=0\nNOXMK_SHIM_TWIN=0\n"
	    "NOXMK_SHIM_TWINS=0\nNOXMK_SHIM_DATE=7\n"
	    "NOXMK_SHIM_PATH=/usr/lib/python3:/usr/lib/site\n"
	    "NOXMK_SHIM_HELPER=%s\n"
	    "NOXMK_SHIM_ASK=3\nNOXMK_SHIM_GATE=OMP_NUM_THREADS GOMAXPROCS\n"
	    "NOXMK_SHIM_BUILDS=%s/.nox/.noxmk/builds/t-a-1\n",
	    program, getcwd(folder, sizeof(folder)));
	ck_assert_str_eq(env, expected);
	free(expected);
	free(program);
	unsetenv("NOXMK_SHIM_INDEX");
	unsetenv("NOXSESSION");
	free(text);
	free(env);
	planfile_close(plan);
}
END_TEST

START_TEST(a_listed_plan_runs_by_the_users_nox)
{
	struct planfile *plan = plan_with(NULL);
	struct strings posargs = { 0 };
	char *text, *env;

	text = command_text(plan, &posargs, &env);
	ck_assert_str_eq(text, "python3 -m nox -f noxfile.py '--sessions=t-3.12(a=1)' "
	    "--report /run/.t.report --non-interactive");
	ck_assert_str_eq(env, "");
	free(text);
	free(env);
	planfile_close(plan);
}
END_TEST

/* Lines that somebody has damaged: no crash, whatever comes out. */
START_TEST(a_damaged_plan_gives_some_command)
{
	static const char *const headers[] = {
		"{\"schema\":1}\n", "{\"schema\":1,\"command\":[7,null],\"noxfile\":[]}\n",
		"{\"schema\":1,\"command\":{\"a\":1}}\n",
		"{\"schema\":1,\"python\":\"p\",\"path\":[\"a\"],\"noxfile\":7}\n",
		"{\"schema\":1,\"python\":\"p\",\"path\":\"x\"}\n",
	};
	struct strings posargs = { 0 };

	for (size_t i = 0; i < countof(headers); i++) {
		char *lines = xasprintf("%s{\"target\":\"t-a-1\",\"index\":\"x\",\"name\":1}\n",
		    headers[i]);
		struct planfile *plan;

		file_put("plan.jsonl", lines);
		plan = planfile_open(AT_FDCWD);
		ck_assert_ptr_nonnull(plan);
		free(command_text(plan, &posargs, NULL));
		planfile_close(plan);
		free(lines);
	}
}
END_TEST

/* tool.noxmk.session.NAME.env, with and without the shim; and source-build = false. */
START_TEST(env_of_the_configuration_wins)
{
	static const char *const pythons[] = { "", "\"python\":\"p\"," };
	struct strings posargs = { 0 };
	char *env, *lines = xasprintf("{\"schema\":1,%s\"source_build\":false,"
		"\"command\":[\"nox\"],\"noxfile\":\"n\"}\n{\"target\":\"t-a-1\",\"index\":0,"
		"\"options\":{\"env\":{\"NOXA\":\"a=b c\",\"NOXB\":7,\"NOXC\":\"\"}}}\n",
		pythons[_i]);
	struct planfile *plan;

	setenv("NOXA", "old", 1);
	file_put("plan.jsonl", lines);
	plan = planfile_open(AT_FDCWD);
	free(command_text(plan, &posargs, &env));
	ck_assert_ptr_nonnull(strstr(env, "NOXA=a=b c\nNOXC=\n"));
	ck_assert_ptr_null(strstr(env, "old"));
	ck_assert_ptr_null(strstr(env, "NOXMK_SHIM_BUILD"));
	ck_assert((strstr(env, "NOXMK_SHIM_INDEX=0\n") != NULL) == (_i == 1));
	unsetenv("NOXA");
	free(env);
	free(lines);
	planfile_close(plan);
}
END_TEST

Suite *
check_command_suite(void)
{
	Suite *suite = suite_create("command");
	TCase *tc = support_case(suite, "command");

	tcase_add_test(tc, a_probed_plan_runs_by_the_shim);
	tcase_add_test(tc, a_listed_plan_runs_by_the_users_nox);
	tcase_add_test(tc, a_damaged_plan_gives_some_command);
	tcase_add_loop_test(tc, env_of_the_configuration_wins, 0, 2);
	return suite;
}
