"""Finds out all facts about a noxfile. The probe is itself a noxfile, run as `nox -f probe.py -l`.

So it runs in nox's own interpreter, wherever that is (pipx, conda, Debian, PEP 723), and nox's own
code loads the user's noxfile and selects sessions. The helper may run a copy with the PEP 723 block
of the user's noxfile on top, because nox looks for one in the file that it is given.

These variables are taken out of the environment before the user's noxfile is loaded:
    NOXMK_PROBE_NOXFILE  the user's noxfile, as given      NOXMK_PROBE_OUT    the JSON file to write
    NOXMK_PROBE_CWD      the project folder                NOXMK_PROBE_UNSET  more names to take out
    NOXMK_PROBE_HELPER   the process number of the helper
    NOXMK_PROBE_SHARE    the folder of inputs.py and coupling.py
The exit status is 0 when the facts are written, nox's own (1, 2, 3) when it cannot load the
noxfile, 96 when it has told the user that the nox command cannot be, and 97 when this nox is
unknown to us. The facts are one JSON object, ASCII, without NUL or lone surrogates:
    schema           1                            posargs      []
    nox, python      nox's version, its python    path         its sys.path
    noxfile, envdir  absolute                     args         options in the user's nox command
    queue            what plain `nox` runs, in its order
    queue_error      why it cannot, or null
    pythons          what nox.options.pythons, -p or NOXPYTHON narrow every selection to; or []
    fail_fast        stop_on_first_error, of the noxfile or as -x
    inputs           what all this rests on: the head of inputs.py has the format
    asked            the names of variables that the noxfile asked for
    volatile         what it rests on that cannot be looked at again ("the clock"), or null
    forkable         whether one process will probably do for all sessions: see zygote.py
    environ          all variables that nox was started with, but for values that are not UTF-8
    config           the table [tool.noxmk] of pyproject.toml, or null; a date, and a number that
                     JSON does not have, is its text
    config_error     why that table cannot be read, or null
    sessions         in definition order, each with
        index, name (base name), session (friendly name), twin ([1, 2]: the second of two that
        shim.py cannot tell apart by their names), signatures, description, tags, line,
        python, envdir (null: no environment), reuse, backend, parallel (allow_parallel= if
        given, else null), requires, requires_error, notifies (as far as constants show), and what
        coupling.py finds: ties, leaves. A reference to a session is its index.
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
import threading
import time
import traceback

LONG = 2.0  # seconds: a noxfile that takes so long to load is none for sessions to wait for


def clean(value: object) -> object:
    """The value with all its text as strict JSON parsers take it."""
    if isinstance(value, str):
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, (int, float)) and not -(2**63) <= value < 2**63:
        return str(value)
    return [clean(item) for item in value] if isinstance(value, list) else value


def complain(text: str) -> None:
    print(f"noxmk: {text}", file=sys.stderr)


def is_clean(*texts: str) -> bool:
    return all(clean(text) == text for text in texts)


def load_inputs(share: str):
    """inputs.py, which lies where the helper says: this file may be a copy."""
    path = os.path.join(share, "inputs.py")
    spec = importlib.util.spec_from_file_location("_noxmk_inputs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
            complain("the noxfile calls exit() while it is loaded")
            raise SystemExit(1) from None
        raise


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


def couple(sessions: list[dict], runners: list, roots: list[str], path: str) -> None:
    """Add what ties the sessions to each other (coupling.py). If that fails, nothing is known."""
    ties = leaves = [[] for _ in runners]
    try:
        spec = importlib.util.spec_from_file_location("_noxmk_coupling", path)
        coupling = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(coupling)
        ties, leaves = coupling.ties_of([runner.func for runner in runners], roots)
    except Exception as error:  # noqa: BLE001  the objects of a noxfile can be of any kind
        print(f"noxmk: coupling: {type(error).__name__}: {error}", file=sys.stderr)
    for session, tie, left in zip(sessions, ties, leaves):
        session["ties"], session["leaves"] = tie, left


def count_twins(sessions: list[dict]) -> None:
    """Say of each which of how many it is: see name_of in shim.py."""
    seen: dict[tuple, list[dict]] = {}
    for session in sessions:
        longest = max([session["session"], *session["signatures"]], key=len)
        name = clean(session["name"]), re.sub(" at 0x[0-9a-fA-F]+", "", clean(longest))
        seen.setdefault(name, []).append(session)
    for twins in seen.values():
        for position, session in enumerate(twins):
            session["twin"] = [position, len(twins)]


def seems_forkable() -> bool:
    """Would zygote.py fork what is loaded here? It refuses this for more reasons than these."""
    is_new = sys.version_info >= (3, 9)
    return is_new and threading.active_count() == 1 and "numpy" not in sys.modules


def look_on(config, project: str, state: str, share: str) -> tuple[list[str], object]:
    """The project's folders, and the inputs that are to be seen while its noxfile is loaded."""
    module = load_inputs(share)
    roots, skipped = module.places(config.noxfile, project, state, config.envdir or ".nox")
    inputs = module.Inputs(roots, skipped, [__file__])
    inputs.add_file(os.path.abspath(config.noxfile))
    inputs.add_file(os.path.join(project, "pyproject.toml"))
    return roots, inputs


def load_noxfile(config, inputs) -> tuple[object, bool]:
    """The module, or an exit code; and if one process will probably do for all sessions."""
    import nox.tasks

    inputs.start()
    start = time.monotonic()
    module = call_nox(nox.tasks.load_nox_module, global_config=config)
    seconds = time.monotonic() - start
    inputs.stop()
    return module, not inputs.volatile and seconds < LONG and seems_forkable()


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


def read_status(process: str) -> tuple:
    """What a command may change of a process besides variables."""
    umask = ""
    with open(f"/proc/{process}/limits", encoding="ascii") as file:
        limits = file.read()
    with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("Umask:"):
                umask = line
    pid = 0 if process == "self" else int(process)
    return os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), umask, limits


def warn_of_losses(helper: str) -> None:
    """Sessions are started beside NOX's command: they get the variables that it sets, no more."""
    names = ("the priority", "the processors", "the umask", "the limits")
    try:
        pairs = zip(names, read_status(helper), read_status("self"))
        changed = [name for name, before, now in pairs if before != now]
    except (OSError, ValueError):  # in a container there is no such process
        return
    if changed:
        what = ", ".join(changed)
        complain(f"NOX changes {what}, but of nox alone: to have that in sessions, start make so")


def refuse_options(args: list[str], state: str) -> list[str]:
    """The user's options, without what cannot hold when each session is a nox of its own."""
    kept: list[str] = []
    rest = iter(args)
    for arg in rest:
        option, equals, value = arg.partition("=")
        if arg in ("-l", "--list"):
            continue
        if option not in ("-f", "--noxfile", "--report"):
            kept.append(arg)
            continue
        value = value if equals else next(rest, "")
        if option == "--report":
            latest = os.path.relpath(os.path.join(state, "latest"))
            complain(f"NOX has --report {value}: that is not written, see {latest} instead")
        elif os.path.abspath(value) != os.path.abspath(__file__):
            complain(f"NOX has {option} {value}: set NOXMK_NOXFILE instead")
            raise SystemExit(96)
    return kept


def probe(noxfile: str, project: str, out: str, share: str) -> dict[str, object]:
    import nox._options
    import nox._version
    import nox.logger
    import nox.tasks

    os.chdir(project)  # nox has moved to the probe's folder; the user's paths start from here
    state = os.path.dirname(os.path.dirname(out))
    args = refuse_options(sys.argv[1:], state)
    sys.argv[1:] = [*args, "-f", noxfile, "-l"]
    config = nox._options.options.parse_args()
    path = list(sys.path)

    roots, inputs = look_on(config, project, state, share)
    module, forkable = load_noxfile(config, inputs)
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

    package = os.path.dirname(os.path.abspath(nox.__file__))
    for file in (sys.executable, nox_metadata(nox.__file__), os.path.dirname(package)):
        inputs.add_file(file)
    nox.logger.logger.disabled = True  # old releases would warn of hashed folder names
    sessions = [describe(runner, config, index, named) for runner in runners]
    nox.logger.logger.disabled = False
    couple(sessions, runners, roots, os.path.join(share, "coupling.py"))
    count_twins(sessions)
    queue, queue_error = select(manifest, config, index, nox)
    table, table_error = read_config(os.path.join(project, "pyproject.toml"))
    return {
        "schema": 1,
        "nox": nox._version.get_nox_version(),
        "python": sys.executable,
        "path": path,
        "args": args,
        "noxfile": config.noxfile,
        "envdir": os.path.abspath(config.envdir),
        "inputs": list(inputs.found.values()),
        "asked": list(inputs.variables),
        "volatile": inputs.volatile,
        "forkable": forkable,
        "config": table,
        "config_error": table_error,
        "queue": queue,
        "queue_error": queue_error,
        "pythons": [str(python) for python in config.pythons or []],
        "fail_fast": bool(getattr(config, "stop_on_first_error", False)),
        "posargs": [],
        "sessions": sessions,
    }


def main() -> None:
    if "NOXMK_PROBE_OUT" not in os.environ:
        complain("NOX empties the environment, which noxmk needs: `env -u NAME` unsets a variable")
        raise SystemExit(96)
    noxfile, project, out, share = (
        os.environ.pop(f"NOXMK_PROBE_{name}") for name in ("NOXFILE", "CWD", "OUT", "SHARE")
    )
    for name in os.environ.pop("NOXMK_PROBE_UNSET", "").split(","):
        os.environ.pop(name, None)
    warn_of_losses(os.environ.pop("NOXMK_PROBE_HELPER"))
    environ = {name: value for name, value in os.environ.items() if is_clean(name, value)}
    try:
        os.dup2(2, 1)  # the reader of our standard output must not see what the noxfile prints
        facts = json.dumps(clean({**probe(noxfile, project, out, share), "environ": environ}))
        with open(out + ".part", "w", encoding="ascii") as file:
            file.write(facts + "\n")
        os.replace(out + ".part", out)
    except Exception as error:  # noqa: BLE001  a future nox may fail in any way
        complain(f"cannot probe with this nox: {type(error).__name__}: {error}")
        raise SystemExit(97) from None
    raise SystemExit(0)


main()
