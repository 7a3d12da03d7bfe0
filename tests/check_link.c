#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "report/link.h"
#include "support.h"

static const struct {
	const char *folder, *page, *url; /* url: NULL: none */
} cases[] = {
	{ "runs/one", NULL, "./runs/one/" },
	{ "runs/one", "page.html", "./runs/one/" },
	{ "runs/one", "runs/page.html", "./one/" },
	{ "runs/one", "runs/one/page.html", "./" },
	{ "runs/one", "runs/one/reports/page.html", "./../" },
	{ "runs/one", "other/page.html", "./../runs/one/" },
	{ "runs/a b#%41:\"", NULL, "./runs/a%20b%23%2541%3A%22/" },
	{ "runs/one", "not/there/page.html", NULL },
};

START_TEST(a_folder_is_seen_from_a_page)
{
	char *url;
	int folder;

	close(folder_make("runs/one/reports"));
	close(folder_make("other"));
	folder = folder_make(cases[_i].folder);
	url = link_to(folder, cases[_i].page);
	if (cases[_i].url)
		ck_assert_str_eq(url, cases[_i].url);
	else
		ck_assert_ptr_null(url);
	free(url);
	close(folder);
}
END_TEST

Suite *
check_link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = support_case(suite, "link");

	tcase_add_loop_test(tc, a_folder_is_seen_from_a_page, 0, countof(cases));
	return suite;
}
