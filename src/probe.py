"""Tells everything about a noxfile: itself a noxfile, run as `nox -f probe.py -l`.

So it runs in nox's own interpreter, wherever that is (pipx, conda, Debian, PEP 723), and lets nox's
own code load the user's noxfile and select sessions. It may lie anywhere; the helper puts a copy of
the user's PEP 723 block on top, because nox looks for one in the file that it is given.

Environment, taken out before the user's noxfile is loaded:
    NOXMK_PROBE_NOXFILE  the user's noxfile, as given      NOXMK_PROBE_OUT    the JSON file to write
    NOXMK_PROBE_CWD      the project folder                NOXMK_PROBE_UNSET  more names to take out

Exit status: 0 facts written; 1, 2, 3 nox's own, when it cannot load the noxfile; 97 when this nox is
unknown to us. The facts are one JSON object, ASCII, without NUL or lone surrogates:
    schema         1
    nox, python    nox's version, its interpreter          path      its sys.path
    args           options of the user's nox command       posargs   []
    noxfile, envdir  absolute                              depends   files that the above rests on
    queue          what plain `nox` runs, in its order     queue_error  why it cannot, or null
    sessions       in definition order; all that refers to a session is a position in this list:
        index, name (base name), session (friendly name), signatures, description, tags, line,
        python, envdir (null: no environment), reuse, backend, parallel (allow_parallel=),
        requires, requires_error, notifies (by constants in the code of those that call notify)
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
import traceback

UNKNOWN_NOX = 97


def clean(value):
    """The value with all text as strict JSON parsers take it."""
    if isinstance(value, str):
        text = value.replace("\0", "\\x00")
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value


def call_nox(step, *args, **kwargs):
    """Call a task of nox. What goes wrong inside it is the noxfile's fault, and told as nox would."""
    try:
        return step(*args, **kwargs)
    except Exception as error:
        frames = error.__traceback__.tb_next
        if frames is None:  # not even called: our idea of its signature is wrong
            raise
        traceback.print_exception(type(error), error, frames)
        raise SystemExit(1) from None


class Files:
    """The files that are opened for reading, by an audit hook (which cannot be taken out again)."""

    def __init__(self) -> None:
        self.seen: dict[str, None] = {}
        self.active = True
        sys.addaudithook(self)

    def __call__(self, event: str, args) -> None:
        if event != "open" or not self.active or not isinstance(args[0], (str, bytes, os.PathLike)):
            return
        path, mode, flags = args
        writes = flags & os.O_ACCMODE == os.O_WRONLY if mode is None else mode[:1] in "wax"
        if not writes:
            with contextlib.suppress(OSError):  # the working directory may be gone
                self.seen[os.path.abspath(os.fsdecode(path))] = None

    def below(self, roots: list[str], not_below: list[str]) -> list[str]:
        """Those below one of the roots, Python's caches told as the source they stand for."""
        found: dict[str, None] = {}
        for path in self.seen:
            with contextlib.suppress(ValueError):
                path = importlib.util.source_from_cache(path)
            inside = any(path.startswith(root + os.sep) for root in roots)
            outside = any(path.startswith(root + os.sep) for root in not_below)
            if inside and not outside and not path.endswith(".pyc") and os.path.isfile(path):
                found[path] = None
        return list(found)


def nox_metadata() -> str:
    """A file that vanishes when another nox is installed."""
    import nox

    site = os.path.dirname(os.path.dirname(os.path.abspath(nox.__file__)))
    for entry in sorted(os.listdir(site)):
        if entry.startswith("nox-") and entry.endswith((".dist-info", ".egg-info")):
            for name in ("METADATA", "PKG-INFO"):
                if os.path.isfile(os.path.join(site, entry, name)):
                    return os.path.join(site, entry, name)
    return os.path.abspath(nox.__file__)


def notify_constants(code) -> list[str]:
    """String constants of a function that mentions notify, and of the functions inside it."""
    found: list[str] = []
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            found += notify_constants(constant)
        elif "notify" in code.co_names:
            several = constant if isinstance(constant, (tuple, frozenset)) else [constant]
            found += [item for item in several if isinstance(item, str)]
    return found


def describe(runner, config, index: dict[int, int], runners: list) -> dict[str, object]:
    func = runner.func
    backend = config.force_venv_backend or func.venv_backend or config.default_venv_backend
    bare = backend == "none" or func.python is False
    if hasattr(runner, "reuse_existing_venv"):
        reuse = runner.reuse_existing_venv()
    else:  # nox before 2024.03.02
        reuse = func.reuse_venv or config.reuse_existing_virtualenvs

    requires, requires_error = [], None
    try:
        if getattr(func, "_requires", None):
            for other in runner.get_direct_dependencies():
                requires.append(index[id(other)])
    except (KeyError, ValueError) as error:  # unknown name; {python} without a python
        requires_error = str(error.args[0])

    plain = func
    while not hasattr(plain, "__code__") and hasattr(plain, "func"):
        plain = plain.func
    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__
    code = getattr(plain, "__code__", None)
    notifies = []
    for target in notify_constants(code) if code else []:
        for other in runners:
            if target == other.name or target in other.signatures:
                notifies.append(index[id(other)])
                break

    folder = os.path.dirname(config.noxfile)
    return {
        "index": index[id(runner)],
        "name": runner.name,
        "session": runner.friendly_name,
        "signatures": list(runner.signatures),
        "description": str(runner.description or ""),
        "tags": [str(tag) for tag in runner.tags],
        "python": func.python if isinstance(func.python, str) else None,
        "envdir": None if bare else os.path.abspath(os.path.join(folder, runner.envdir)),
        "reuse": None if bare else bool(reuse),
        "backend": backend,
        "requires": list(dict.fromkeys(requires)),
        "requires_error": requires_error,
        "notifies": list(dict.fromkeys(notifies)),
        "parallel": getattr(func, "allow_parallel", None),
        "line": code.co_firstlineno if code else None,
    }


def select(manifest, config, index: dict[int, int]) -> tuple[list[int], str | None]:
    """What plain `nox` would run, or why it would not."""
    from nox import logger, tasks

    complaints: list[str] = []

    def keep(record) -> bool:
        complaints.append(record.getMessage())
        return False

    config.list_sessions = False  # a listing does not mind an empty selection
    logger.logger.addFilter(keep)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it lists when there is no default session
            verdict = tasks.filter_manifest(manifest, global_config=config)
    except Exception as error:
        return [], f"{type(error).__name__}: {error}"
    finally:
        logger.logger.removeFilter(keep)
    if isinstance(verdict, int):
        return [], " ".join(complaints) if verdict else None
    return [index[id(runner)] for runner in manifest._queue if id(runner) in index], None


def probe(noxfile: str, project: str) -> dict[str, object]:
    import nox
    from nox import _options, _version, tasks

    args = [arg for arg in sys.argv[1:] if arg != "-l"]
    while "-f" in args:  # twice when nox has re-executed itself
        del args[args.index("-f") : args.index("-f") + 2]
    # nox has moved to the folder of this file; the user's files are named from where they started it.
    os.chdir(project)
    sys.argv[1:] = [*args, f"--noxfile={noxfile}", "--list"]
    config = _options.options.parse_args()
    path = list(sys.path)

    files = Files()
    try:
        module = call_nox(tasks.load_nox_module, global_config=config)
    except SystemExit as error:
        if not error.code:
            print("noxmk: the noxfile exits while it is loaded", file=sys.stderr)
            raise SystemExit(1) from None
        raise
    files.active = False
    if isinstance(module, int):
        raise SystemExit(module)
    call_nox(tasks.merge_noxfile_options, module, global_config=config)
    manifest = call_nox(tasks.discover_manifest, module, global_config=config)

    runners = [runner for runner, _ in manifest.list_all_sessions()]
    index = {id(runner): position for position, runner in enumerate(runners)}
    sessions = [describe(runner, config, index, runners) for runner in runners]
    queue, queue_error = select(manifest, config, index)

    folder = os.path.dirname(config.noxfile)
    envdir = os.path.abspath(os.path.join(folder, config.envdir))
    roots = list(dict.fromkeys([project, os.path.realpath(project), folder]))
    skip = [envdir] + [os.path.join(root, ".noxmk") for root in roots]
    skip += [prefix for prefix in [sys.prefix] if any(prefix.startswith(root + os.sep) for root in roots)]
    depends = [config.noxfile, *files.below(roots, skip)]
    pyproject = os.path.join(project, "pyproject.toml")
    depends += [pyproject] if os.path.isfile(pyproject) else []
    depends += [sys.executable, nox_metadata()]
    return {
        "schema": 1,
        "nox": _version.get_nox_version(),
        "python": sys.executable,
        "path": path,
        "args": args,
        "posargs": [],
        "noxfile": config.noxfile,
        "envdir": envdir,
        "depends": list(dict.fromkeys(depends)),
        "queue": queue,
        "queue_error": queue_error,
        "sessions": sessions,
    }


def main() -> None:
    noxfile = os.environ.pop("NOXMK_PROBE_NOXFILE")
    project = os.environ.pop("NOXMK_PROBE_CWD")
    out = os.environ.pop("NOXMK_PROBE_OUT")
    for name in os.environ.pop("NOXMK_PROBE_UNSET", "").split(","):
        os.environ.pop(name, None)
    try:
        os.dup2(2, 1)  # what the noxfile prints is not for the reader of our stdout
        facts = clean(probe(noxfile, project))
        with open(out + ".part", "w", encoding="ascii") as file:
            file.write(json.dumps(facts) + "\n")
        os.replace(out + ".part", out)
    except Exception as error:
        print(f"noxmk: cannot probe with this nox: {type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(UNKNOWN_NOX) from None
    raise SystemExit(0)


main()
