#include <stdlib.h>
#include <string.h>

#include "output/commands.h"
#include "support.h"

static struct buffer found;

static void
note(void *data, bool is_annotation, const char *line, size_t n)
{
	(void)data;
	buffer_addstr(&found, is_annotation ? "<" : "[");
	buffer_add(&found, line, n);
	buffer_addstr(&found, is_annotation ? ">" : "]");
}

/* What goes on of the text, which comes in pieces of that size. The caller frees. */
static char *
fed(bool all, const char *text, size_t piece)
{
	struct strings patterns = { (const char *[]){ "*TOKEN" }, 1 }, none = { 0 };
	char token[] = "A_TOKEN=hunter22";
	char *const variables[] = { token, NULL };
	struct mask *mask = mask_open(&(struct secrets){ patterns, none }, variables);
	struct commands *commands = commands_open(&(struct commands_options){ .mask = mask,
	    .masks = all, .annotations = all, .found = note });
	struct buffer out = { 0 };
	size_t n = strlen(text);

	buffer_addstr(&out, "");
	found.len = 0;
	buffer_addstr(&found, "");
	for (size_t i = 0; i < n; i += piece)
		commands_feed(commands, text + i, n - i < piece ? n - i : piece, &out);
	commands_flush(commands, &out);
	commands_close(commands);
	mask_close(mask);
	return out.data;
}

static const struct {
	const char *text, *out, *found;
} texts[] = {
	{ "", "", "" },
	{ "a\n::b\n:\n", "a\n::b\n:\n", "" },
	{ "abc ::add-mask::abc\nabc\n", "abc ::add-mask::abc\nabc\n", "" },
	/* From its line on, and in it. */
	{ "s3\n::add-mask::s3\ns3 s3", "s3\n::add-mask::***\n*** ***", "[::add-mask::s3]" },
	{ "  ::Add-Mask::s3\r\ns3", "  ::Add-Mask::***\r\n***", "[::Add-Mask::s3]" },
	{ "::add-mask a=b::s3\ns3", "::add-mask a=b::***\n***", "[::add-mask a=b::s3]" },
	/* GitHub's runner takes a CR for a line end; it reads a last line without one, too. */
	{ "1%\r::add-mask::s3", "1%\r::add-mask::***", "[::add-mask::s3]" },
	{ "::add-mask::s3 ::x\ns3 ::x", "::add-mask::***\n***", "[::add-mask::s3 ::x]" },
	/* Behind all that is blank to that runner; but no tool writes an annotation so. */
	{ "\u00a0\v\u3000::add-mask::s3\ns3", "\u00a0\v\u3000::add-mask::***\n***",
	    "[::add-mask::s3]" },
	{ "\u00a0::error::x\n\u2003::warning::x\n\u2003x\n\xe2\x80\n\xe3::add-mask::s3\n",
	    "\u00a0::error::x\n\u2003::warning::x\n\u2003x\n\xe2\x80\n\xe3::add-mask::s3\n", "" },
	/* Decoded, its lines, and as it stands. */
	{ "::add-mask::{%0Along line%0A}%25\nlong line {%0Along line%0A}%25 {\nlong line\n}%",
	    "::add-mask::***\n*** *** ***", "[::add-mask::{%0Along line%0A}%25]" },
	/* No commands. */
	{ "::add-mask::\n::add-mask:: \n a", "::add-mask::\n::add-mask:: \n a",
	    "[::add-mask::][::add-mask:: ]" },
	{ "::add-mask s3\n::add-mask\n s3", "::add-mask s3\n::add-mask\n s3", "" },
	{ "::set-output name=a::s3\n::stop-commands::x\n",
	    "::set-output name=a::s3\n::stop-commands::x\n", "" },
	{ "::error s3\n", "::error s3\n", "" },
	/* Annotations, without secrets. */
	{ "::error file=a.py,line=1::F401 hunter22\nx", "::error file=a.py,line=1::F401 ***\nx",
	    "<::error file=a.py,line=1::F401 ***>" },
	{ "\t::notice::a\n\n::warning::b", "\t::notice::a\n\n::warning::b",
	    "<::notice::a><::warning::b>" },
};

START_TEST(commands_that_protect_or_inform_are_handed_on)
{
	for (size_t piece = 1; piece < 90; piece++) {
		char *out = fed(true, texts[_i].text, piece);

		ck_assert_str_eq(out, texts[_i].out);
		ck_assert_str_eq(found.data, texts[_i].found);
		free(out);
		/* A value is secret in any case. */
		out = fed(false, texts[_i].text, piece);
		ck_assert_str_eq(out, texts[_i].out);
		ck_assert_str_eq(found.data, "");
		free(out);
	}
	buffer_free(&found);
}
END_TEST

START_TEST(a_line_without_end_is_not_held_for_ever)
{
	struct strings none = { 0 };
	char *const variables[] = { NULL };
	struct mask *mask = mask_open(&(struct secrets){ none, none }, variables);
	struct commands *commands = commands_open(&(struct commands_options){ .mask = mask,
	    .masks = true, .found = note });
	struct buffer out = { 0 };

	found.len = 0;
	commands_feed(commands, "::add-mask::", 12, &out);
	for (int i = 0; i < 100000; i++)
		commands_feed(commands, i < 40000 ? "ab" : "cd", 2, &out);
	ck_assert_uint_gt(out.len, 100000);
	ck_assert(!strncmp(out.data, "::add-mask::***", 15));
	ck_assert_uint_gt(found.len, 1000);
	for (int i = 0; i < 100000; i++)
		commands_feed(commands, i ? " " : "\n", 1, &out);
	ck_assert_uint_gt(out.len, 200000);
	commands_close(commands);
	mask_close(mask);
	buffer_free(&out);
	buffer_free(&found);
}
END_TEST

Suite *
check_commands_suite(void)
{
	Suite *suite = suite_create("commands");
	TCase *tc = support_case(suite, "commands");

	tcase_add_loop_test(tc, commands_that_protect_or_inform_are_handed_on, 0, countof(texts));
	tcase_add_test(tc, a_line_without_end_is_not_held_for_ever);
	return suite;
}
