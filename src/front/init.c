#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/usermake.h"
#include "base/util.h"
#include "front/forge.h"
#include "front/init.h"

/* It works however noxmk was installed, and wherever. */
#define MAKEFILE_TEXT \
	"# The sessions of noxfile.py are targets, which `make -j ci` runs; see noxmk(1).\n" \
	"include $(or $(shell command -v noxmk >/dev/null && noxmk include),$(error \\\n" \
	"  this makefile needs noxmk, which is not in PATH or not whole (pipx install noxmk)))\n"

/* Text for one file. Nothing to do: path is NULL. */
struct addition {
	char *path;
	struct buffer text;
	bool exists;
};

/* 0, or -1 after a warning. */
static int
add_makefile(struct addition *a)
{
	bool includes;
	const char *makefile = usermake_makefile(&includes);
	struct buffer old = { 0 };
	int result = 0;

	if (includes) {
		printf("%s includes nox.mk already: nothing to do there\n", makefile);
		return 0;
	}
	if (makefile && !file_is_regular(makefile)) {
		warnx("%s is no regular file, so nothing is added to it: see to that first",
		    makefile);
		result = -1;
	} else if (makefile && file_read(AT_FDCWD, makefile, &old) < 0) {
		warn("%s cannot be read, so nothing is added to it: see to that first", makefile);
		result = -1;
	} else {
		a->path = xstrdup(makefile ? makefile : "GNUmakefile");
		a->exists = makefile;
		if (old.len > 0 && old.data[old.len - 1] != '\n')
			buffer_addstr(&a->text, "\n");
		/* An empty line, too, since the last one may end with a backslash. */
		buffer_addstr(&a->text, old.len > 0 ? "\n" MAKEFILE_TEXT : MAKEFILE_TEXT);
	}
	buffer_free(&old);
	return result;
}

/* Is the text of a workflow one for so many machines? 0: nobody has said how many. */
static bool
has_shards(const char *text, unsigned shards)
{
	static const char option[] = "--shards ";
	const char *at = strstr(text, option);

	return shards == 0 || shards == (at ? strtoul(at + strlen(option), NULL, 10) : 1);
}

/*
 * A file that is there stays as it is. 0, or -1 after a warning: it does not run the sessions of
 * this folder.
 */
static int
spare_workflow(struct addition *a, const struct checkout *checkout, const struct init_options *o)
{
	struct buffer old = { 0 };
	struct stat st;
	bool runs;
	int result = 0;

	if (lstat(a->path, &st) < 0)
		return 0;
	runs = file_is_regular(a->path) && file_read(AT_FDCWD, a->path, &old) == 0 &&
	       strstr(old.data, "noxmk") && strstr(old.data, checkout->below);
	if (runs && has_shards(old.data, o->shards)) {
		printf("%s runs noxmk already: nothing to do there\n", a->path);
	} else if (o->dry_run) {
		printf("%s is there, and stays as it is; what to add to it by hand:\n%s", a->path,
		    a->text.data);
	} else if (runs) {
		warnx("%s runs noxmk, but not with --shards %u, and stays as it is: remove it, and "
		      "it is written anew", a->path, o->shards);
		result = -1;
	} else {
		warnx("%s is there, and stays as it is: `noxmk init --dry-run` prints what to add "
		      "to it by hand", a->path);
		result = -1;
	}
	buffer_free(&old);
	free(a->path);
	a->path = NULL;
	return result;
}

static int
add_workflow(struct addition *a, const struct init_options *o)
{
	const struct forge *forge = NULL;
	struct checkout checkout;
	bool none = o->ci && !strcmp(o->ci, "none"), wanted = o->ci || o->shards > 0;
	int result = 0;

	if (none && o->shards == 0)
		return 0;
	if (o->ci && !none && !(forge = forge_named(o->ci)))
		return -1;
	checkout = checkout_find();
	if (!o->ci)
		forge = forge_suggested(&checkout);
	if (!forge && o->shards > 0) {
		warnx("--shards %u: machines are a CI's: which one? --ci " FORGE_NAMES, o->shards);
		result = -1;
	} else if (!forge) {
		puts("no CI workflow, since nothing tells which forge this is for: "
		     "`noxmk init --ci " FORGE_NAMES "`");
	} else if ((result = forge_write(forge, &checkout, o->shards, &a->text)) == 0) {
		a->path = forge_path(forge, &checkout);
		result = spare_workflow(a, &checkout, o);
	}
	checkout_free(&checkout);
	/* What nobody has asked for keeps nobody from the rest. */
	return wanted ? result : 0;
}

/* An open file, at whose end the text goes. -1 with errno set. */
static int
open_file(const struct addition *a)
{
	/* Whatever it is, opening it does not wait. */
	int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC, folder = AT_FDCWD, fd;
	const char *slash = strrchr(a->path, '/'), *name = slash ? slash + 1 : a->path;
	char *path = xasprintf("%.*s", (int)(name - a->path), a->path);

	if (a->exists)
		fd = open(a->path, flags);
	else if (*path && file_make_folder(path, 0777, &folder) < 0)
		fd = -1;
	else {
		fd = openat(folder, name, flags | O_CREAT | O_EXCL, 0666);
		if (fd >= 0)
			file_give(folder, name);
	}
	if (folder != AT_FDCWD) {
		int saved = errno;

		fd_close(&folder);
		errno = saved;
	}
	free(path);
	return fd;
}

/* 0, or -1 after a warning; then the file is as it was. */
static int
write_file(const struct addition *a)
{
	int fd = open_file(a), saved;
	struct stat st = { 0 };

	if (fd < 0 || fstat(fd, &st) < 0) {
		warn("%s cannot be written; with `noxmk make -j ci NOXMK_STATE=FOLDER` nothing has "
		     "to be written here", a->path);
		fd_close(&fd);
		return -1;
	}
	if (fd_write_all(fd, a->text.data, a->text.len) == 0 && fsync(fd) == 0) {
		close(fd);
		printf("%s: %s\n", a->path,
		    a->exists ? "added a line that includes nox.mk" : "written");
		return 0;
	}
	saved = errno;
	(void)!ftruncate(fd, st.st_size);
	close(fd);
	if (!a->exists)
		unlink(a->path);
	errno = saved;
	warn("%s is as it was, since it could not be written", a->path);
	return -1;
}

static int
carry_out(const struct addition *a, bool dry_run)
{
	if (!a->path)
		return 0;
	if (!dry_run)
		return write_file(a);
	printf("would %s %s:\n%s", a->exists ? "add to" : "write", a->path, a->text.data);
	return 0;
}

/* What the next command wants that is not there. */
static void
tell_of_tools(void)
{
	const char *command = getenv("NOX");
	char *make = process_find("make", NULL), *nox = process_find("nox", NULL);
	char *noxmk = process_find("noxmk", NULL);

	if (!make)
		warnx("make is not in PATH: install GNU make (Debian: apt-get install make)");
	if (!nox && !(command && *command))
		warnx("nox is not in PATH: pipx install nox, or set NOX to its command");
	if (!noxmk)
		warnx("noxmk is not in PATH, where the makefile looks for it: pipx install noxmk");
	else if (!process_is_own_program(noxmk))
		warnx("PATH has another noxmk, %s, which make will use: remove one of the two",
		    noxmk);
	free(make);
	free(noxmk);
	free(nox);
}

int
init_run(const struct init_options *o)
{
	struct addition makefile = { 0 }, workflow = { 0 };
	int result;

	if (access("noxfile.py", R_OK) < 0) {
		warnx("noxfile.py: %s: go to the folder that has it, or name that: "
		      "noxmk -C FOLDER init", strerror(errno));
		return EXIT_USAGE;
	}
	result = add_makefile(&makefile);
	if (result == 0)
		result = add_workflow(&workflow, o);
	if (result == 0 && (carry_out(&makefile, o->dry_run) < 0 ||
			       carry_out(&workflow, o->dry_run) < 0))
		result = -1;
	if (result == 0) {
		fflush(stdout);
		if (workflow.path && !o->dry_run)
			puts("it installs noxmk by pip: where no index has it, `make wheel` in the "
			     "checkout of noxmk makes a file, and pip install takes "
			     "'noxmk[nox] @ URL' or './PATH.whl[nox]' of that; its machine has one "
			     "Python: have it install the others that sessions want");
		tell_of_tools();
		puts(o->dry_run ? "next: noxmk init, without --dry-run" : "next: make -j ci");
	}
	free(makefile.path);
	free(workflow.path);
	buffer_free(&makefile.text);
	buffer_free(&workflow.text);
	return result < 0 ? EXIT_USAGE : 0;
}
