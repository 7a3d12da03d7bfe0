#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/findings.h"
#include "support.h"

/* What is found, a line each: LEVEL FILE:LINE:COLUMN [RULE] MESSAGE, with | for a line end. */
static struct buffer report;

/* The files of the project that the recorded tools have seen, in /srv/p. */
static const char *const files[] = { "src/pkg/broken.py", "src/pkg/core.py", "src/pkg/doc.py",
	"src/pkg/ugly.py", "tests/test_core.py", "tests/test_import.py", "tests/test_syntax.py",
	"tests/conftest.py", "docs/index.rst", "docs/orphan.rst", "c/a.c", "c/b.c", "mod_fail.py",
	"unit_test.py", "a.py", "b c.py" };

static char *
file_of(void *data, const char *path, size_t n)
{
	char *name = xasprintf("%.*s", (int)n, path), *bare = name, *file = NULL;

	ck_assert_ptr_eq(data, files);
	if (!strncmp(bare, "/srv/p/", 7))
		bare += 7;
	if (!strncmp(bare, "tests/../", 9))
		bare += 9;
	for (size_t i = 0; i < countof(files); i++)
		if (!strcmp(files[i], bare))
			file = xstrdup(bare);
	free(name);
	return file;
}

static void
folder(void *data, enum folder kind, const char *path, size_t n)
{
	ck_assert_ptr_eq(data, files);
	if (kind != FOLDER_PYTEST)
		buffer_printf(&report, "%s %.*s\n", kind == FOLDER_NOX ? "nox" : "make", (int)n,
		    path);
}

static void
found(void *to, const struct finding *finding)
{
	ck_assert_ptr_eq(to, &report);
	buffer_printf(&report, "%s%c %s:%u:%u [%s] ", finding->announced ? "announced " : "",
	    finding->level == LEVEL_ERROR ? 'E' : 'W', finding->file, finding->line,
	    finding->column, finding->rule);
	for (const char *p = finding->message; *p; p++)
		buffer_add(&report, *p == '\n' ? "|" : p, 1);
	buffer_addstr(&report, "\n");
}

/* The text comes in pieces of that size. What is found lives until the next call. */
static const char *
read_text(const char *text, size_t n, size_t piece)
{
	struct finder finder = { .file = file_of, .folder = folder, .data = (void *)files,
		.found = found, .to = &report };
	struct findings *findings = findings_open(&finder);

	report.len = 0;
	buffer_addstr(&report, "");
	for (size_t i = 0; i < n; i += piece)
		findings_feed(findings, text + i, n - i < piece ? n - i : piece);
	findings_close(findings);
	return report.data;
}

static const char *
found_in(const char *text)
{
	return read_text(text, strlen(text), strlen(text));
}

/* What tools have written of seeded errors, and what is to be found in that: recorded/README.md. */
static const char *const recorded[] = { "bandit", "bandit-custom", "black", "clang", "compileall",
	"flake8-color", "flake8-pylint", "gcc", "gcc-color", "gcc-missing", "isort", "mypy",
	"mypy-color", "mypy-pretty", "pylint", "pylint-parseable", "pyright", "pytest",
	"pytest-color", "pytest-line", "pytest-native", "pytest-short2", "pytest-xdist-v",
	"ruff-concise", "ruff-format", "ruff-full", "ruff-github", "sphinx-W", "trace", "ty",
	"ty-concise", "unittest" };

START_TEST(what_tools_have_reported_is_found)
{
	char *log = xasprintf(TESTS "/recorded/%s.log", recorded[_i]);
	char *expected = xasprintf(TESTS "/recorded/%s.found", recorded[_i]);
	struct buffer text = { 0 }, wanted = { 0 };

	ck_assert_int_eq(file_read(AT_FDCWD, log, &text), 0);
	ck_assert_int_eq(file_read(AT_FDCWD, expected, &wanted), 0);
	ck_assert_str_eq(read_text(text.data, text.len, text.len), wanted.data);
	ck_assert_str_eq(read_text(text.data, text.len, 7), wanted.data);
	free(log);
	free(expected);
	buffer_free(&text);
	buffer_free(&wanted);
}
END_TEST

static const struct {
	const char *text, *found;
} texts[] = {
	/* Of other versions of the tools. */
	{ "error: cannot format /srv/p/a.py: Cannot parse: 2:6: def f(:\n",
	    "E a.py:2:6 [] def f(:\n" },
	{ "error: cannot format a.py: Cannot parse for target version Python 3.12: 2:6: def f(:\n",
	    "E a.py:2:6 [] def f(:\n" },
	{ "error: Failed to parse a.py:2:7: Expected an expression\n",
	    "E a.py:2:7 [] Expected an expression\n" },
	{ "Would reformat: a.py\n1 file would be reformatted\n",
	    "E a.py:0:0 [] ruff would reformat it\n" },
	{ "\nWarning, treated as error:\n/srv/p/docs/index.rst:5:Title underline too short.\n",
	    "E docs/index.rst:5:0 [] Title underline too short.\n" },
	{ "docs/index.rst:5: WARNING: Title underline too short.\n\nTitle\n==\n",
	    "W docs/index.rst:5:0 [] Title underline too short.\n" },
	{ "checking consistency... /srv/p/docs/orphan.rst: WARNING: it is in no toctree\n",
	    "W docs/orphan.rst:0:0 [] it is in no toctree\n" },
	{ ">> Issue: [B105:hardcoded] It's: 'x'\n   Severity: Medium   Confidence: Low\n"
	  "   Location: a.py:3\n   More Info: x\n>> Issue: [B106:x] no place\nother\n"
	  "   Location: a.py:4\n", "E a.py:3:0 [B105] It's: 'x'\n" },
	{ "a.py:3:1: 'os' imported but unused\n", "E a.py:3:1 [] 'os' imported but unused\n" },
	{ "docs/index.rst:3: D001 Line too long\n", "E docs/index.rst:3:0 [D001] Line too long\n" },
	{ "c/a.c:1:2: fatal error: no such file\n", "E c/a.c:1:2 [] no such file\n" },
	{ "error[E0425]: cannot find `x`\n  --> c/a.c:2:3\n   |\n",
	    "E c/a.c:2:3 [E0425] cannot find `x`\n" },
	{ "warning: unused\n  --> c/a.c:2:3\nnote: x\n  --> c/a.c:2:3\nno head\n --> c/a.c:1:1\n",
	    "W c/a.c:2:3 [] unused\n" },
	/* In words that are none of a finding. */
	{ "a.py:1: note: it is so\na.py:1:2: note: so\n", "" },
	{ "a.py:3: DeprecationWarning: old\na.py:3: text of grep\na.py:4:    more\n", "" },
	{ "In file included from c/a.c:1:\nc/a.c: In function 'f':\n", "" },
	{ "nowhere.py:1:1: E1 x\n/srv/a.py:1:1: E1 x\n/usr/a.py:1:1: E1 x\n:1:1: E1 x\n", "" },
	{ "a.py:99999999999:1: E1 x\na.py:1:99999999999: E1 x\na.py:1:1: \na.py:1:1:\n", "" },
	{ "  a.py:1:1: E1 x\nnox > a.py:1:1: E1 x\n", "" },
	/* Odd names, ends and colours. */
	{ "b c.py:1:2: E1 x", "E b c.py:1:2 [E1] x\n" },
	{ "a.py:1:1: E1 x\r\n", "E a.py:1:1 [E1] x\n" },
	{ "10%\r20%\ra.py:1:1: E1 x\n", "E a.py:1:1 [E1] x\n" },
	{ "\033]8;;http://x\033\\a.py\033]8;;\a:1\033(B\033[1:2m:1: E1 x\033\033[\n",
	    "E a.py:1:1 [E1] x\n" },
	/* mypy's message goes on in lines that may be anybody's. */
	{ "a.py:1: error: one\na.py:2: error: two\nwould reformat a.py\n",
	    "E a.py:1:0 [] one\nE a.py:2:0 [] two\nE a.py:0:0 [] black would reformat it\n" },
	{ "a.py:1: error: one\nFound 1 error\n.. [100%]\n", "E a.py:1:0 [] one\n" },
	{ "a.py:1: error: it goes \non and \non  [misc]\n",
	    "E a.py:1:0 [misc] it goes on and on\n" },
	{ "a.py:1: error: it goes\n [misc]\n", "E a.py:1:0 [misc] it goes\n" },
	{ "a.py:1: error: it ends\n    source  [misc]\n", "E a.py:1:0 [] it ends\n" },
	/* Tracebacks. */
	{ "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    x()\n"
	  "KeyboardInterrupt\n", "" },
	{ "Traceback (most recent call last):\n  File \"/usr/a.py\", line 3, in f\nValueError: x\n",
	    "" },
	{ "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n\nValueError: x\n",
	    "" },
	{ "ERROR:root: it failed: Traceback (most recent call last):\n"
	  "  File \"a.py\", line 3, in f\nValueError\n", "E a.py:3:0 [] ValueError\n" },
	{ "x > Traceback (most recent call last):\nx >   File \"a.py\", line 3, in f\nx >     y\n"
	  "x > ValueError: z\n", "E a.py:3:0 [] ValueError: z\n" },
	{ "  + Exception Group Traceback (most recent call last):\n"
	  "  |   File \"a.py\", line 3, in f\n"
	  "  | ExceptionGroup: g (1 sub-exception)\n  +-+---------------- 1 ----------------\n"
	  "    | Traceback (most recent call last):\n    |   File \"a.py\", line 2, in g\n"
	  "    | ValueError: z\n    +------------------------------------\n",
	    "E a.py:3:0 [] ExceptionGroup: g (1 sub-exception)\nE a.py:2:0 [] ValueError: z\n" },
	{ "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nA: a\n\n"
	  "Traceback (most recent call last):\n  File \"a.py\", line 2, in f\nB: b\n",
	    "E a.py:1:0 [] A: a\nE a.py:2:0 [] B: b\n" },
	{ "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nA: a\n\n"
	  "During handling of the above exception, another exception occurred:\n\n"
	  "Traceback (most recent call last):\n  File \"/usr/a.py\", line 2, in f\nB: b\n",
	    "E a.py:1:0 [] A: a\n" },
	{ "  File \"a.py\", line 2\n    x = = 2\n        ^\n"
	  "Sorry: IndentationError: no (a.py, line 2)\n",
	    "E a.py:2:0 [] IndentationError: no (a.py, line 2)\n" },
	/* Of pytest's own output only blocks and summary count, and only where they are. */
	{ "=== FAILURES ===\n___ test_a ___\n>   x\nE   assert 0\n\na.py:3: AssertionError\n"
	  "--- Captured stdout call ---\na.py:9:9: E9 no\na.py:8: ValueError\nE   no\n"
	  "=== PASSES ===\na.py:7:7: E7 no\n=== short test summary info ===\n"
	  "FAILED a.py::test_a - assert 0\nFAILED a.py::TestB::test_b[x] - assert 1\n"
	  "ERROR a.py - ImportError\nSUBFAILED(i=1) a.py::test_c - assert 2\n"
	  "=== 1 failed in 0.05s ===\na.py:6:6: E6 yes\n",
	    "E a.py:3:0 [test_a] assert 0\nE a.py:0:0 [TestB::test_b[x]] assert 1\n"
	    "E a.py:0:0 [a.py] ImportError\nE a.py:0:0 [test_c] assert 2\nE a.py:6:6 [E6] yes\n" },
	{ "=== test session starts ===\na.py:9:9: E9 no\nnox > done\na.py:8:8: E8 yes\n",
	    "E a.py:8:8 [E8] yes\n" },
	{ "=== FAILURES ===\n___ [doctest] pkg.f ___\n003 x\nGot:\n    2\n\n"
	  "/srv/p/a.py:4: DocTestFailure\n"
	  "1 failed in 0.05s\na.py:8:8: E8 yes\n",
	    "E a.py:4:0 [pkg.f] DocTestFailure\nE a.py:8:8 [E8] yes\n" },
	{ "ImportError while loading conftest '/srv/p/tests/conftest.py'.\n"
	  "tests/conftest.py:3: in <module>\n    import x\nE   ModuleNotFoundError: x\n",
	    "E tests/conftest.py:3:0 [conftest] ModuleNotFoundError: x\n" },
	/* Commands to the CI. */
	{ "::error title=T%3A,file=/srv/p/a.py,line=3,col=4::50%25%0Amore\n",
	    "announced E a.py:3:0 [] 50%|more\n" },
	{ "  ::Warning file=b%2C.py,line=x::it is\n::error::\n",
	    "announced W :0:0 [] it is\nannounced E :0:0 [] \n" },
	{ "::notice file=a.py::no\n::debug::a.py:1:1: E1 no\n::error file=a.py\n", "" },
	/* Folders. */
	{ "nox > cd docs/x\nmake[1]: Entering directory '/srv/p/c'\nmake: Entering directory 'x'\n",
	    "nox docs/x\nmake /srv/p/c\nmake x\n" },
};

START_TEST(other_texts)
{
	const char *text = texts[_i].text;

	ck_assert_str_eq(found_in(text), texts[_i].found);
	ck_assert_str_eq(read_text(text, strlen(text), 1), texts[_i].found);
}
END_TEST

/* Of a line without end only the start counts, and the next line is a line again. */
START_TEST(a_long_line)
{
	struct buffer text = { 0 };

	buffer_addstr(&text, "a.py:1:1: E1 ");
	for (int i = 0; i < 100000; i++)
		buffer_addstr(&text, "xxxxxxxxxx");
	buffer_addstr(&text, "\nb c.py:2:1: E2 y\n");
	ck_assert_ptr_nonnull(strstr(found_in(text.data), "\nE b c.py:2:1 [E2] y\n"));
	ck_assert_uint_lt(report.len, 3000);
	memcpy(text.data, "::error::    ", 13);
	ck_assert_ptr_nonnull(strstr(found_in(text.data), "\nE b c.py:2:1 [E2] y\n"));
	ck_assert_uint_lt(report.len, 20000);
	buffer_free(&text);
}
END_TEST

/* What would take the square of its length takes longer than a test may. */
static const char *const repeated[] = { "a:1", "File \"", "  File \"a.py\", line 1, in f\n", "_ ",
	"= ", "E  x\n", "a.py:1: error: x\n", "::error file=a.py,", "\033[", ": ", "[", " ", "a\n",
	"=== FAILURES ===\n___ test_a ___\na.py:1: E\n", "Traceback (most recent call last):\n",
	">> Issue: [B1:x] y\n", "a.py:1: error: x\nxx\n", "FAILED a.py::b - c\n", "\r", "\xff",
	"b c.py:" };

START_TEST(many_megabytes_take_no_time)
{
	struct buffer text = { 0 };

	while (text.len < 4 << 20)
		buffer_addstr(&text, repeated[_i]);
	(void)read_text(text.data, text.len, 1 << 16);
	buffer_free(&text);
}
END_TEST

Suite *
check_findings_suite(void)
{
	Suite *suite = suite_create("findings");
	TCase *tc = support_case(suite, "findings");

	tcase_add_loop_test(tc, what_tools_have_reported_is_found, 0, countof(recorded));
	tcase_add_loop_test(tc, other_texts, 0, countof(texts));
	tcase_add_test(tc, a_long_line);
	tcase_add_loop_test(tc, many_megabytes_take_no_time, 0, countof(repeated));
	return suite;
}
