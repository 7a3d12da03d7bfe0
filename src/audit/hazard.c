#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "audit/hazard.h"

/* Clashes that become hazards. */
struct sorting {
	struct clashes *clashes;
	const char *root, *home;
	json_t *known; /* key -> position in the list */
	struct hazards list;
};

/* Folders that a tool names: whatever is below is one thing. */
static const char *const folders[] = { "/.pytest_cache", "/.ruff_cache", "/.mypy_cache",
	"/.hypothesis", "/.coverage", "/htmlcov", "/build", "/dist", "/.tox", "/node_modules" };

/* The path as people see it. The caller frees. */
static char *
show_path(const char *path, const char *root, const char *home)
{
	if (root && clash_is_below(path, root) && path[strlen(root)])
		return xstrdup(path + strlen(root) + 1);
	if (home && *home && clash_is_below(path, home) && strcmp(home, "/") != 0)
		return xasprintf("~%s", path + strlen(home));
	return xstrdup(path);
}

/* The length of the path up to so many components behind that place. */
static size_t
components(const char *path, size_t at, int n)
{
	for (; n > 0 && path[at] == '/'; n--)
		at += 1 + strcspn(path + at + 1, "/");
	return at;
}

/* How much of the path names the thing. */
static size_t
place_length(const struct sorting *s, const char *path)
{
	size_t root = s->root ? strlen(s->root) : 0;
	bool inside = s->root && clash_is_below(path, s->root);

	for (size_t i = 0; i < countof(folders); i++) {
		size_t len = strlen(folders[i]);
		const char *at = strstr(path + (inside ? root : 0), folders[i]);

		if (at && (at[len] == '/' || at[len] == '\0'))
			return (size_t)(at - path) + len;
	}
	if (inside)
		return components(path, root, strncmp(path + root, "/.nox/", 6) == 0 ? 2 : 1);
	if (s->home && clash_is_below(path, s->home))
		return components(path, strlen(s->home), 2);
	return components(path, 0, strncmp(path, "/tmp/", 5) == 0 ? 2 : 3);
}

static int
compare_clashes(const void *a, const void *b)
{
	const struct clash *x = a, *y = b;
	int by_path = strcmp(x->path, y->path);

	if (by_path)
		return by_path;
	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

/* What clashes of one hazard have in common: v[0..n) are those of one path, level and rule. */
static char *
key_of(const struct clash *v, size_t n, const char *place)
{
	struct buffer key = { 0 };

	buffer_printf(&key, "%d %d ", v->level, v->rule);
	for (size_t i = 0; i < n; i++)
		buffer_printf(&key, "%zu-%zu ", v[i].first, v[i].second);
	/* The name may be in any encoding, and a key is UTF-8. */
	for (; *place; place++)
		buffer_printf(&key, "%02x", (unsigned char)*place);
	return key.data;
}

static void
add_member(struct hazard *hazard, size_t actor, unsigned roles, const char *program)
{
	struct hazard_member *member;

	for (size_t i = 0; i < hazard->nmembers; i++)
		if (hazard->members[i].actor == actor) {
			member = &hazard->members[i];
			/* Who writes is worth more than who reads. */
			if (!member->program ||
			    (roles & ROLE_WRITES && !(member->roles & ROLE_WRITES)))
				member->program = program ? program : member->program;
			member->roles |= roles;
			return;
		}
	hazard->members = xreallocarray(hazard->members, hazard->nmembers + 1,
	    sizeof(*hazard->members));
	hazard->members[hazard->nmembers++] = (struct hazard_member){ actor, roles, program };
}

static struct hazard *
hazard_for(struct sorting *s, const struct clash *v, size_t n)
{
	char *place = v->is_path ?
	    xasprintf("%.*s", (int)place_length(s, v->path), v->path) : xstrdup(v->path);
	char *key = key_of(v, n, place);
	const json_t *at = json_object_get(s->known, key);
	struct hazard *hazard;

	if (at) {
		free(place);
		free(key);
		return &s->list.v[json_integer_value(at)];
	}
	json_object_set_new(s->known, key, json_integer((json_int_t)s->list.n));
	free(key);
	s->list.v = xreallocarray(s->list.v, s->list.n + 1, sizeof(*s->list.v));
	hazard = &s->list.v[s->list.n++];
	*hazard = (struct hazard){ .level = v->level, .rule = v->rule, .kind = v->kind };
	hazard->place = show_path(place, s->root, s->home);
	free(place);
	return hazard;
}

/* Of those of one path, level and rule. */
static void
add_path(struct sorting *s, size_t first, size_t n)
{
	const struct clash *v = s->clashes->v + first;
	struct hazard *hazard = hazard_for(s, v, n);

	hazard->npaths++;
	for (size_t i = 0; i < n; i++) {
		indices_add(&hazard->clashes, first + i);
		if (v[i].kind < hazard->kind)
			hazard->kind = v[i].kind;
		add_member(hazard, v[i].first, v[i].roles[0], v[i].programs[0]);
		add_member(hazard, v[i].second, v[i].roles[1], v[i].programs[1]);
	}
}

/* What all of its paths have in common: a path, or a folder. */
static void
name(const struct sorting *s, struct hazard *hazard)
{
	const struct clash *v = s->clashes->v;
	const char *first = v[hazard->clashes.v[0]].path;
	size_t len = strlen(first);
	char *common;

	for (size_t i = 1; i < hazard->clashes.n; i++) {
		const char *path = v[hazard->clashes.v[i]].path;
		size_t same = 0;

		while (same < len && path[same] == first[same])
			same++;
		if (same == len && (path[same] == '/' || path[same] == '\0'))
			continue;
		/* "a/b" is no folder of "a/bc". */
		if (same == len && same > 0)
			same--;
		if (path[same] || first[same] != '/')
			while (same > 0 && first[same] != '/')
				same--;
		len = same;
	}
	common = xasprintf("%.*s", (int)len, first);
	hazard->what = v->is_path ? show_path(common, s->root, s->home) : xstrdup(common);
	free(common);
}

static int
compare_members(const void *a, const void *b)
{
	const struct hazard_member *x = a, *y = b;

	return (x->actor > y->actor) - (x->actor < y->actor);
}

static int
compare_hazards(const void *a, const void *b)
{
	const struct hazard *x = a, *y = b;

	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	return strcmp(x->what, y->what);
}

size_t
hazard_path_end(const struct clashes *clashes, size_t at)
{
	const struct clash *first = &clashes->v[at], *clash = first;

	while (++at < clashes->n) {
		clash++;
		if (strcmp(clash->path, first->path) != 0 || clash->level != first->level ||
		    clash->rule != first->rule)
			break;
	}
	return at;
}

struct hazards
hazard_find(struct clashes *clashes, const char *root, const char *home)
{
	struct sorting s = { .clashes = clashes, .root = root, .home = home,
		.known = json_object() };
	struct clash *v = clashes->v;

	if (clashes->n > 0)
		qsort(v, clashes->n, sizeof(*v), compare_clashes);
	for (size_t at = 0, end; at < clashes->n; at = end) {
		end = hazard_path_end(clashes, at);
		add_path(&s, at, end - at);
	}
	for (size_t i = 0; i < s.list.n; i++) {
		name(&s, &s.list.v[i]);
		qsort(s.list.v[i].members, s.list.v[i].nmembers, sizeof(*s.list.v[i].members),
		    compare_members);
	}
	if (s.list.n > 0)
		qsort(s.list.v, s.list.n, sizeof(*s.list.v), compare_hazards);
	json_decref(s.known);
	return s.list;
}

void
hazard_clear(struct hazards *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].what);
		free(list->v[i].place);
		free(list->v[i].clashes.v);
		free(list->v[i].members);
	}
	free(list->v);
	*list = (struct hazards){ 0 };
}
