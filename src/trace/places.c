#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "trace/places.h"

/* A path as a process has named it. */
struct name {
	char *text;
	unsigned generation;
	struct place *place;
};

/* A folder as it has been named, and where it really is: NULL if it was not there. */
struct folder {
	char *text, *real;
	unsigned generation;
};

struct places {
	void *names, *folders, *places; /* of struct name and so on: tsearch(3) */
	unsigned generation;         /* of names */
	unsigned folders_generation; /* and of folders */
	char *detour;                /* see places_detour, or NULL */
	size_t size;
};

/* What a node of a tree and the heap add to each, in bytes. */
enum { NODE = 64 };

/* A place and its path, which it owns, by that path. */
static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int
by_folder(const void *a, const void *b)
{
	return strcmp(((const struct folder *)a)->text, ((const struct folder *)b)->text);
}

struct places *
places_open(void)
{
	return xcalloc(1, sizeof(struct places));
}

static void
free_name(void *data)
{
	struct name *name = data;

	free(name->text);
	free(name);
}

static void
free_folder(void *data)
{
	struct folder *folder = data;

	free(folder->text);
	free(folder->real);
	free(folder);
}

static void
free_place(void *data)
{
	struct place *place = data;

	free((char *)place->path);
	free(place);
}

void
places_close(struct places *places)
{
	if (!places)
		return;
	tdestroy(places->names, free_name);
	tdestroy(places->folders, free_folder);
	tdestroy(places->places, free_place);
	free(places->detour);
	free(places);
}

/* Adds one part to a canonical path, as if none of its parts were a link. */
static void
add_part(struct buffer *path, const char *part, size_t len)
{
	if (len == 0 || (len == 1 && *part == '.'))
		return;
	if (len == 2 && !strncmp(part, "..", 2)) {
		while (path->len > 0 && path->data[--path->len] != '/')
			;
		path->data[path->len] = '\0';
		return;
	}
	buffer_addstr(path, "/");
	buffer_add(path, part, len);
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
is_dots(const char *part)
{
	return !strcmp(part, ".") || !strcmp(part, "..");
}

/*
 * The canonical path of the folder, as far as it is there, into an empty buffer; "" is the root.
 * False when something of it is missing.
 */
static bool
resolve_wholly(const char *folder, struct buffer *path)
{
	char *prefix = xstrdup(folder), real[PATH_MAX];
	const char *rest;

	while (*prefix && !realpath(prefix, real))
		*strrchr(prefix, '/') = '\0';
	rest = folder + strlen(prefix);
	buffer_addstr(path, *prefix && strcmp(real, "/") != 0 ? real : "");
	free(prefix);
	if (!*rest)
		return path->len == 0 || is_folder(path->data);
	for (size_t n; *rest; rest += n + (rest[n] == '/')) {
		n = strcspn(rest, "/");
		add_part(path, rest, n);
	}
	return false;
}

static bool find_folder(struct places *, const char *text, struct buffer *path);

/* The same, but what it is in is mostly known: realpath(3) asks for each part. */
static bool
resolve_folder(struct places *places, const char *folder, struct buffer *path)
{
	const char *last = strrchr(folder, '/');
	struct stat st;
	char *parent;
	bool is_there;

	if (!last || !last[1] || is_dots(last + 1))
		return resolve_wholly(folder, path);
	parent = xasprintf("%.*s", (int)(last - folder), folder);
	is_there = find_folder(places, parent, path);
	free(parent);
	add_part(path, last + 1, strlen(last + 1));
	if (!is_there || lstat(path->data, &st) < 0)
		return false;
	if (!S_ISLNK(st.st_mode))
		return S_ISDIR(st.st_mode);
	path->len = 0;
	return resolve_wholly(folder, path);
}

/* The same, remembered while it is there. */
static bool
find_folder(struct places *places, const char *text, struct buffer *path)
{
	struct folder key = { .text = (char *)text };
	struct folder **found = tsearch(&key, &places->folders, by_folder), *folder = *found;

	if (folder == &key) {
		folder = *found = xcalloc(1, sizeof(*folder));
		folder->text = xstrdup(text);
		places->size += sizeof(*folder) + strlen(text) + NODE;
	} else if (folder->real && folder->generation == places->folders_generation) {
		buffer_addstr(path, folder->real);
		return true;
	}
	places->size -= folder->real ? strlen(folder->real) : 0;
	free(folder->real);
	folder->real = NULL;
	if (!resolve_folder(places, text, path))
		return false;
	folder->real = xstrdup(path->data ? path->data : "");
	if (strcmp(folder->real, text) != 0) {
		free(places->detour);
		places->detour = xstrdup(text);
	}
	folder->generation = places->folders_generation;
	places->size += strlen(folder->real);
	return true;
}

/* The canonical path. The caller frees. */
static char *
find_path(struct places *places, const char *name, bool *lacks_parent)
{
	struct buffer path = { 0 };
	char *folder = xstrdup(name), *last;
	size_t len = strlen(folder);

	while (len > 0 && folder[len - 1] == '/')
		folder[--len] = '\0';
	last = strrchr(folder, '/');
	if (last && !is_dots(last + 1)) {
		*last++ = '\0';
		*lacks_parent = !find_folder(places, folder, &path);
		add_part(&path, last, strlen(last));
	} else {
		*lacks_parent = !find_folder(places, folder, &path);
	}
	if (path.len == 0)
		buffer_addstr(&path, "/");
	free(folder);
	return path.data;
}

/* The place of that canonical path, which is taken over. */
static struct place *
place_of(struct places *places, char *path)
{
	struct place key = { .path = path }, **found = tsearch(&key, &places->places, by_path);

	if (*found == &key) {
		*found = xcalloc(1, sizeof(**found));
		(*found)->path = path;
		places->size += sizeof(**found) + strlen(path) + NODE;
	} else {
		free(path);
	}
	return *found;
}

struct place *
places_find(struct places *places, const char *path)
{
	struct name key = { .text = (char *)path };
	struct name **found = tsearch(&key, &places->names, by_text), *name = *found;
	bool lacks_parent;

	if (name == &key) {
		name = *found = xcalloc(1, sizeof(*name));
		name->text = xstrdup(path);
		places->size += sizeof(*name) + strlen(path) + NODE;
	} else if (name->generation == places->generation && !name->place->lacks_parent) {
		return name->place;
	}
	name->generation = places->generation;
	name->place = place_of(places, find_path(places, path, &lacks_parent));
	name->place->lacks_parent = lacks_parent;
	return name->place;
}

struct place *
places_verbatim(struct places *places, const char *path)
{
	return place_of(places, xstrdup(path));
}

struct place *
places_target(struct places *places, const struct place *place)
{
	char target[PATH_MAX], *path;
	ssize_t n = readlink(place->path, target, sizeof(target) - 1);
	struct place *found;

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	if (*target == '/')
		return places_find(places, target);
	path = xasprintf("%.*s/%s", (int)(strrchr(place->path, '/') - place->path), place->path,
	    target);
	found = places_find(places, path);
	free(path);
	return found;
}

char *
places_detour(struct places *places)
{
	char *detour = places->detour;

	places->detour = NULL;
	return detour;
}

size_t
places_size(const struct places *places)
{
	return places->size;
}

void
places_forget(struct places *places)
{
	places->generation++;
	places->folders_generation++;
}

void
places_forget_folders(struct places *places)
{
	places->folders_generation++;
}
