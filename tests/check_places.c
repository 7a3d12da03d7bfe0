#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "trace/places.h"

static char *
below(const char *name)
{
	char *folder = getcwd(NULL, 0), *path = xasprintf("%s/%s", folder, name);

	free(folder);
	return path;
}

static void
fill(void)
{
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	file_put("d/f", "");
	(void)!symlink("d", "l");
	(void)!symlink("d/e", "deep");
	(void)!symlink("f", "d/to f");
}

static const struct {
	const char *name, *found;
	bool lacks_parent;
} names[] = {
	{ "d/f", "d/f", false }, { "./d//f", "d/f", false }, { "d/e/../f", "d/f", false },
	{ "l/f", "d/f", false }, { "l", "l", false }, { "l/", "l", false },
	{ "deep/../f", "d/f", false }, { "deep/..", "d", false }, { "d/.", "d", false },
	{ "d/to f", "d/to f", false }, { "no", "no", false }, { "no/f", "no/f", true },
	{ "no/x/../f", "no/f", true }, { "l/no/x/f", "d/no/x/f", true }, { "d/f/x", "d/f/x", true },
};

START_TEST(whichever_way_it_is_named_it_is_one_file)
{
	struct places *places = places_open();
	char *name = below(names[_i].name), *found = below(names[_i].found);
	struct place *place;

	fill();
	for (int i = 0; i < 2; i++) {
		place = places_find(places, name);
		ck_assert_str_eq(place->path, found);
		ck_assert_int_eq(place->lacks_parent, names[_i].lacks_parent);
	}
	ck_assert_ptr_eq(places_verbatim(places, found), place);
	free(name);
	free(found);
	places_close(places);
}
END_TEST

START_TEST(a_detour_is_told_of_once)
{
	struct places *places = places_open();
	char *name = below("l/e/x"), *other = below("l/e/y"), *plain = below("d/e/x");
	char *folder = below("l/e"), *detour;

	fill();
	(void)!places_find(places, plain);
	ck_assert_ptr_null(places_detour(places));
	(void)!places_find(places, name);
	detour = places_detour(places);
	ck_assert_str_eq(detour, folder);
	free(detour);
	(void)!places_find(places, other);
	ck_assert_ptr_null(places_detour(places));
	/* Links may lead elsewhere by then. */
	places_forget(places);
	(void)!places_find(places, other);
	detour = places_detour(places);
	ck_assert_str_eq(detour, folder);
	free(detour);
	free(name);
	free(other);
	free(plain);
	free(folder);
	places_close(places);
}
END_TEST

START_TEST(the_root_is_a_folder_too)
{
	struct places *places = places_open();

	ck_assert_str_eq(places_find(places, "/")->path, "/");
	ck_assert_str_eq(places_find(places, "//..")->path, "/");
	ck_assert_str_eq(places_find(places, "/../no such/x")->path, "/no such/x");
	ck_assert_str_eq(places_find(places, "/no such")->path, "/no such");
	places_close(places);
}
END_TEST

START_TEST(a_link_leads_on)
{
	struct places *places = places_open();
	char *link = below("d/to f"), *file = below("d/f"), *none = below("d/e");

	fill();
	ck_assert_str_eq(places_target(places, places_find(places, link))->path, file);
	ck_assert_ptr_null(places_target(places, places_find(places, none)));
	(void)!symlink("/etc", "absolute");
	free(link);
	link = below("absolute");
	ck_assert_str_eq(places_target(places, places_find(places, link))->path, "/etc");
	free(link);
	free(file);
	free(none);
	places_close(places);
}
END_TEST

START_TEST(what_was_found_holds_until_links_change)
{
	struct places *places = places_open();
	char *name = below("l/f"), *before = below("d/f"), *after = below("d/e/f");

	fill();
	ck_assert_str_eq(places_find(places, name)->path, before);
	unlink("l");
	(void)!symlink("d/e", "l");
	ck_assert_str_eq(places_find(places, name)->path, before);
	places_forget(places);
	ck_assert_str_eq(places_find(places, name)->path, after);
	free(name);
	free(before);
	free(after);
	places_close(places);
	places_close(NULL);
}
END_TEST

/* To ask for each part of each folder would be most of what a session's trace asks. */
START_TEST(what_a_folder_is_in_is_remembered)
{
	struct places *places = places_open();
	char *first = below("l/f"), *second = below("l/e/f");
	char *before = below("d/e/f"), *after = below("d/e/e/f");

	fill();
	mkdir("d/e/e", 0755);
	places_find(places, first);
	unlink("l");
	(void)!symlink("d/e", "l");
	ck_assert_str_eq(places_find(places, second)->path, before);
	places_forget(places);
	ck_assert_str_eq(places_find(places, second)->path, after);
	free(first);
	free(second);
	free(before);
	free(after);
	places_close(places);
}
END_TEST

START_TEST(a_folder_that_has_gone_is_forgotten)
{
	struct places *places = places_open();
	char *paths[] = { below("d/e/1"), below("d/e/2"), below("d/e/3") };

	fill();
	ck_assert(!places_find(places, paths[0])->lacks_parent);
	rmdir("d/e");
	ck_assert(!places_find(places, paths[1])->lacks_parent);
	places_forget_folders(places);
	ck_assert(places_find(places, paths[2])->lacks_parent);
	mkdir("d/e", 0755);
	ck_assert(!places_find(places, paths[2])->lacks_parent);
	for (size_t i = 0; i < countof(paths); i++)
		free(paths[i]);
	places_close(places);
}
END_TEST

Suite *
check_places_suite(void)
{
	Suite *suite = suite_create("places");
	TCase *places = support_case(suite, "places");

	tcase_add_loop_test(places, whichever_way_it_is_named_it_is_one_file, 0, countof(names));
	tcase_add_test(places, the_root_is_a_folder_too);
	tcase_add_test(places, a_link_leads_on);
	tcase_add_test(places, what_was_found_holds_until_links_change);
	tcase_add_test(places, a_detour_is_told_of_once);
	tcase_add_test(places, what_a_folder_is_in_is_remembered);
	tcase_add_test(places, a_folder_that_has_gone_is_forgotten);
	return suite;
}
