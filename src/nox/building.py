"""Keeps builds in the source tree apart, since setuptools writes build/ and *.egg-info there.

shim.py imports this module when a session first installs or runs something that may build a
project. Only that command holds the lock, so sessions that install the project and then test it for
minutes still run at the same time. Build backends that leave the tree alone need no lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re

# These were tried: several builds at once write nothing into the source tree, and none fails.
SAFE_BACKENDS = ("hatchling.", "flit_core.", "poetry.core.", "pdm.backend")


def project_in(argument: str) -> str | None:
    """The folder that an argument of pip names (`.`, `.[test]`, `-e./lib`), if it has a project."""
    path = re.sub(r"^(-e|--editable)[ =]?|^file://|^[\w.-]+ *@ *(file://)?(?=[./])", "", argument)
    path = re.sub(r"\[[^\]]*\]$", "", path)
    if not path or path.startswith("-"):
        return None
    found = any(os.path.isfile(os.path.join(path, name)) for name in ("pyproject.toml", "setup.py"))
    return os.path.abspath(path) if found else None


def is_safe(project: str) -> bool:
    """Does the project's backend leave the source tree alone? The default one is setuptools."""
    try:
        with open(os.path.join(project, "pyproject.toml"), encoding="utf-8") as file:
            backend = re.search(r"""^\s*build-backend\s*=\s*["']([^"']*)""", file.read(), re.M)
    except (OSError, ValueError):
        return False
    return backend is not None and backend[1].startswith(SAFE_BACKENDS)


def built_by(words: list[str], is_install: bool) -> list[str]:
    """The projects that a command builds."""
    names = [os.path.basename(word) for word in words]
    if not is_install and "pip" in names and {"install", "wheel"} & set(names):
        is_install = True
    if is_install:
        return [project for project in map(project_in, words) if project]
    if words[1:2] == ["setup.py"]:
        return [os.getcwd()]
    is_build = words[1:3] == ["-m", "build"] or words[:2] == ["uv", "build"]
    if is_build or names[0] == "pyproject-build":
        return [project for project in map(project_in, words[1:]) if project] or [os.getcwd()]
    return []


def needs_lock(words: list[str], is_install: bool) -> bool:
    return any(not is_safe(project) for project in built_by(words, is_install))


@contextlib.contextmanager
def lock(path: str, log):
    """Wait for the lock and hold it. If there can be no lock, warn and go on without it."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = open(path, "a")  # noqa: SIM115  it is closed below
    except OSError as error:
        log.warning(f"noxmk: builds are not kept apart: {error}")
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.info("noxmk: waits for another session that builds in the source tree")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
