#include <string.h>

#include "report/xml.h"
#include "support.h"

static const struct {
	const char *text, *xml;
} texts[] = {
	{ "a < b && \"c\" > 'd'", "a &lt; b &amp;&amp; &quot;c&quot; &gt; 'd'" },
	{ "a\tb\nc\r\nd\re\r", "a\tb\nc\nd\ne\n" },
	{ "\033[1;31mred\033[0m, \033[Kgone", "red, gone" },
	{ "\033]0;title\007\001", "\xef\xbf\xbd" },
	{ "größe … \xf0\x9f\x98\x80", "größe … \xf0\x9f\x98\x80" },
	/* Cut off, overlong, a surrogate, turns the line round, none for XML, a byte of nothing. */
	{ "\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe2\x80\xae", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xef\xbf\xbe\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xff\xc0", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\033[", "" },
	{ "a\033[1\nb\033[2ö", "a\nbö" },
	{ "a\033", "a" },
	/* What a CI would take for a command. */
	{ "a\n::error::b\r\n \t::c\n\u00a0\u200d::d",
	    "a\n&#58;:error::b\n \t&#58;:c\n\u00a0\u200d&#58;:d" },
	{ "a.py::b ##[error]c ## d\n##vso[x]", "a.py::b ##&#91;error]c ## d\n##&#118;so[x]" },
	{ "\n\033[0m::error::b", "\n&#58;:error::b" },
};

START_TEST(texts_are_fit_for_xml)
{
	struct buffer out = { 0 };

	buffer_addstr(&out, "");
	xml_add(&out, texts[_i].text, strlen(texts[_i].text));
	ck_assert_str_eq(out.data, texts[_i].xml);
	buffer_free(&out);
}
END_TEST

/* Of raw ones a parser would make blanks. */
START_TEST(attributes_keep_their_lines)
{
	struct buffer out = { 0 };

	xml_add_quoted(&out, "a \"b\"\n::error::c\td\r\ne");
	ck_assert_str_eq(out.data, "a &quot;b&quot;&#10;&#58;:error::c&#9;d&#10;e");
	buffer_free(&out);
}
END_TEST

START_TEST(a_byte_that_is_nul)
{
	struct buffer out = { 0 };

	xml_add(&out, "a\0b", 3);
	ck_assert_str_eq(out.data, "a\xef\xbf\xbd" "b");
	buffer_free(&out);
}
END_TEST

Suite *
check_xml_suite(void)
{
	Suite *suite = suite_create("xml");
	TCase *tc = support_case(suite, "xml");

	tcase_add_loop_test(tc, texts_are_fit_for_xml, 0, countof(texts));
	tcase_add_test(tc, attributes_keep_their_lines);
	tcase_add_test(tc, a_byte_that_is_nul);
	return suite;
}
