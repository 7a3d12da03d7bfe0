#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "support.h"
#include "trace/store.h"

static const char *
who_name(void *data)
{
	return data;
}

static char *
below(const char *name)
{
	char *folder = getcwd(NULL, 0), *path = xasprintf("%s/%s", folder, name);

	free(folder);
	return path;
}

static struct store *
open_here(void)
{
	char *folder = getcwd(NULL, 0);
	struct store *store = store_open(folder);

	free(folder);
	return store;
}

static enum trace_kind
touch_by(struct store *store, const char *name, enum act act, unsigned flags,
    enum trace_kind source, const char *program)
{
	const struct touch touch = { .act = act, .flags = flags,
		.stays = act == ACT_RENAME_FROM || act == ACT_RENAME_TO || act == ACT_UNLINK ||
		    act == ACT_MAKE || act == ACT_READLINK };
	const struct toucher who = { .name = who_name, .data = (void *)program };
	char *path = below(name);
	enum trace_kind kind = store_touch(store, path, &touch, source, &who);

	free(path);
	return kind;
}

static enum trace_kind
touch(struct store *store, const char *name, enum act act, unsigned flags)
{
	return touch_by(store, name, act, flags, TRACE_UNSEEN, "prog");
}

/* The line of that path, a new reference; the store is closed. */
static json_t *
line_of(struct store *store, const char *name)
{
	struct buffer out = { 0 };
	char *path = below(name), *rest, *line;
	json_t *found = NULL;

	ck_assert(store_put(store, &out, NULL));
	rest = out.data;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *object = json_loads(line, 0, NULL);

		if (!strcmp(json_text(object, "path"), path))
			found = json_incref(object);
		json_decref(object);
	}
	ck_assert_ptr_nonnull(found);
	free(path);
	buffer_free(&out);
	store_close(store);
	return found;
}

static void
assert_ops(json_t *line, const char *ops, const char *first)
{
	char *text = json_list_join(json_object_get(line, "ops"), " ");

	ck_assert_str_eq(text, ops);
	ck_assert_str_eq(json_text(line, "first"), first);
	free(text);
	json_decref(line);
}

static const struct {
	enum act act;
	unsigned flags;
	const char *name, *ops, *first;
} meanings[] = {
	{ ACT_OPEN, O_RDONLY, "file", "read", "read" },
	{ ACT_OPEN, O_RDONLY, "none", "missing", "missing" },
	{ ACT_OPEN, O_RDWR, "file", "read write", "read" },
	{ ACT_OPEN, O_RDWR | O_TRUNC, "file", "write truncate", "truncate" },
	{ ACT_OPEN, O_RDWR | O_CREAT, "file", "read write", "read" },
	{ ACT_OPEN, O_RDWR | O_CREAT, "none", "write create", "create" },
	{ ACT_OPEN, O_WRONLY | O_CREAT | O_EXCL, "file", "probe", "probe" },
	{ ACT_OPEN, O_WRONLY | O_CREAT | O_EXCL, "none", "write create excl", "create" },
	{ ACT_OPEN, O_WRONLY | O_CREAT | O_APPEND, "none", "write create append", "create" },
	{ ACT_OPEN, O_WRONLY | O_CREAT, "none/none", "missing", "missing" },
	{ ACT_OPEN, O_RDONLY | O_TRUNC, "file", "write truncate", "truncate" },
	{ ACT_OPEN, O_PATH, "file", "probe", "probe" },
	{ ACT_OPEN, O_RDONLY | O_DIRECTORY, "folder", "probe", "probe" },
	{ ACT_UNLINK, 0, "file", "delete", "delete" },
	{ ACT_UNLINK, 0, "none", "missing", "missing" },
	{ ACT_RMDIR, 0, "folder", "rmdir", "rmdir" },
	{ ACT_MKDIR, 0, "none", "mkdir", "mkdir" },
	{ ACT_MKDIR, 0, "folder", "probe", "probe" },
	{ ACT_MAKE, 0, "file", "probe", "probe" },
	{ ACT_RENAME_FROM, 0, "file", "rename-from", "rename-from" },
	{ ACT_RENAME_FROM, 0, "folder", "rename-from subtree", "rename-from" },
	{ ACT_EXCHANGE, 0, "folder", "rename-from rename-to subtree", "rename-from" },
	{ ACT_TRUNCATE, 0, "file", "write truncate", "truncate" },
	{ ACT_META, 0, "file", "meta", "meta" },
	{ ACT_EXEC, 0, "file", "exec", "exec" },
	{ ACT_READLINK, 0, "link", "read", "read" },
	{ ACT_READLINK, 0, "file", "probe", "probe" },
	{ ACT_LIST, 0, "folder", "list", "list" },
	{ ACT_LOCK, 0, "file", "lock", "lock" },
};

static void
fill(void)
{
	file_put("file", "text\n");
	mkdir("folder", 0755);
	(void)!symlink("file", "link");
}

START_TEST(what_is_there_says_what_a_call_does)
{
	struct store *store = open_here();

	fill();
	touch(store, meanings[_i].name, meanings[_i].act, meanings[_i].flags);
	assert_ops(line_of(store, meanings[_i].name), meanings[_i].ops, meanings[_i].first);
}
END_TEST

/* The file has the mode 0640 and the time 5 s, the folder 0755. */
static const struct {
	enum act act;
	uint64_t sets[2];
	const char *name, *ops;
} attributes[] = {
	{ ACT_CHMOD, { 0640 }, "file", "probe" },
	{ ACT_CHMOD, { S_IFREG | 0640 }, "file", "probe" },
	{ ACT_CHMOD, { 0600 }, "file", "meta" },
	{ ACT_CHMOD, { 0755 }, "folder", "probe" },
	{ ACT_CHMOD, { 02755 }, "folder", "meta" },
	{ ACT_CHMOD, { 0555 }, "folder", "meta close" },
	{ ACT_CHMOD, { 0300 }, "folder", "meta subtree" },
	{ ACT_CHMOD, { 0600 }, "folder", "meta subtree" },
	{ ACT_CHMOD, { 0600 }, "none", "missing" },
	{ ACT_CHOWN, { (uid_t)-1, (gid_t)-1 }, "file", "probe" },
	{ ACT_CHOWN, { (uid_t)-1, (gid_t)-2 }, "file", "meta" },
	{ ACT_CHOWN, { (uid_t)-2, (gid_t)-1 }, "file", "meta" },
	{ ACT_UTIME, { CALL_TIME_NOW }, "file", "meta" },
	{ ACT_UTIME, { CALL_TIME_STAYS }, "file", "probe" },
	{ ACT_UTIME, { 5000000000 }, "file", "probe" },
	{ ACT_UTIME, { 5000000001 }, "file", "meta" },
};

START_TEST(an_attribute_that_is_so_already_is_not_set)
{
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	const struct toucher who = { .name = who_name };
	struct touch touch = { .act = attributes[_i].act };
	char *path = below(attributes[_i].name), *ops;
	struct store *store = open_here();
	json_t *line;

	memcpy(touch.sets, attributes[_i].sets, sizeof(touch.sets));
	fill();
	ck_assert_int_eq(chmod("file", 0640), 0);
	ck_assert_int_eq(chmod("folder", 0755), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "file", times, 0), 0);
	store_touch(store, path, &touch, TRACE_UNSEEN, &who);
	line = line_of(store, attributes[_i].name);
	ops = json_list_join(json_object_get(line, "ops"), " ");
	ck_assert_str_eq(ops, attributes[_i].ops);
	json_decref(line);
	free(ops);
	free(path);
}
END_TEST

START_TEST(a_file_says_how_many_names_it_has)
{
	struct store *store = open_here();
	const json_t *after;
	json_t *line;

	fill();
	touch(store, "file", ACT_OPEN, O_RDONLY);
	ck_assert_int_eq(link("file", "other"), 0);
	line = line_of(store, "file");
	after = json_object_get(line, "after");
	ck_assert_int_eq(json_integer_value(json_object_get(after, "links")), 2);
	ck_assert_ptr_null(json_object_get(json_object_get(line, "before"), "links"));
	json_decref(line);
}
END_TEST

START_TEST(a_link_is_read_on_the_way_to_its_file)
{
	struct store *store = open_here(), *other = open_here();

	fill();
	ck_assert_int_eq(touch(store, "link", ACT_OPEN, O_WRONLY), TRACE_FILE);
	assert_ops(line_of(store, "file"), "write", "write");
	touch(other, "link", ACT_OPEN, O_WRONLY);
	assert_ops(line_of(other, "link"), "read", "read");
}
END_TEST

/* Each of them, by whatever name, once; and where they lead by now. */
START_TEST(links_in_the_middle_are_read_too)
{
	struct store *store = open_here(), *other = open_here(), *third = open_here();

	fill();
	file_put("folder/file", "");
	(void)!symlink("folder", "to folder");
	(void)!symlink("../to folder", "folder/inner");
	ck_assert_int_eq(touch(store, "to folder/inner/file", ACT_OPEN, O_RDONLY), TRACE_FILE);
	assert_ops(line_of(store, "folder/file"), "read", "read");
	touch(other, "to folder/inner/file", ACT_OPEN, O_RDONLY);
	assert_ops(line_of(other, "to folder"), "read", "read");
	touch(third, "to folder/inner/none/none", ACT_OPEN, O_RDONLY);
	touch(third, "to folder/inner/file", ACT_OPEN, O_RDONLY);
	assert_ops(line_of(third, "folder/inner"), "read", "read");
}
END_TEST

START_TEST(links_in_a_circle_lead_nowhere)
{
	struct store *store = open_here();

	(void)!symlink("b", "a");
	(void)!symlink("a", "b");
	ck_assert_int_eq(touch(store, "a", ACT_OPEN, O_RDONLY), TRACE_NOTHING);
	store_close(store);
}
END_TEST

/* A file that is made and read is one that its session made first. */
START_TEST(each_look_is_of_what_is_there_then)
{
	struct store *store = open_here();
	json_t *line;

	touch_by(store, "out", ACT_OPEN, O_RDONLY, TRACE_UNSEEN, "looks");
	touch_by(store, "out", ACT_OPEN, O_WRONLY | O_CREAT, TRACE_UNSEEN, "writes");
	file_put("out", "made");
	touch_by(store, "out", ACT_OPEN, O_RDONLY, TRACE_UNSEEN, "reads");
	touch_by(store, "out", ACT_UNLINK, 0, TRACE_UNSEEN, "removes");
	unlink("out");
	touch_by(store, "out", ACT_OPEN, O_WRONLY | O_CREAT, TRACE_UNSEEN, "writes again");
	file_put("out", "anew");
	line = line_of(store, "out");
	ck_assert(json_is_null(json_object_get(line, "before")));
	ck_assert_double_eq(json_number(json_object_get(line, "after"), "size"), 4);
	ck_assert_str_eq(json_text(line, "reader"), "reads");
	ck_assert_str_eq(json_text(line, "writer"), "writes");
	ck_assert_double_eq(json_number(line, "count"), 5);
	ck_assert_double_ge(json_number_value(json_array_get(json_object_get(line, "wrote"), 1)),
	    json_number_value(json_array_get(json_object_get(line, "read"), 0)));
	assert_ops(line, "read write create delete missing", "missing");
}
END_TEST


START_TEST(results_in_the_project_have_a_hash)
{
	struct store *store = open_here(), *other = open_here();
	json_t *line;

	touch(store, "out", ACT_OPEN, O_WRONLY | O_CREAT);
	file_put("out", "");
	line = line_of(store, "out");
	ck_assert_str_eq(json_text(line, "hash"),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	json_decref(line);
	/* What is only read has none, nor has what lies in an environment. */
	mkdir("venv", 0755);
	file_put("venv/pyvenv.cfg", "");
	touch(other, "venv/pyvenv.cfg", ACT_OPEN, O_RDONLY);
	touch(other, "venv/out", ACT_OPEN, O_WRONLY | O_CREAT);
	file_put("venv/out", "");
	line = line_of(other, "venv/out");
	ck_assert_ptr_null(json_object_get(line, "hash"));
	ck_assert_ptr_nonnull(json_object_get(line, "after"));
	json_decref(line);
}
END_TEST

START_TEST(a_folder_that_moves_takes_what_is_in_it_along)
{
	struct store *store = open_here();

	fill();
	file_put("folder/below", "");
	touch(store, "folder/below", ACT_OPEN, O_RDONLY);
	ck_assert_int_eq(touch(store, "folder", ACT_RENAME_FROM, 0), TRACE_FOLDER);
	touch_by(store, "moved", ACT_RENAME_TO, 0, TRACE_FOLDER, "prog");
	ck_assert_int_eq(rename("folder", "moved"), 0);
	/* It is looked at anew, though it was there. */
	ck_assert_int_eq(touch(store, "folder/below", ACT_OPEN, O_RDONLY), TRACE_NOTHING);
	assert_ops(line_of(store, "moved"), "rename-to subtree", "rename-to");
}
END_TEST

START_TEST(nothing_is_made_in_a_folder_that_has_gone)
{
	struct store *store = open_here();
	json_t *line;

	mkdir("folder", 0755);
	touch(store, "folder/old", ACT_OPEN, O_RDONLY);
	touch(store, "folder", ACT_RMDIR, 0);
	rmdir("folder");
	touch(store, "folder/new", ACT_OPEN, O_WRONLY | O_CREAT);
	line = line_of(store, "folder/new");
	ck_assert_str_eq(json_text(line, "first"), "missing");
	json_decref(line);
}
END_TEST

START_TEST(what_will_be_refused_is_no_change)
{
	static const struct {
		const char *name;
		enum act act;
		const char *first;
	} refused[] = { { "full", ACT_RMDIR, "probe" }, { "full", ACT_UNLINK, "probe" },
		{ "full/file", ACT_RMDIR, "probe" }, { "empty", ACT_RMDIR, "rmdir" },
		{ "full/file", ACT_UNLINK, "delete" } };

	mkdir("full", 0755);
	mkdir("empty", 0755);
	file_put("full/file", "");
	for (size_t i = 0; i < countof(refused); i++) {
		struct store *store = open_here();
		json_t *line;

		touch(store, refused[i].name, refused[i].act, 0);
		line = line_of(store, refused[i].name);
		ck_assert_str_eq(json_text(line, "first"), refused[i].first);
		json_decref(line);
	}
}
END_TEST

START_TEST(with_closed_eyes_nothing_is_looked_at)
{
	struct store *store = open_here();
	json_t *line;

	touch(store, "made", ACT_OPEN, O_WRONLY | O_CREAT);
	file_put("made", "text");
	store_close_eyes(store);
	line = line_of(store, "made");
	ck_assert(json_is_null(json_object_get(line, "before")));
	ck_assert(!json_object_get(line, "after") && !json_object_get(line, "hash"));
	json_decref(line);
}
END_TEST

/* Each name of the same file is kept, and they may be as long as they like. */
START_TEST(memory_has_a_bound)
{
	struct store *store = open_here();
	const struct touch touch = { .act = ACT_PROBE };
	const struct toucher who = { .name = who_name, .data = (char[]){ "prog" } };
	enum trace_kind kind = TRACE_FILE;
	struct buffer out = { 0 };
	char name[4000];
	int i;

	memset(name, '/', sizeof(name));
	for (i = 0; i < 100000 && kind != TRACE_UNSEEN; i++) {
		snprintf(name + 3980, 20, "%d", i % 50000);
		kind = store_touch(store, name, &touch, TRACE_UNSEEN, &who);
	}
	ck_assert_int_gt(i, 10000);
	ck_assert_int_lt(i, 50000);
	ck_assert(store_is_full(store));
	ck_assert(!store_put(store, &out, NULL));
	buffer_free(&out);
	store_close(store);
}
END_TEST

START_TEST(a_socket_is_told_of_once)
{
	struct store *store = open_here();
	struct trace_socket socket = { .port = 80, .binds = true, .address = (char[]){ "::1" } };
	const struct toucher who = { .name = who_name, .data = (char[]){ "serves" } };
	struct buffer out = { 0 };

	for (int i = 0; i < 3; i++)
		store_socket(store, &socket, &who);
	socket.binds = false;
	store_socket(store, &socket, &who);
	store_note(store, "/proc/self/maps", &who);
	ck_assert(store_put(store, &out, NULL));
	ck_assert_ptr_nonnull(strstr(out.data, "{\"port\":80,\"proto\":\"tcp\",\"address\":\"::1\","
	    "\"op\":\"bind\",\"program\":\"serves\"}\n{\"port\":80,\"proto\":\"tcp\",\"address\":"
	    "\"::1\",\"op\":\"connect\",\"program\":\"serves\"}\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "\"/proc/self/maps\",\"ops\":[\"read\"]"));
	buffer_free(&out);
	store_close(store);
	store_close(NULL);
}
END_TEST

Suite *
check_store_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *store = support_case(suite, "store");

	tcase_add_loop_test(store, what_is_there_says_what_a_call_does, 0, countof(meanings));
	tcase_add_loop_test(store, an_attribute_that_is_so_already_is_not_set, 0,
	    countof(attributes));
	tcase_add_test(store, a_file_says_how_many_names_it_has);
	tcase_add_test(store, a_link_is_read_on_the_way_to_its_file);
	tcase_add_test(store, nothing_is_made_in_a_folder_that_has_gone);
	tcase_add_test(store, what_will_be_refused_is_no_change);
	tcase_add_test(store, with_closed_eyes_nothing_is_looked_at);
	tcase_add_test(store, memory_has_a_bound);
	tcase_add_test(store, links_in_the_middle_are_read_too);
	tcase_add_test(store, links_in_a_circle_lead_nowhere);
	tcase_add_test(store, each_look_is_of_what_is_there_then);
	tcase_add_test(store, results_in_the_project_have_a_hash);
	tcase_add_test(store, a_folder_that_moves_takes_what_is_in_it_along);
	tcase_add_test(store, a_socket_is_told_of_once);
	return suite;
}
