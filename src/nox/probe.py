"""Finds out all facts about a noxfile. The probe is itself a noxfile, run as `nox -f probe.py -l`.

So it runs in nox's own interpreter, wherever that is (pipx, conda, Debian, PEP 723), and nox's own
code loads the user's noxfile and selects sessions. The helper may run a copy with the PEP 723 block
of the user's noxfile on top, because nox looks for one in the file that it is given.

These variables are taken out of the environment before the user's noxfile is loaded:
    NOXMK_PROBE_NOXFILE  the user's noxfile, as given      NOXMK_PROBE_OUT    the JSON file to write
    NOXMK_PROBE_CWD      the project folder                NOXMK_PROBE_UNSET  more names to take out
The exit status is 0 when the facts are written, nox's own (1, 2, 3) when it cannot load the
noxfile, and 97 when this nox is unknown to us. The facts are one JSON object, ASCII, without NUL or
lone surrogates:
    schema           1                            posargs      []
    nox, python      nox's version, its python    path         its sys.path
    noxfile, envdir  absolute                     args         options in the user's nox command
    queue            what plain `nox` runs, in its order
    queue_error      why it cannot, or null
    fail_fast        stop_on_first_error, of the noxfile or as -x
    depends          the files that all this rests on
    environ          the variables that the noxfile asked for: their values
    config           the table [tool.noxmk] of pyproject.toml, or null; a date, and a number that
                     JSON does not have, is its text
    config_error     why that table cannot be read, or null
    sessions         in definition order, each with
        index, name (base name), session (friendly name), signatures, description, tags, line,
        python, envdir (null: no environment), reuse, backend, parallel (allow_parallel= if
        given, else null), requires, requires_error, notifies (as far as constants show). A
        reference to a session is its index.
This was tried with every release from 2022.11.21 to 2026.10.20.
"""

from __future__ import annotations

import contextlib
import glob
import importlib
import importlib.util
import io
import json
import os
import re
import sys
import traceback


def clean(value: object) -> object:
    """The value with all its text as strict JSON parsers take it."""
    if isinstance(value, str):
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, (int, float)) and not -(2**63) <= value < 2**63:
        return str(value)
    return [clean(item) for item in value] if isinstance(value, list) else value


def call_nox(step, *args, **kwargs):
    """Call a task of nox. What fails inside is the noxfile's fault, and shown as nox does it."""
    try:
        return step(*args, **kwargs)
    except Exception as error:
        frames = error.__traceback__.tb_next
        if frames is None:  # the call itself failed: nox's parameters are not what we think
            raise
        traceback.print_exception(type(error), error, frames)
        raise SystemExit(1) from None
    except SystemExit as error:
        if error.code in (None, 0):  # this would look as if facts had been written
            print("noxmk: the noxfile calls exit() while it is loaded", file=sys.stderr)
            raise SystemExit(1) from None
        raise


class OpenedFiles:
    """The files that are opened for reading from now on; the audit hook cannot be taken back."""

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self.active = True
        sys.addaudithook(self.note)

    def note(self, event: str, args: tuple) -> None:
        if event != "open" or not self.active or not isinstance(args[0], (str, bytes, os.PathLike)):
            return
        path, mode, flags = args  # os.open() has no mode
        reads = flags & os.O_ACCMODE != os.O_WRONLY if mode is None else mode[:1] == "r"
        if reads:
            with contextlib.suppress(OSError):  # the working directory may be gone
                self.paths[os.path.abspath(os.fsdecode(path))] = None

    def below(self, roots: list[str], skipped: list[str]) -> list[str]:
        found = []
        for path in self.paths:
            source = path
            with contextlib.suppress(ValueError):  # for a cached module, its source counts
                source = importlib.util.source_from_cache(path)
            if lies_in(source, roots) and not lies_in(source, skipped):
                found.append(source)
        return [path for path in found if not path.endswith(".pyc") and os.path.isfile(path)]


class AskedVariables:
    """The environment variables that the project's own code asks for from now on."""

    def __init__(self, roots: list[str]) -> None:
        self.names: dict[str, None] = {}
        self.active = True
        self.roots = roots
        self.before = dict(os.environ)
        kind = type(os.environ)
        original = kind.__getitem__  # get() and `in` call it as well

        def getitem(environ, name):
            if self.active and isinstance(name, str) and self.is_of_project(sys._getframe(1)):
                self.names[name] = None
            return original(environ, name)

        kind.__getitem__ = getitem

    def is_of_project(self, frame) -> bool:
        # The frames of os.getenv() and of the mapping's own methods do not count.
        while frame and frame.f_code.co_filename.endswith(("os.py", "abc.py", "os>", "abc>")):
            frame = frame.f_back
        name = frame.f_code.co_filename if frame else ""
        return lies_in(name, self.roots) and "site-packages" not in name

    def values(self) -> dict[str, str]:
        """NAME -> value, for the names that make can compare."""
        of_make = "MAKE|MFLAGS|NOXMK_|(SHELL|CURDIR|VPATH|SUFFIXES)$"  # make sets these itself
        secret = "TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH"  # these must not be written down
        values = {
            name: self.before.get(name, "")
            for name in self.names
            if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
            and not re.match(of_make, name)
            and not re.search(secret, name.upper())
        }
        return {name: value for name, value in values.items() if clean(value) == value}


def lies_in(path: str, folders: list[str]) -> bool:
    return any(path.startswith(folder + os.sep) for folder in folders)


def nox_metadata(package: str) -> str:
    """A file that vanishes when another nox is installed."""
    site = glob.escape(os.path.dirname(os.path.dirname(os.path.abspath(package))))
    found = [*glob.glob(f"{site}/nox-[0-9]*/METADATA"), *glob.glob(f"{site}/nox-[0-9]*/PKG-INFO")]
    return found[0] if found else os.path.abspath(package)


def constants(code) -> list[str]:
    """The string constants of a function that names notify, and of those inside it."""
    found: list[str] = []
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            found += constants(constant)
        elif "notify" in code.co_names:
            items = constant if isinstance(constant, (tuple, frozenset)) else [constant]
            found += [item for item in items if isinstance(item, str)]
    return found


def toml_loads():
    """A parser of TOML: Python's own since 3.11, the one that nox brought before, or pip's."""
    for module in ("tomllib", "tomli", "pip._vendor.tomli"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(module).loads
    return None


def read_config(path: str) -> tuple[object, str | None]:
    """The table [tool.noxmk] of that file as JSON has it, or why it cannot be read."""
    if not os.path.isfile(path):
        return None, None
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    if b"noxmk" not in raw:  # then whatever is wrong with the file is not about us
        return None, None
    loads = toml_loads()
    if loads is None:
        if b"tool.noxmk" not in raw:
            return None, None
        return None, f"tool.noxmk: {sys.executable} cannot read TOML: install tomli there"
    try:
        tool = loads(raw.decode("utf-8")).get("tool")
        table = tool.get("noxmk") if isinstance(tool, dict) else None
        return json.loads(json.dumps(clean(table), default=str)), None  # str makes text of dates
    except Exception as error:  # noqa: BLE001  a hostile file can raise RecursionError, too
        return None, f"{error or type(error).__name__}"


def describe(runner, config, index: dict, named: dict[str, int]) -> dict[str, object]:
    func = runner.func
    backend = config.force_venv_backend or func.venv_backend or config.default_venv_backend
    bare = backend == "none" or func.python is False
    if hasattr(runner, "reuse_existing_venv"):
        reuse = runner.reuse_existing_venv()
    else:  # nox before 2024.03.02
        reuse = func.reuse_venv or config.reuse_existing_virtualenvs

    parallel = getattr(func, "allow_parallel", None)

    requires, requires_error = {}, None
    try:
        if getattr(func, "_requires", None):
            requires = {index[other]: None for other in runner.get_direct_dependencies()}
    except (KeyError, ValueError) as error:  # an unknown name, or {python} where there is none
        requires_error = str(error.args[0])

    layers = [func]  # the wrappers of nox, the decorators of the user, the session function
    while hasattr(layers[-1], "__wrapped__"):
        layers.append(layers[-1].__wrapped__)
    codes = [layer.__code__ for layer in layers if hasattr(layer, "__code__")]
    notifies = {named[text]: None for code in codes for text in constants(code) if text in named}
    notifies.pop(index[runner], None)  # nothing comes of it when a session notifies itself

    return {
        "index": index[runner],
        "name": runner.name,
        "session": runner.friendly_name,
        "signatures": list(runner.signatures),
        "description": str(runner.description or ""),
        "tags": [str(tag) for tag in runner.tags],
        "line": next((c.co_firstlineno for c in codes if c.co_filename == config.noxfile), None),
        "python": func.python if isinstance(func.python, str) else None,
        "envdir": None if bare else os.path.abspath(runner.envdir),
        "reuse": None if bare else bool(reuse),
        "backend": backend,
        "parallel": None if parallel is None else bool(parallel),
        "requires": list(requires),
        "requires_error": requires_error,
        "notifies": list(notifies),
    }


def select(manifest, config, index: dict, nox) -> tuple[list[int], str | None]:
    """What plain `nox` would run, or why it would not."""
    complaints: list[str] = []

    def keep(record) -> bool:
        complaints.append(record.getMessage())
        return False  # so it does not reach the log: the caller decides who is to see it

    config.list_sessions = False  # when it lists, nox does not mind an empty selection
    nox.logger.logger.addFilter(keep)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # without default sessions nox lists all
            verdict = nox.tasks.filter_manifest(manifest, global_config=config)
    except Exception as error:  # noqa: BLE001  the user's keywords and requires= can raise
        return [], f"{type(error).__name__}: {error}"
    finally:
        nox.logger.logger.removeFilter(keep)
    if isinstance(verdict, int):
        return [], " ".join(complaints) if verdict else None
    return [index[runner] for runner in manifest._queue], None


def probe(noxfile: str, project: str) -> dict[str, object]:
    import nox._options
    import nox._version
    import nox.logger
    import nox.tasks

    args = [arg for arg in sys.argv[1:] if arg != "-l"]
    while "-f" in args:  # it is there twice if nox has re-executed itself
        del args[args.index("-f") : args.index("-f") + 2]
    os.chdir(project)  # nox has moved to the probe's folder; the user's paths start from here
    sys.argv[1:] = [*args, "-f", noxfile, "-l"]
    config = nox._options.options.parse_args()
    path = list(sys.path)

    home = os.path.dirname(os.path.abspath(config.noxfile))
    roots = list({project: None, os.path.realpath(project): None, home: None})
    opened, asked = OpenedFiles(), AskedVariables(roots)
    module = call_nox(nox.tasks.load_nox_module, global_config=config)
    opened.active = asked.active = False
    if isinstance(module, int):
        raise SystemExit(module)
    call_nox(nox.tasks.merge_noxfile_options, module, global_config=config)
    manifest = call_nox(nox.tasks.discover_manifest, module, global_config=config)

    home = os.path.dirname(config.noxfile)  # nox has made the path absolute meanwhile
    os.chdir(home)  # envdir is relative to where sessions run, and the noxfile may have moved us
    runners = [runner for runner, _ in manifest.list_all_sessions()]
    index = {runner: position for position, runner in enumerate(runners)}
    named: dict[str, int] = {}  # session.notify() takes the first that bears the name
    for runner in runners:
        for name in [runner.name, *runner.signatures]:
            named.setdefault(name, index[runner])

    envdir = os.path.abspath(config.envdir)
    skipped = [envdir, *(os.path.join(root, ".nox") for root in roots)]
    if lies_in(sys.prefix, roots):  # this is nox's own environment; nox_metadata stands for it
        skipped.append(sys.prefix)
    depends = [config.noxfile, *opened.below(roots, skipped)]
    depends += filter(os.path.isfile, [os.path.join(project, "pyproject.toml")])
    depends += [sys.executable, nox_metadata(nox.__file__)]
    nox.logger.logger.disabled = True  # old releases would warn of hashed folder names
    sessions = [describe(runner, config, index, named) for runner in runners]
    nox.logger.logger.disabled = False
    queue, queue_error = select(manifest, config, index, nox)
    table, table_error = read_config(os.path.join(project, "pyproject.toml"))
    return {
        "schema": 1,
        "nox": nox._version.get_nox_version(),
        "python": sys.executable,
        "path": path,
        "args": args,
        "noxfile": config.noxfile,
        "envdir": envdir,
        "depends": list(dict.fromkeys(depends)),
        "environ": asked.values(),
        "config": table,
        "config_error": table_error,
        "queue": queue,
        "queue_error": queue_error,
        "fail_fast": bool(getattr(config, "stop_on_first_error", False)),
        "posargs": [],
        "sessions": sessions,
    }


def main() -> None:
    noxfile, project, out = (
        os.environ.pop(f"NOXMK_PROBE_{name}") for name in ("NOXFILE", "CWD", "OUT")
    )
    for name in os.environ.pop("NOXMK_PROBE_UNSET", "").split(","):
        os.environ.pop(name, None)
    try:
        os.dup2(2, 1)  # the reader of our standard output must not see what the noxfile prints
        facts = json.dumps(clean(probe(noxfile, project)))
        with open(out + ".part", "w", encoding="ascii") as file:
            file.write(facts + "\n")
        os.replace(out + ".part", out)
    except Exception as error:  # noqa: BLE001  a future nox may fail in any way
        print(
            f"noxmk: cannot probe with this nox: {type(error).__name__}: {error}", file=sys.stderr
        )
        raise SystemExit(97) from None
    raise SystemExit(0)


main()
