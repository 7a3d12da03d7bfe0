#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mount.h"

/* The text after that mark, up to the next blank, or NULL. */
static char *
word_after(const char *text, const char *mark)
{
	const char *word = text ? strstr(text, mark) : NULL;

	if (word)
		word += strlen(mark);
	return word ? xasprintf("%.*s", (int)strcspn(word, " \t\n"), word) : NULL;
}

/* A line of mountinfo (proc(5)): "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw". */
char *
mount_type(int fd)
{
	char *path = xasprintf("/proc/self/fdinfo/%d", fd), *id, *mark, *type = NULL;
	struct buffer info = { 0 }, mounts = { 0 };

	buffer_addstr(&mounts, "\n");
	if (file_read(AT_FDCWD, path, &info) == 0 && (id = word_after(info.data, "mnt_id:\t"))) {
		mark = xasprintf("\n%s ", id);
		if (file_read(AT_FDCWD, "/proc/self/mountinfo", &mounts) == 0)
			type = word_after(strstr(mounts.data, mark), " - ");
		free(mark);
		free(id);
	}
	buffer_free(&mounts);
	buffer_free(&info);
	free(path);
	return type ? type : xstrdup("unknown");
}
