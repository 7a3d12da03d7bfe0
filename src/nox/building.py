"""Keeps the builds of sessions apart that build the project in the source tree at the same time.

Among the backends that were tried, setuptools alone writes there: build/, NAME.egg-info/ and, for
an sdist, NAME-VERSION/. Of five times that four `pip install .` began at once four broke, and some
wheels had no entry points. So each session has a folder of its own for builds. setuptools learns of
it from one more configuration file, which the variable DIST_EXTRA_CONFIG names (from 65.4 on), and
whoever starts the build inherits the variable: pip, uv, a script. These facts shaped the rest:

- The variable holds a relative path, so that only a build of the project in this very folder finds
  the file. Dependencies, and projects that the tests build, are not concerned. With one build_base
  for several projects the wheel of the second has the modules of the first, too.
- egg_base is only set for commands that install. An sdist that is built with it lacks
  NAME.egg-info/SOURCES.txt, and a wheel that is built from that sdist may lack package data.
- What the folder does not keep apart waits for a lock, as do backends that nobody has tried. It
  then runs without the file. Builds for a release are among these: they do what they do under nox.
- The lock is held for the whole command, also while pip downloads: pip runs the backend in an
  environment of its own, where nothing of ours is loaded, and says nothing before and after.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil

from noxmk_shim import replaced

# A command without one of these words builds no project.
BUILD_WORDS = {"install", "wheel", "sync", "build", "pyproject-build", "setup.py"}

VARIABLE = "DIST_EXTRA_CONFIG"

# These were tried: several builds at once write nothing into the source tree, and none fails.
SAFE_BACKENDS = ("hatchling.", "flit_core.", "poetry.core.", "pdm.backend", "uv_build")
# These build in a temporary folder, unless told of one or editable: then in the tree.
TEMPORARY_BACKENDS = ("mesonpy", "scikit_build_core.")

# In the words of a command, which may stand behind others (`uv run`, `python -m`).
PYTHON = r"(?:^| )(?:python|pypy)[\d.]*"
SYNC = r"(?:^| )(?:uv(?: -\S+)* sync|pdm (?:sync|install))(?: |$)"
RELEASE = (
    rf"{PYTHON}(?: \S+)* -m build(?: |$)"
    r"|(?:^| )(?:uv(?: -\S+)* build|pdm build|pyproject-build)(?: |$)"
)

# What a project's files say when its builds by setuptools meet all the same. They are compiled when
# they are needed: most sessions build nothing.
CHOSEN_FOLDER = r"(?m)^\s*build[-_]base\s*="
WRITES_SOURCES = r"(?i)\b(cython|mypyc)"  # C files, next to the modules
TOO_OLD = r"\bsetuptools\s*(?:==|~=|<=?)\s*(?:[1-5]?\d|6[0-5])\b"
EXTENSION = r"\bext[-_]modules\b|\bExtension\("  # an editable one lies in the tree


def read(*path: str) -> str:
    """The file's text, or nothing."""
    with contextlib.suppress(OSError, ValueError):
        with open(os.path.join(*path), encoding="utf-8") as file:
            return file.read()
    return ""


def read_all(project: str) -> str:
    """What the project says of its build."""
    return "\n".join(read(project, name) for name in ("pyproject.toml", "setup.cfg", "setup.py"))


def is_project(folder: str) -> bool:
    names = ("pyproject.toml", "setup.py")
    return any(os.path.isfile(os.path.join(folder, name)) for name in names)


def project_in(argument: str) -> str | None:
    """The folder that an argument of pip names (`.`, `.[test]`, `-e./lib`), if it has a project."""
    path = re.sub(r"^(-e|--editable)[ =]?|^file://|^[\w.-]+ *@ *(file://)?(?=[./])", "", argument)
    path = re.sub(r"\[[^\]]*\]$", "", path)
    if not path or path.startswith("-"):
        return None
    return os.path.abspath(path) if is_project(path) else None


def backend_of(project: str) -> str:
    """The default is setuptools."""
    text = read(project, "pyproject.toml")
    named = re.search(r"""^\s*build-backend\s*=\s*["']([^"']*)""", text, re.M)
    return named[1] if named else "setuptools.build_meta"


def is_setuptools(project: str) -> bool:
    return backend_of(project).startswith("setuptools.")


def expand(words: list[str]) -> list[str]:
    """The words, and the lines of the requirements files that they name."""
    expanded = list(words)
    for before, word in zip(["", *words], words):
        named = re.match(r"(?:-r|--requirement=)(.+)", word)
        file = word if before in ("-r", "--requirement") else named and named[1]
        for line in read(file).splitlines() if file else []:
            expanded.append(re.sub(r"(^|\s)[#;].*", "", line).strip())
    return expanded


def text_of(words: list[str]) -> str:
    return " ".join(os.path.basename(word) for word in words)


def is_script(words: list[str]) -> bool:
    return re.search(rf"{PYTHON}(?: -\S+)* setup\.py(?: |$)", text_of(words)) is not None


def kind_of(words: list[str], is_install: bool) -> str:
    """Does the command "install", "sync", build for a "release", or none of these ("")?"""
    names = [os.path.basename(word) for word in words]
    if is_install or "pip" in names and {"install", "wheel"} & set(names):
        return "install"
    if re.search(SYNC, text_of(words)):
        return "sync"
    return "release" if re.search(RELEASE, text_of(words)) or is_script(words) else ""


def built_by(words: list[str], is_install: bool) -> list[str]:
    """The projects that a command builds."""
    kind = kind_of(words, is_install)
    if not kind:
        return []
    named = [] if kind == "sync" or is_script(words) else expand(words)
    projects = [project for project in map(project_in, named) if project]
    return projects if projects or kind == "install" else [os.getcwd()]


def is_editable(words: list[str], kind: str) -> bool:
    if kind == "sync":
        return "--no-editable" not in words
    return any(word.startswith(("-e", "--editable")) for word in expand(words))


def is_safe(project: str, words: list[str], kind: str) -> bool:
    """Does the backend leave the tree alone?"""
    backend = backend_of(project)
    if backend.startswith(TEMPORARY_BACKENDS):
        told = " ".join([read(project, "pyproject.toml"), *words])
        return not re.search(r"build[-_]?dir", told) and not is_editable(words, kind)
    return backend.startswith(SAFE_BACKENDS)


def has_old_setuptools(venv: str | None) -> bool:
    """Is there one in the environment that does not know the variable?"""
    pattern = f"{glob.escape(venv or '')}/lib/*/site-packages/setuptools-*.dist-info"
    found = glob.glob(pattern) if venv else []
    return any(int(re.search(r"setuptools-(\d*)", name)[1] or 0) < 66 for name in found)


def is_kept_apart(project: str, words: list[str], is_install: bool, venv: str | None) -> bool:
    """Does the session's own folder keep this build by setuptools apart from others?"""
    kind, text, is_modern = kind_of(words, is_install), read_all(project), has_pyproject(project)
    if project != os.getcwd() or kind == "release":
        return False
    if re.search(WRITES_SOURCES, text) or re.search(TOO_OLD, text):
        return False
    if (not is_modern or "--no-build-isolation" in words) and has_old_setuptools(venv):
        return False
    # Without pyproject.toml an editable installation is the egg-info in the tree.
    return not is_editable(words, kind) or is_modern and not re.search(EXTENSION, text)


def has_pyproject(project: str) -> bool:
    return os.path.isfile(os.path.join(project, "pyproject.toml"))


class Builds:
    """Keeps the builds of one session apart from those of others.

    folder is for what setuptools writes, and is removed at the end. The helper
    is asked for the lock that all other builds hold; None: there is no helper.
    """

    def __init__(self, folder: str, helper, log) -> None:
        self.folder, self.helper, self.log = folder, helper, log
        self.has_folder = self.is_busy = False

    @contextlib.contextmanager
    def session(self):
        """Give the session its folder, where that can be."""
        self.has_folder = self.can_have_folder() and self.make_folder()
        if not self.has_folder:
            yield
            return
        try:
            with replaced({VARIABLE: self.config("any")}, os.environ):
                yield
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # there may be those of other sessions
                os.rmdir(os.path.dirname(self.folder))

    def can_have_folder(self) -> bool:
        # A file of the user's is left alone. An unpacked sdist needs the egg-info that it has.
        if VARIABLE in os.environ or os.path.exists("PKG-INFO") or not is_project("."):
            return False
        # Elsewhere no relative path holds for this project alone. A damaged plan may say "..".
        is_below = not os.path.relpath(self.folder).startswith("..")
        if not is_below or os.path.normpath(self.folder) != self.folder:
            return False
        return is_setuptools(".") and not re.search(CHOSEN_FOLDER, read_all("."))

    def make_folder(self) -> bool:
        build = f"[build]\nbuild_base = {self.folder}/build\n"
        egg_info = f"[egg_info]\negg_base = {self.folder}/egg-info\n"
        try:
            shutil.rmtree(self.folder, ignore_errors=True)  # of a session that was killed
            os.makedirs(f"{self.folder}/egg-info")
            for name, text in {"any": build, "install": build + egg_info}.items():
                with open(self.config(name), "w", encoding="utf-8") as file:
                    file.write(text)
        except (OSError, ValueError) as error:
            self.log.warning(f"noxmk: builds are not kept apart: {error}")
            return False
        return True

    def config(self, name: str) -> str:
        return f"{os.path.relpath(self.folder)}/{name}.cfg"

    @contextlib.contextmanager
    def command(self, words: list[str], is_install: bool, venv):
        """Around a command of the session. venv: nox's object for the environment, or None."""
        projects = [] if self.is_busy else built_by(words, is_install)
        kind = kind_of(words, is_install) if projects else ""
        unsafe = [one for one in projects if not is_safe(one, words, kind)]
        if not unsafe:
            yield
            return
        # Old releases of nox put a copy of os.environ into the object.
        own = getattr(venv, "env", None) or {}
        location = getattr(venv, "location", None)
        has_folder = self.has_folder and own.get(VARIABLE) in (None, self.config("any"))
        is_apart = has_folder and all(
            is_setuptools(one) and is_kept_apart(one, words, is_install, location)
            for one in unsafe
        )
        self.is_busy = True
        try:
            with contextlib.ExitStack() as stack:
                if has_folder:
                    file = self.config("install") if is_apart else None
                    stack.enter_context(replaced({VARIABLE: file}, os.environ, own))
                if not is_apart:
                    stack.enter_context(self.locked())
                yield
        finally:
            self.is_busy = False

    @contextlib.contextmanager
    def locked(self):
        """Wait for the lock and hold it."""
        if not self.helper:
            yield
            return
        self.helper.ask("build")
        try:
            yield
        finally:
            self.helper.tell("built")


def keep_apart(folder: str, helper, log) -> None:
    """Give the session's builds of the project a folder of their own, or the lock."""
    import nox.sessions

    session_class, runner_class = nox.sessions.Session, nox.sessions.SessionRunner
    nox_execute = runner_class.execute
    builds = Builds(folder, helper, log)

    def execute(runner):
        with builds.session():
            return nox_execute(runner)

    def wrap(original, is_install: bool):
        def command(session, *args, **kwargs):
            words = [str(arg) for arg in args]
            if not words or not is_install and not BUILD_WORDS & set(words):
                return original(session, *args, **kwargs)
            with builds.command(words, is_install, getattr(session._runner, "venv", None)):
                return original(session, *args, **kwargs)

        command.__doc__ = original.__doc__
        return command

    runner_class.execute = execute
    for name in ("install", "run", "run_install", "run_always"):
        if hasattr(session_class, name):
            setattr(session_class, name, wrap(getattr(session_class, name), name == "install"))
