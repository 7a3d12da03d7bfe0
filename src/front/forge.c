#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/spawn.h"
#include "front/forge.h"

/*
 * In these texts @/ is the way from the top to the folder, and @: the lines that go there, if the
 * folder is not the top itself; @# is the number of shards.
 */
#define HEAD "# The sessions of noxfile.py, as `noxmk init` has written it.\n"
#define ACTIONS_HEAD HEAD "name: noxmk\n\non:\n  push:\n  pull_request:\n\n"
/* Of the runs only logs and JUnit are kept: other files may have secrets of the environment. */
#define ACTIONS_STEPS(uploader) \
	"      # How long sessions take, so that the longest begin first.\n" \
	"      - uses: actions/cache@v4\n" \
	"        with:\n" \
	"          path: @/.nox/.noxmk/history.json\n" \
	"          key: noxmk-${{ github.run_id }}-${{ github.run_attempt }}\n" \
	"          restore-keys: noxmk-\n" \
	"      - run: make -j ci\n" \
	"      # One archive: the upload passes over names that begin with a dot.\n" \
	"      - if: always()\n" \
	"        run: |\n" \
	"          find .nox/.noxmk/runs -name '*.log*' -o -name junit.xml |\n" \
	"            tar -czf noxmk-logs.tar.gz -T -\n" \
	"      - if: always()\n" \
	"        uses: " uploader "/upload-artifact@v4\n" \
	"        with:\n" \
	"          name: noxmk-logs\n" \
	"          path: @/noxmk-logs.tar.gz\n"
/* History is what all machines divide by. Merged, it is kept, whatever the verdict. */
#define ACTIONS_HISTORY(what, condition) \
	condition \
	"        uses: actions/cache/" what "@v4\n" \
	"        with:\n" \
	"          path: @/.nox/.noxmk/history.json\n" \
	"          key: noxmk-${{ github.run_id }}-${{ github.run_attempt }}\n"
#define ACTIONS_RESTORE \
	ACTIONS_HISTORY("restore", "      - name: how long sessions take\n") \
	"          restore-keys: noxmk-\n"
/*
 * A plan job divides, a job for each shard runs what the plan names, and one makes a run of it all.
 * Its artifacts are archives, since names begin with a dot; the plan, which may have secrets of the
 * environment, is in none. What a shard leaves is data for the merge, never code.
 */
#define ACTIONS_SHARDS(job, label, container, install, uploader) \
	"jobs:\n" \
	"  plan:\n" job \
	"    outputs:\n" \
	"      matrix: ${{ steps.divide.outputs.matrix }}\n" \
	"@:" \
	"    steps:\n" install ACTIONS_RESTORE \
	"      - id: divide\n" \
	"        run: |\n" \
	"          matrix=$(noxmk matrix --shards @# --json --runs-on " label ")\n" \
	"          echo \"matrix=$matrix\" >>\"$GITHUB_OUTPUT\"\n" \
	"  shard:\n" \
	"    needs: plan\n" \
	"    name: shard ${{ matrix.name }}\n" \
	"    strategy:\n" \
	"      fail-fast: false\n" \
	"      matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}\n" \
	"    runs-on: ${{ matrix.runs-on }}\n" container \
	"@:" \
	"    steps:\n" install ACTIONS_RESTORE \
	"      - env:\n" \
	"          TARGETS: ${{ matrix.targets }}\n" \
	"        run: make -j $TARGETS\n" \
	"      - if: always()\n" \
	"        run: tar -czf shard.tar.gz --exclude=plan.jsonl -C .nox/.noxmk/latest .\n" \
	"      - if: always()\n" \
	"        uses: " uploader "/upload-artifact@v4\n" \
	"        with:\n" \
	"          name: noxmk-${{ strategy.job-index }}\n" \
	"          path: @/shard.tar.gz\n" \
	"  merge:\n" \
	"    needs: [plan, shard]\n" \
	"    if: always()\n" job \
	"@:" \
	"    steps:\n" install ACTIONS_RESTORE \
	"      - uses: " uploader "/download-artifact@v4\n" \
	"        with:\n" \
	"          pattern: noxmk-*\n" \
	"          path: @/shards\n" \
	"      - env:\n" \
	"          MATRIX: ${{ needs.plan.outputs.matrix }}\n" \
	"        run: |\n" \
	"          echo \"$MATRIX\" >matrix.json\n" \
	"          for shard in shards/*; do\n" \
	"            tar -xzf \"$shard/shard.tar.gz\" --no-same-owner -C \"$shard\" || true\n" \
	"          done\n" \
	"          noxmk merge --matrix matrix.json shards/*\n" \
	ACTIONS_HISTORY("save", "      - if: always()\n")
#define FORGEJO_CONTAINER "    container:\n      image: node:20-bookworm\n"
#define FORGEJO_JOB "    runs-on: docker\n" FORGEJO_CONTAINER
#define FORGEJO_INSTALL \
	"      - uses: actions/checkout@v4\n" \
	"      - run: |\n" \
	"          apt-get update\n" \
	"          apt-get install -y --no-install-recommends make python3-venv\n" \
	"          python3 -m venv /opt/noxmk\n" \
	"          /opt/noxmk/bin/pip install 'noxmk[nox]'\n" \
	"          echo /opt/noxmk/bin >>\"$GITHUB_PATH\"\n"
#define GITHUB_JOB "    runs-on: ubuntu-latest\n"
#define GITHUB_INSTALL \
	"      - uses: actions/checkout@v4\n" \
	"      - uses: actions/setup-python@v5\n" \
	"        with:\n" \
	"          python-version: \"3.x\"\n" \
	"      - run: python -m pip install 'noxmk[nox]'\n"
#define GITHUB_PERMISSIONS "permissions:\n  contents: read\n\n"
#define ACTIONS_FOLDER "    defaults:\n      run:\n        working-directory: \"@/\"\n"

static const struct forge {
	const char *name;
	const char *hosts[2]; /* parts of the host's name */
	const char *signs;    /* glob(3): CI files of the repository */
	const char *file;     /* @ stands for the folder: "-tools", or nothing at the top */
	const char *folder;   /* the lines that go there */
	const char *text;
	const char *shards;   /* the same for several machines */
} forges[] = {
	{ "forgejo", { "forgejo", "codeberg" }, ".forgejo/workflows/*.y*ml",
	    ".forgejo/workflows/noxmk@.yml", ACTIONS_FOLDER,
	    ACTIONS_HEAD
	    "jobs:\n"
	    "  sessions:\n" FORGEJO_JOB
	    "@:"
	    "    steps:\n" FORGEJO_INSTALL
	    ACTIONS_STEPS("forgejo"),
	    ACTIONS_HEAD ACTIONS_SHARDS(FORGEJO_JOB, "docker", FORGEJO_CONTAINER, FORGEJO_INSTALL,
	    "forgejo") },
	{ "github", { "github" }, ".github/workflows/*.y*ml",
	    ".github/workflows/noxmk@.yml", ACTIONS_FOLDER,
	    ACTIONS_HEAD GITHUB_PERMISSIONS
	    "jobs:\n"
	    "  sessions:\n" GITHUB_JOB
	    "@:"
	    "    steps:\n" GITHUB_INSTALL
	    ACTIONS_STEPS("actions"),
	    ACTIONS_HEAD GITHUB_PERMISSIONS
	    ACTIONS_SHARDS(GITHUB_JOB, "ubuntu-latest", "", GITHUB_INSTALL, "actions") },
	{ "gitlab", { "gitlab" }, ".gitlab-ci.yml", ".gitlab-ci.yml", "    - cd \"@/\"\n",
	    HEAD
	    "sessions:\n"
	    "  image: python:3\n"
	    "  # How long sessions take, so that the longest begin first.\n"
	    "  cache:\n"
	    "    key: noxmk\n"
	    "    paths:\n"
	    "      - @/.nox/.noxmk/history.json\n"
	    "  script:\n"
	    "    - python -m pip install 'noxmk[nox]'\n"
	    "@:"
	    "    - make -j ci\n"
	    "  artifacts:\n"
	    "    when: always\n"
	    "    paths:\n"
	    "      - @/.nox/.noxmk/runs/*/*.log*\n"
	    "    reports:\n"
	    "      junit: @/.nox/.noxmk/runs/*/junit.xml\n",
	    HEAD
	    "default:\n"
	    "  image: python:3\n"
	    "  before_script:\n"
	    "    - python -m pip install 'noxmk[nox]'\n"
	    "@:"
	    "\n"
	    "# What all machines divide by: how long sessions take.\n"
	    "plan:\n"
	    "  stage: build\n"
	    "  cache:\n"
	    "    key: noxmk\n"
	    "    policy: pull\n"
	    "    paths:\n"
	    "      - @/.nox/.noxmk/history.json\n"
	    "  script:\n"
	    "    - noxmk matrix --shards @#\n"
	    "    - cp .nox/.noxmk/history.json noxmk-history.json ||\n"
	    "      echo '{\"schema\":1,\"sessions\":{}}' >noxmk-history.json\n"
	    "  artifacts:\n"
	    "    paths:\n"
	    "      - @/noxmk-history.json\n"
	    "\n"
	    "shard:\n"
	    "  stage: test\n"
	    "  needs: [plan]\n"
	    "  parallel: @#\n"
	    "  variables:\n"
	    "    NOXMK_HISTORY: noxmk-history.json\n"
	    "  script:\n"
	    "    - make -j ci NOXMK_SHARD=$CI_NODE_INDEX/$CI_NODE_TOTAL\n"
	    "  after_script:\n"
	    "@:"
	    "    - tar -czf noxmk-$CI_NODE_INDEX.tar.gz --exclude=plan.jsonl\n"
	    "      -C .nox/.noxmk/latest .\n"
	    "  artifacts:\n"
	    "    when: always\n"
	    "    paths:\n"
	    "      - @/noxmk-*.tar.gz\n"
	    "\n"
	    "merge:\n"
	    "  stage: deploy\n"
	    "  needs: [shard]\n"
	    "  when: always\n"
	    "  cache:\n"
	    "    key: noxmk\n"
	    "    when: always\n"
	    "    paths:\n"
	    "      - @/.nox/.noxmk/history.json\n"
	    "  script:\n"
	    "    - for shard in noxmk-*.tar.gz; do mkdir -p \"shards/$shard\" &&\n"
	    "      tar -xzf \"$shard\" --no-same-owner -C \"shards/$shard\" || true; done\n"
	    "    - noxmk merge --expect @# shards/*\n"
	    "  artifacts:\n"
	    "    when: always\n"
	    "    reports:\n"
	    "      junit: @/.nox/.noxmk/runs/*/junit.xml\n" },
};

/* What git prints, without the last line end. NULL if it fails. The caller frees. */
static char *
ask_git(const char *first, const char *second, const char *third)
{
	const char *const argv[] = { "git", first, second, third, NULL };
	struct buffer text = { 0 };

	if (spawn_capture((char *const *)argv, environ, false, &text) != 0) {
		buffer_free(&text);
		return NULL;
	}
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	return text.data;
}

struct checkout
checkout_find(void)
{
	struct checkout checkout = { .up = ask_git("rev-parse", "--show-cdup", NULL),
		.below = ask_git("rev-parse", "--show-prefix", NULL) };

	if (!checkout.up || !checkout.below) {
		checkout_free(&checkout);
		checkout = (struct checkout){ xstrdup(""), xstrdup("") };
	}
	return checkout;
}

void
checkout_free(struct checkout *checkout)
{
	free(checkout->up);
	free(checkout->below);
}

const struct forge *
forge_named(const char *name)
{
	struct strings names = { 0 };
	const char *meant;

	for (size_t i = 0; i < countof(forges); i++)
		if (!strcmp(forges[i].name, name))
			return &forges[i];
	for (size_t i = 0; i < countof(forges); i++)
		strings_add(&names, forges[i].name);
	meant = nearest(name, &names);
	if (meant)
		warnx("--ci %s: no forge that noxmk knows: did you mean %s?", name, meant);
	else
		warnx("--ci %s: no forge that noxmk knows; there are " FORGE_NAMES ", and none",
		    name);
	free(names.v);
	return NULL;
}

/* Is that in the host's name of a URL, https://HOST/… or git@HOST:…? */
static bool
host_has(const char *url, const char *part)
{
	const char *begin = strstr(url, "://"), *at, *found;
	size_t len;

	begin = begin ? begin + 3 : url;
	at = memchr(begin, '@', strcspn(begin, "/"));
	begin = at ? at + 1 : begin;
	len = strcspn(begin, "/:");
	found = strcasestr(begin, part);
	return found && (size_t)(found - begin) < len;
}

static const struct forge *
of_url(const char *url)
{
	for (size_t i = 0; i < countof(forges); i++)
		for (size_t j = 0; j < countof(forges[i].hosts) && forges[i].hosts[j]; j++)
			if (host_has(url, forges[i].hosts[j]))
				return &forges[i];
	return NULL;
}

static bool
has_signs(const struct forge *forge, const struct checkout *checkout)
{
	char *pattern = xasprintf("%s%s", checkout->up, forge->signs);
	glob_t found;
	bool has = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;

	globfree(&found);
	free(pattern);
	return has;
}

const struct forge *
forge_suggested(const struct checkout *checkout)
{
	const struct forge *forge = NULL;
	char *remotes, *rest, *line;
	size_t found = 0;

	for (size_t i = 0; i < countof(forges); i++)
		if (has_signs(&forges[i], checkout)) {
			forge = &forges[i];
			found++;
		}
	if (found == 1)
		return forge;
	forge = NULL;
	rest = remotes = ask_git("config", "--get-regexp", "^remote\\..*\\.url$");
	while (!forge && (line = strsep(&rest, "\n")))
		/* "remote.origin.url URL" */
		forge = of_url(line + strcspn(line, " ") + (strchr(line, ' ') ? 1 : 0));
	free(remotes);
	return forge;
}

char *
forge_path(const struct forge *forge, const struct checkout *checkout)
{
	size_t head = strcspn(forge->file, "@");
	const char *tail = forge->file + head + (forge->file[head] == '@');
	struct buffer path = { 0 };

	buffer_addstr(&path, checkout->up);
	buffer_add(&path, forge->file, head);
	if (forge->file[head] == '@' && *checkout->below) {
		buffer_printf(&path, "-%s", checkout->below);
		for (char *c = path.data + strlen(checkout->up) + head; *c; c++)
			if (*c == '/' || *c == ' ')
				*c = '-';
		path.data[--path.len] = '\0'; /* for the last / */
	}
	buffer_addstr(&path, tail);
	return path.data;
}

static void
expand(const struct forge *forge, const struct checkout *checkout, const char *text,
    unsigned shards, struct buffer *b)
{
	for (const char *at = text; *at; at++) {
		if (!strncmp(at, "@/", 2)) {
			buffer_addstr(b, checkout->below);
			at++;
		} else if (!strncmp(at, "@:", 2)) {
			if (*checkout->below)
				expand(forge, checkout, forge->folder, shards, b);
			at++;
		} else if (!strncmp(at, "@#", 2)) {
			buffer_printf(b, "%u", shards);
			at++;
		} else {
			buffer_add(b, at, 1);
		}
	}
}

int
forge_write(const struct forge *forge, const struct checkout *checkout, unsigned shards,
    struct buffer *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._+ -";

	if (checkout->below[strspn(checkout->below, plain)]) {
		warnx("%s: a CI may take a character of this path for its own: rename the folder, "
		      "or use `--ci none`", checkout->below);
		return -1;
	}
	expand(forge, checkout, shards > 1 ? forge->shards : forge->text, shards, text);
	return 0;
}
