#ifndef NOXMK_REPORT_SOURCES_H
#define NOXMK_REPORT_SOURCES_H

/*
 * The files of the project that paths in a log name, as they are named from the root of its
 * repository: the nearest folder with .git, from the project upwards; else GITHUB_WORKSPACE if the
 * project is in there; else the project. A forge knows them by these names.
 *
 * A relative path is seen from the folders that were named last (enum folder), or else from the
 * project. What is no plain file, or lies outside, or in what others have installed (.nox,
 * site-packages …) is none of the project's.
 */

#include "base/util.h"
#include "report/finding.h"

struct sources;

/* Of the project in the current folder. sources_close frees. */
struct sources *sources_open(void) UNUSED_RESULT;
void sources_close(struct sources *);

/* Another log begins: nobody has named a folder in it. */
void sources_begin(struct sources *);

/* As struct finder has them; data is the struct sources. */
char *sources_file(void *data, const char *path, size_t n) UNUSED_RESULT;
void sources_folder(void *data, enum folder, const char *path, size_t n);

#endif
