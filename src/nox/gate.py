"""Asks the helper before a command that may start several processes; see session/ask.h.

A tool that is told of all processors waits at the helper's gate until they are free (slots/gate.h).
Whether pytest starts workers, and how many, is known here. Of other commands the helper may know
from earlier runs.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil

PYTEST = ("pytest", "py.test")
# These run in one process, unless a plugin is there that is known here.
NARROW = (*PYTEST, "unittest", "coverage", "pip", "sphinx-build", "twine")
MOST = 65536  # processes that one asks for: see session/ask.c
WORKERS = "PYTEST_XDIST_AUTO_NUM_WORKERS"
# Each of pytest's workers would start as many threads of its own.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)

FROM_TWO = ("MYPY_NUM_WORKERS",)  # not for one processor: see `least` in slots/toolenv.c

# An option that says what to run: -m MODULE, -c CODE, -mMODULE, or the last one of a word, as -Im.
RUNS = re.compile(r"-[^-WXcm]*([cm])(.*)", re.DOTALL)
# Those whose value may be the next word.
OF_PYTHON = ("-W", "-X", "--check-hash-based-pycs")
OF_COVERAGE = (
    "--concurrency",
    "--context",
    "--data-file",
    "--debug",
    "--include",
    "--omit",
    "--rcfile",
    "--save-signal",
    "--source",
    "--source-dirs",
)

# pytest's option, as a word of its own or with its value, in a command line or a list of TOML.
OPTION = r"""(?:^|[\s"'=[,])(?:-n|--numprocesses)(?:=|[\s"',]*)(auto|logical|\d+)\b"""
ADDOPTS = r"(?ms)^\s*addopts\s*=(.*?)(?=^\s*[\w.-]+\s*=|^\s*\[|\Z)"
# Of these files pytest reads the first one that is there and has that.
CONFIGURATIONS = (
    ("pytest.ini", ""),
    (".pytest.ini", ""),
    ("pyproject.toml", "[tool.pytest"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
)


def skip_options(words: list[str], with_value: tuple[str, ...]) -> list[str]:
    """The words behind an interpreter's options; -m MODULE is as good as a file's name.

    There are none if it runs code of its command line.
    """
    while words and words[0].startswith("-"):
        option, *words = words
        runs = RUNS.fullmatch(option)
        if runs and runs[1] == "c":
            return []
        if runs:
            return [runs[2], *words] if runs[2] else words
        if option in with_value:
            words = words[1:]
    return words


def program(words: list[str]) -> list[str]:
    """From the word on that does the work: `python -m pytest -x` is ["pytest", "-x"]."""
    words = [os.path.basename(words[0]), *words[1:]]
    rest: list[str] = []
    if re.fullmatch(r"(python|pypy)[\d.]*", words[0]):
        rest = skip_options(words[1:], OF_PYTHON)
    elif words[:2] == ["coverage", "run"]:
        rest = skip_options(words[2:], OF_COVERAGE)
    return program(rest) if rest else words


def has_xdist(location: str | None, command: str) -> bool:
    """Is pytest-xdist in that environment, or in the one that the command is from if None?"""
    found = shutil.which(command) or ""
    roots = [location] if location else [os.path.dirname(os.path.dirname(found))]
    if not location:
        roots.append(os.path.dirname(os.path.dirname(os.path.realpath(found))))
    packages = os.path.join("lib*", "*", "*-packages", "xdist")
    return any(glob.glob(os.path.join(glob.escape(root), packages)) for root in roots)


def configured() -> str:
    """The options that pytest finds in the project's files."""
    for name, section in CONFIGURATIONS:
        with contextlib.suppress(OSError, ValueError), open(name, encoding="utf-8") as file:
            text = file.read()
            if section in text:
                return "\n".join(re.findall(ADDOPTS, text))
    return ""


def workers(words: list[str], environment: dict[str, str]) -> int | None:
    """How many pytest is to start: 0 for as many as it is told; None for none."""
    for text in (" ".join(words[1:]), environment.get("PYTEST_ADDOPTS", ""), configured()):
        found = re.findall(OPTION, text)
        if not found:
            continue
        number = found[-1] if found[-1].isdigit() else environment.get(WORKERS, "0")
        if not number.isdigit():
            return 0
        return None if found[-1].isdigit() and int(number) < 2 else int(number)
    return None


def still_ours(ours: dict[str, str], environment: dict[str, str]) -> set[str]:
    """The variables that the helper has set and the noxfile has left alone."""
    return {name for name, value in ours.items() if environment.get(name) == value}


def question(
    words: list[str],
    environment: dict[str, str],
    location: str | None,
    has_siblings: bool,
    ours: dict[str, str],
) -> str:
    """What is asked for that command. ours: the variables that the helper has set, as it has."""
    kept = still_ours(ours, environment)
    environment = {name: value for name, value in environment.items() if name not in kept}
    command, words = words[0], program(words)
    kind, wide = "plain" if words[0] in NARROW or not has_siblings else "sibling", None
    if words[0] in PYTEST and has_xdist(location, command):
        wide = workers(words, environment)
        kind = "plain" if wide is None else "wide"
    name = re.sub(r"[^\w.+-]", "_", words[0])[:60]
    return f"command {kind} {min(wide or 0, MOST)} {name or '_'}"


def is_more(value: str, told: int) -> bool:
    """Not all variables are numbers."""
    return value.isdigit() and int(value) > told


def settings(
    asked: str, told: int, ours: dict[str, str], environment: dict[str, str]
) -> dict[str, str | None]:
    """Variables for a command that has been let go: what the helper said is not for each worker.

    ours: as above. told: perhaps fewer processors than these say; 0: no number. None: to be unset.
    """
    kept = still_ours(ours, environment)
    found: dict[str, str | None] = {}
    for name in kept:
        if told and is_more(ours[name], told):
            found[name] = None if told == 1 and name in FROM_TWO else str(told)
    if asked.startswith("command wide") and told > 1:
        found.update({name: "1" for name in THREADS if name in kept})
    return found
