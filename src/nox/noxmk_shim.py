"""Runs exactly one session of a noxfile, in this process, as `nox -s` would.

    PYTHON -u shim.py -f NOXFILE -s SELECTOR --report FILE --non-interactive [-- POSARGS]

make has decided what runs. nox's command line has no words for that: it selects by name (which need
not be unique, nor the same in two processes), nox.options filter further, requires= and
session.notify() run other sessions too, and nox's report cannot hold every parameter. So this
patches nox, then calls its main(). It was tried with every release from 2022.11.21 to 2026.10.20.

These variables are taken out of the environment before anything of the user's runs:
    NOXMK_SHIM_NAME        the session's base name
    NOXMK_SHIM_TWIN        which of the sessions of that name it is, from 0 on: see name_of
    NOXMK_SHIM_TWINS       how many of them there are
    NOXMK_SHIM_INDEX       its position in definition order, as the probe has listed it
    NOXMK_SHIM_DATE        the date of the noxfile then, in nanoseconds
    NOXMK_SHIM_PATH        sys.path of the nox that the probe ran in, joined by os.pathsep
    NOXMK_SHIM_HELPER      noxmk, which starts a make so that it shares job tokens; may be absent
    NOXMK_SHIM_ASK         the descriptor to ask the helper by (session/ask.h); may be absent
    NOXMK_SHIM_GATE        commands wait at the helper's gate (gate.py): names of the variables that
                           tell them of processors; may be absent
    NOXMK_SHIM_BUILDS      the folder for the session's builds of the project (building.py); may be
                           absent
    NOXMK_SHIM_INVOKED_FROM  the folder that make runs in, if it is another; may be absent
    NOXMK_SHIM_GLOBALS     what it takes and leaves of variables (handover.py); may be absent
    NOXMK_SHIM_ZYGOTE      fork sessions (zygote.py, with _KEEPER, _LIKENESS); may be absent
The exit status is nox's own. The report is ASCII JSON without NUL or lone surrogates:
    {"schema": 1, "result": 0 or 1,
     "sessions": [{"name", "result", "reason", "duration", "reused", "steps", "more_steps"}],
     "notify": [{"index", "session", "posargs"}]}
or, where the noxfile has no such session any more, {"schema": 1, "result": 0, "gone": true}. While
the session runs there are notes:
    {"sessions": [{"began": Unix time, "waited", "steps", "more_steps"}]}
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import threading
import time


def clean(value: object) -> str:
    """The value's text as strict JSON parsers take it: bytes that are no text become escapes."""
    return str(value).replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def text_of(word: object) -> str:
    """What people call a word of a command; a word of a noxfile may be anything."""
    try:
        name = getattr(word, "__name__", None)
        return name if isinstance(name, str) else str(word)
    except Exception:
        return "?"


def warn(text: str) -> None:
    print(f"noxmk: {text}", file=sys.stderr)


def load(name: str, here: str):
    """Import our NAME.py from that folder, under a name that nobody else uses."""
    import importlib.util  # nox has imported it by now

    ours = f"_noxmk_{name}"
    if ours not in sys.modules:
        spec = importlib.util.spec_from_file_location(ours, os.path.join(here, f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        # A session's threads may come here at once: none may find a module that is half there.
        sys.modules.setdefault(ours, module)
    return sys.modules[ours]


@contextlib.contextmanager
def replaced(values: dict[str, str | None], *environments):
    """Set the variables in the environments for a while, or unset them."""
    old = [({n: environment.get(n) for n in values}, environment) for environment in environments]
    for _, environment in old:
        put(values, environment)
    try:
        yield
    finally:
        for was, environment in old:
            put(was, environment)


def put(values: dict[str, str | None], environment) -> None:
    """None is to be none. A variable is never away between: other threads may copy all of them."""
    for name, value in values.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value


class Helper:
    """The helper, who is asked by a descriptor: see session/ask.h.

    The noxfile may have closed it, and opened something of its own under that number. It may also
    run commands from several threads, of which one asks at a time: answers bear no names.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self.descriptor = descriptor
        self.identity = self.identify()
        self.lock = threading.Lock()
        self.waited = 0.0  # seconds
        self.log = None  # nox's

    def identify(self) -> tuple[int, int]:
        status = os.fstat(self.descriptor)
        return status.st_dev, status.st_ino

    def leave(self) -> None:
        """Ask nothing any more; the helper does not wait for us either."""
        with contextlib.suppress(OSError):
            if self.identify() == self.identity:
                os.close(self.descriptor)
        self.descriptor = -1

    def tell(self, text: str) -> bool:
        try:
            if self.identify() != self.identity:
                return False
            os.write(self.descriptor, text.encode("ascii", "replace"))
        except OSError:
            return False
        return True

    def ask(self, question: str) -> int:
        """Wait for the answer: how many processors to tell of. 0: the helper does not say."""
        started = time.perf_counter()
        with self.lock:
            try:
                return self.listen(question) if self.tell(question) else 0
            except (OSError, ValueError, IndexError):
                return 0
            except BaseException:  # of a signal: the answer would be taken for that to the next one
                self.leave()
                raise
            finally:
                self.waited += time.perf_counter() - started

    def listen(self, question: str) -> int:
        answer = os.read(self.descriptor, 64)
        if answer == b"wait":
            what = "another session that builds in the source tree"
            self.log.info(f"noxmk: waits for {what if question == 'build' else 'processors'}")
            answer = os.read(self.descriptor, 64)
        return int(answer.split()[1])


class Steps:
    """What the session does, one step after the other, and how long each takes.

    A step is the making of its environment, or a command: {"kind": "environment", "install" or
    "run", "command", "exit": its code or None, "started": Unix time, "seconds", "waited": at the
    helper's, besides these}, without "seconds" until it ends. No word of a command is cut, as it
    may be a secret that the helper knows only as a whole. Behind the first so many there are only
    sums, in "more_steps": how many they are, and their seconds by kind.
    """

    MOST, COMMAND_MOST = 200, 1000
    INSTALLERS = {"pip", "uv", "poetry", "pdm", "conda", "mamba"}

    def __init__(self, helper: Helper | None, room: str) -> None:
        self.helper, self.room = helper, room
        self.began = time.time()  # of the session
        self.list: list[dict[str, object]] = []
        self.more = {"steps": 0, "install": 0.0, "run": 0.0}  # than are in there
        self.noted = 0.0
        self.here = threading.local()  # a step within a step is none

    def apply(self) -> None:
        import nox.command
        import nox.sessions

        session_class, runner_class = nox.sessions.Session, nox.sessions.SessionRunner
        popen, create = nox.command.popen, runner_class._create_venv

        def popen_and_note(*args, **options):
            result = popen(*args, **options)
            self.here.exit = result[0]
            return result

        def create_venv(runner):
            with self.step("environment", []) as step:
                result = create(runner)
                venv = runner.venv
                if not getattr(venv, "is_sandboxed", False):
                    self.list.remove(step)
                backend = getattr(venv, "venv_backend", getattr(venv, "venv_or_virtualenv", "?"))
                reused = getattr(venv, "_reused", False)
                step["command"] = "reused" if reused else f"created by {backend}"
                return result

        def wrap(original, kind, words):
            def command(session, *args, **kwargs):
                if not args or getattr(self.here, "busy", False):
                    return original(session, *args, **kwargs)
                with self.step(kind, [*words, *args]):
                    return original(session, *args, **kwargs)

            command.__doc__ = original.__doc__
            return command

        kinds = {"run": ("run", []), "run_always": ("run", []), "run_install": ("install", [])}
        kinds["install"] = kinds["conda_install"] = ("install", ["install"])
        nox.command.popen = popen_and_note
        runner_class._create_venv = create_venv
        for name, (kind, words) in kinds.items():
            if hasattr(session_class, name):
                setattr(session_class, name, wrap(getattr(session_class, name), kind, words))

    @contextlib.contextmanager
    def step(self, kind: str, words: list[object]):
        texts = [text_of(word) for word in words]
        if self.INSTALLERS & set(texts[:3]) and {"install", "sync"} & set(texts[1:4]):
            kind = "install"
        step: dict[str, object] = {"kind": kind, "command": self.join(texts), "exit": None}
        step.update(started=time.time(), waited=0.0)
        began, waited = time.perf_counter(), self.helper.waited if self.helper else 0.0
        self.here.busy, self.here.exit = True, None
        is_kept = len(self.list) < self.MOST
        if is_kept:
            self.list.append(step)
            self.note()
        try:
            yield step
        finally:
            self.here.busy, step["exit"] = False, self.here.exit
            step["waited"] = round(self.helper.waited - waited if self.helper else 0.0, 6)
            if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
                step["seconds"] = round(time.perf_counter() - began - step["waited"], 6)
            if not is_kept:
                self.more["steps"] += 1
                self.more[kind] += step.get("seconds", 0.0)
            if is_kept or time.perf_counter() - self.noted > 1:
                self.note()

    def note(self) -> None:
        """Put what is known by now into the report's room, up to a NUL: who is killed reports not.

        The room is opened anew, as sessions close descriptors; one may put anything in its place.
        """
        import json  # nox has imported it by now

        waited, self.noted = self.helper.waited if self.helper else 0.0, time.perf_counter()
        notes = {"sessions": [{"began": self.began, "waited": waited, "steps": self.list,
                               "more_steps": self.more}]}
        with contextlib.suppress(OSError, RuntimeError):  # threads may change the list
            room = os.open(self.room, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(room, "wb", buffering=0) as file:
                file.write(json.dumps(notes).encode("ascii") + b"\0")

    def join(self, words: list[str]) -> str:
        text = ""
        for word in words:
            if len(text) + len(word) > self.COMMAND_MOST:
                return clean(f"{text} …")
            text += f" {word}" if text else word
        return clean(text)


# From so many sessions of one function on, its commands are worth to be asked for.
SIBLINGS = 3


def name_of(session) -> tuple[str, str]:
    """By what a session is found; probe.py counts those that have the same.

    An object that shows its address (<object at 0x7f12>) has another one in each process.
    """
    longest = max([session.friendly_name, *session.signatures], key=len)
    return clean(session.name), re.sub(" at 0x[0-9a-fA-F]+", "", clean(longest))


class Shim:
    """The patches of nox, and what they find out about the session."""

    def __init__(self, told: dict[str, str], selector: str, helper: Helper | None) -> None:
        self.name, self.selector, self.helper = told["NAME"], selector, helper
        self.number = {what: int(told[what]) for what in ("TWIN", "TWINS", "INDEX", "DATE")}
        self.invoked_from = told.get("INVOKED_FROM")
        self.outer_mode = os.environ.get("NOX_SCRIPT_MODE")
        self.manifest = None
        self.error = ""
        self.duration = 0.0
        self.gate = None
        self.has_siblings = False
        self.report = sys.argv[sys.argv.index("--report") + 1]
        self.steps = Steps(helper, self.report)

    def apply(self) -> None:
        import nox.logger
        import nox.manifest
        import nox.sessions
        import nox.tasks

        # All names are looked up before any is replaced: a nox that lacks one stays as it is.
        log = self.log = nox.logger.logger
        if self.helper:
            self.helper.log = log
        self.nox_filter, self.nox_report = nox.tasks.filter_manifest, nox.tasks.create_report
        nox_next, nox_execute = nox.manifest.Manifest.__next__, nox.sessions.SessionRunner.execute

        def next_session(manifest):
            if manifest is self.manifest and manifest._consumed:
                raise StopIteration
            return nox_next(manifest)

        def execute(runner):
            log.addFilter(self.note_error)
            started, self.steps.began = time.perf_counter(), time.time()
            result = nox_execute(runner)
            self.duration = time.perf_counter() - started
            log.removeFilter(self.note_error)
            return result

        # The session is selected by position: its name can be ambiguous, or another one in each
        # process.
        nox.tasks.filter_manifest = self.filter_manifest
        # nox raises TypeError on parameters unknown to JSON, after the session has passed.
        nox.tasks.create_report = self.create_report
        # make runs what the session notifies, so that stays in the queue, for our report. nox
        # itself still resolves the name, and complains about unknown ones.
        nox.manifest.Manifest.__next__ = next_session
        # Only nox's log says why a command failed, and old releases measure no durations.
        nox.sessions.SessionRunner.execute = execute

    def hand_makes_over(self, helper: str) -> None:
        """On PATH `make` is noxmk already (submake.h); this is for one named by its path."""
        import nox.command

        popen = nox.command.popen

        def popen_or_hand_over(args, *more, **options):
            if os.path.basename(args[0]) in ("make", "gmake"):
                args = [helper, "submake", *args]
            return popen(args, *more, **options)

        nox.command.popen = popen_or_hand_over

    def wait_at_gate(self, ours: dict[str, str], here: str) -> None:
        """Ask the helper before each command; ours: the variables that it has set, as it has."""
        import nox.sessions

        session_class = nox.sessions.Session

        def wrap(original, program):
            def command(session, *args, **kwargs):
                if not args or callable(args[0]):
                    return original(session, *args, **kwargs)
                self.gate = self.gate or load("gate", here)
                venv = getattr(session._runner, "venv", None)
                own = getattr(venv, "env", None) or {}  # see building.py
                given = {**os.environ, **own, **(kwargs.get("env") or {})}
                environment = {name: value for name, value in given.items() if value is not None}
                words = [*program, *(str(arg) for arg in args)]
                location = getattr(venv, "location", None)
                asked = self.gate.question(words, environment, location, self.has_siblings, ours)
                told = self.helper.ask(asked)
                settings = self.gate.settings(asked, told, ours, environment)
                with replaced(settings, os.environ, own):
                    return original(session, *args, **kwargs)

            command.__doc__ = original.__doc__
            return command

        programs = {"run": [], "run_always": [], "run_install": [], "install": ["pip"]}
        for name, program in programs.items():
            if hasattr(session_class, name):
                setattr(session_class, name, wrap(getattr(session_class, name), program))

    def hand_over(self, globals_: str, report: str, here: str) -> None:
        """Let the session take the variables that others have left, and leave its own."""
        import nox.sessions

        handover = load("handover", here).Handover(globals_, report)
        result, failed = nox.sessions.Result, nox.sessions.Status.FAILED
        execute = nox.sessions.SessionRunner.execute

        def execute_between(runner):
            try:
                handover.take()
            except ValueError as error:
                self.log.error(f"noxmk: {error}")
                return result(runner, failed, f"{error}")
            try:
                return execute(runner)
            finally:
                handover.leave()

        nox.sessions.SessionRunner.execute = execute_between

    def filter_manifest(self, manifest, global_config):
        """Select our session and only it; this takes the place of nox's own selection."""
        if self.invoked_from:
            global_config.invoked_from = self.invoked_from
        self.settle_script_mode()
        try:
            session = self.find(manifest._all_sessions, global_config.noxfile)
            if session is None:
                self.log.error(f"noxmk: the noxfile has no session {self.selector} any more")
                self.write_report({"schema": 1, "result": 0, "gone": True}, global_config)
                return 3
            manifest._queue[:] = [session]
            same = [one for one in manifest._all_sessions if one.name == session.name]
            self.has_siblings = len(same) >= SIBLINGS
            # make has run what the session requires; nox would run that again, or miss its results.
            if hasattr(session.func, "_requires"):
                session.func._requires = []
            # nox.options.parallel would start nox again, by a scheduler, for this one session.
            if getattr(global_config, "parallel", None):
                global_config.parallel = 1
        except (AttributeError, TypeError) as error:
            warn(f"this nox is unknown to us ({error}); it selects the session by its name")
            if hasattr(global_config, "no_dependencies"):
                global_config.no_dependencies = True
            return self.nox_filter(manifest, global_config)
        self.manifest = manifest
        return manifest

    def settle_script_mode(self) -> None:
        """Set the environment as nox would have, once its main() has read NOX_SCRIPT_MODE."""
        if os.path.basename(sys.prefix) == "_nox_script_mode":
            return  # a nox that re-executes itself for a PEP 723 noxfile leaves the mode at none
        if self.outer_mode is None:
            del os.environ["NOX_SCRIPT_MODE"]
        else:
            os.environ["NOX_SCRIPT_MODE"] = self.outer_mode

    def find(self, sessions, noxfile):
        """The session by its name, wherever it is now; of twins, the one in the same place.

        A name that is another one in each process is found by its position, but only if the noxfile
        is the one that was planned.
        """
        name = self.name, re.sub(" at 0x[0-9a-fA-F]+", "", self.selector)
        same = [session for session in sessions if name_of(session) == name]
        if len(same) == self.number["TWINS"]:
            return same[self.number["TWIN"]]
        index = self.number["INDEX"]
        if not same and index < len(sessions) and clean(sessions[index].name) == self.name:
            if os.stat(noxfile).st_mtime_ns == self.number["DATE"]:
                return sessions[index]
        return None

    def note_error(self, record) -> bool:
        if record.levelname == "ERROR" and record.exc_info:
            self.error = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"
        elif record.levelname == "ERROR":
            text = record.getMessage()  # since 2025.10 it may be what a silent command has written
            if text.startswith(("Command ", "Program ", "Error: ")):
                self.error = text.rstrip(":")
        return True

    def create_report(self, results, global_config):
        if self.manifest is None:
            return self.nox_report(results, global_config)
        report = {
            "schema": 1,
            "result": int(all(results)),
            "sessions": [self.describe(result) for result in results],
            "notify": [self.notified(runner, global_config) for runner in self.manifest._queue],
        }
        self.write_report(report, global_config)
        return results

    def write_report(self, report, global_config) -> None:
        import json  # nox has imported it by now

        text = (json.dumps(report) + "\n").encode("utf-8")
        part = f"{global_config.report}.part"
        try:
            with open(part, "wb") as file:
                file.write(text)
            os.replace(part, global_config.report)  # so readers see all of it, or nothing
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(part)
            self.write_into_room(report, global_config.report)

    def write_into_room(self, report, path: str) -> None:
        """Where the disk is full the report still has a room: noxreport.h."""
        import json

        for session in report.get("sessions", []):
            session.pop("steps", None)
            session.pop("more_steps", None)
        text = (json.dumps(report) + "\n").encode("utf-8")
        try:
            with open(path, "r+b") as file:
                file.write(text)
                file.truncate()
        except OSError as error:
            warn(f"cannot write the report: {error}")
            sessions = report.get("sessions")
            if self.helper and sessions:  # what it notifies cannot be told so
                result = "notifies" if report["notify"] else sessions[-1]["result"]
                self.helper.tell(f"unreported {result}")

    def describe(self, result) -> dict[str, object]:
        verdict = result.status.name.lower()
        reason = result.reason or (self.error if verdict == "failed" else None)
        venv = result.session.venv
        has_own_venv = getattr(venv, "is_sandboxed", False)
        return {
            "name": clean(result.session.friendly_name),
            "result": verdict,
            "reason": clean(reason) if reason else None,
            "duration": round(self.duration - (self.helper.waited if self.helper else 0), 6),
            "reused": bool(getattr(venv, "_reused", False)) if has_own_venv else None,
            "steps": self.steps.list,
            "more_steps": self.steps.more,
        }

    def notified(self, runner, global_config) -> dict[str, object]:
        # nox's default are the posargs of the whole run.
        has_own_posargs = list(runner.posargs) != list(global_config.posargs)
        posargs = [clean(argument) for argument in runner.posargs]
        return {
            "index": self.manifest._all_sessions.index(runner),
            "session": clean(runner.friendly_name),
            "posargs": posargs if has_own_posargs else None,
        }


def take_variables() -> dict[str, str]:
    """Those of the head, without what all their names begin with."""
    found = [name for name in os.environ if name.startswith("NOXMK_SHIM_")]
    return {name[len("NOXMK_SHIM_") :]: os.environ.pop(name) for name in found}


def read_words() -> str:
    """Make sys.argv what nox is to find there; the selector."""
    args = sys.argv[1:]
    at = args.index("-s")
    selector = args[at + 1]
    args[at : at + 2] = [f"--sessions={selector}"]  # the form that takes a leading dash
    sys.argv = ["nox", *args]
    return selector


def import_nox(path: str, here: str) -> None:
    # Imports are to find what they find under the user's nox command. Our own entries stay, but
    # last: a folder with a colon in its name does not come through the variable.
    wanted = path.split(os.pathsep) if path else []
    sys.path[:] = wanted + [entry for entry in sys.path if entry not in (here, *wanted)]

    # nox's modules stay until the end, and to look for garbage among them takes a sixth of nox's
    # start-up and exit. What the noxfile makes is collected as always.
    gc.disable()
    import nox.__main__  # noqa: F401

    if hasattr(gc, "freeze"):  # PyPy does not have it
        gc.freeze()
    gc.enable()


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    told, fork = take_variables(), None
    if "ZYGOTE" in told:
        fork, told = load("zygote", here).begin(told, here), take_variables()
    shim = Shim(told, read_words(), Helper(int(told["ASK"])) if "ASK" in told else None)
    # For a PEP 723 noxfile we are in the right environment already. Each nox of a parallel make
    # would check that environment again, and perhaps install into it.
    os.environ["NOX_SCRIPT_MODE"] = "none"
    if fork:
        fork.apply()
    else:
        import_nox(told["PATH"], here)
    import nox.__main__

    try:
        shim.apply()
        if "HELPER" in told:
            shim.hand_makes_over(told["HELPER"])
        if "BUILDS" in told:
            load("building", here).keep_apart(told["BUILDS"], shim.helper, shim.log)
        if shim.helper and "GATE" in told:
            names = told["GATE"].split()
            shim.wait_at_gate({n: os.environ[n] for n in names if n in os.environ}, here)
        with contextlib.suppress(AttributeError, ImportError):
            shim.steps.apply()  # all that is lost is how long they take
        if "GLOBALS" in told:
            shim.hand_over(told["GLOBALS"], shim.report, here)
    except (AttributeError, ImportError) as error:
        warn(f"this nox is unknown to us ({error}); it runs as it is")
        known = nox._options.options.parser().format_help()
        wanted = {"--no-dependencies": "--no-dependencies", "--parallel": "--parallel=1"}
        sys.argv[1:1] = [wanted[option] for option in wanted if option in known]
    load("ending", here).run(nox.__main__.main, shim, fork)
