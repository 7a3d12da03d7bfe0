#ifndef NOXMK_NOX_NAMES_H
#define NOXMK_NOX_NAMES_H

/*
 * Names of sessions and groups stand in files, in the names of files, on screens and command lines.
 * A secret has no place there, as of nox.parametrize("token", [os.environ["PYPI_TOKEN"]]).
 */

#include "plan/plan.h"

/*
 * Does no name have the value of a secret variable in it? What stands in the noxfile or in the
 * configuration as well is none: the password of a test database may be "postgres". False after a
 * message for each name.
 */
bool names_are_public(const struct plan *, const char *noxfile);

#endif
