"""Runs exactly one session of a noxfile, in this process, as `nox -s` would.

    PYTHON -u shim.py -f NOXFILE -s SELECTOR --report FILE --non-interactive [-- POSARGS]

make has already decided what runs and in which order. nox's own command line cannot be told so: it
selects by name (names need not be unique, nor the same in two processes), nox.options of the noxfile
filter further, requires= and session.notify() run other sessions here, and its report breaks on
parameters that JSON cannot hold. So this launcher patches nox and then calls its main().

Environment, taken out before anything of the user's runs:
    NOXMK_SHIM_INDEX  the session's position in definition order, as the probe listed it
    NOXMK_SHIM_NAME   its base name: a different one there means that the noxfile has changed since
    NOXMK_SHIM_PATH   sys.path of the nox that the probe ran in, joined by os.pathsep

Exit status: nox's own. The report is one line of ASCII JSON without NUL or lone surrogates:
    {"schema": 1, "result": 0 or 1, "sessions": [{"name", "result", "reason", "duration", "reused"}],
     "notify": [{"index", "session", "posargs"}]}
Tried with every release from 2022.11.21 to 2026.10.20.
"""

from __future__ import annotations

import os
import sys
import time


def clean(value: object) -> str:
    """Text as strict JSON parsers take it: undecodable bytes and NUL become escapes to look at."""
    text = str(value).replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def set_path(recorded: str) -> None:
    """Make imports find what they find under the nox command that the user gave us."""
    here = os.path.dirname(os.path.abspath(__file__))
    own = [entry for entry in sys.path if entry != here]
    wanted = recorded.split(os.pathsep) if recorded else []
    # Our own entries stay behind the recorded ones: a folder with a colon in its name cannot be
    # told through one variable, and nox should still be found then.
    sys.path[:] = wanted + [entry for entry in own if entry not in wanted]


class ScriptMode:
    """PEP 723: nox re-executes itself in an environment of the noxfile's; we are in it already."""

    def __init__(self) -> None:
        self.outer = os.environ.get("NOX_SCRIPT_MODE")
        # Each nox of a parallel make would check that environment, and perhaps install into it.
        os.environ["NOX_SCRIPT_MODE"] = "none"

    def settle(self) -> None:
        """Once main() has read the variable: give sessions what they see under nox itself."""
        if os.path.basename(sys.prefix) == "_nox_script_mode":
            tools = os.path.dirname(sys.executable)
            os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])
            os.environ["VIRTUAL_ENV"] = sys.prefix
        elif self.outer is None:
            del os.environ["NOX_SCRIPT_MODE"]
        else:
            os.environ["NOX_SCRIPT_MODE"] = self.outer


class Shim:
    """The patches, and what they learn about the one session."""

    def __init__(self, index: int, name: str, selector: str) -> None:
        self.index, self.name, self.selector = index, name, selector
        self.script_mode = ScriptMode()
        self.manifest = None
        self.error = ""
        self.duration = 0.0

    def apply(self) -> None:
        import nox.logger
        import nox.manifest
        import nox.sessions
        import nox.tasks

        # All are looked up before any is replaced, so that a nox without one of them stays whole.
        self.logger = nox.logger.logger
        self.nox_filter = nox.tasks.filter_manifest
        self.nox_report = nox.tasks.create_report
        self.nox_next = nox.manifest.Manifest.__next__
        self.nox_execute = nox.sessions.SessionRunner.execute

        shim = self
        # By index, because names may be ambiguous or change from process to process.
        nox.tasks.filter_manifest = self.filter_manifest
        # nox dies on parameters that JSON cannot hold, after the session has passed.
        nox.tasks.create_report = self.create_report
        # Functions, not bound methods: as class attributes they are to get the nox object first.
        nox.manifest.Manifest.__next__ = lambda manifest: shim.next_session(manifest)
        nox.sessions.SessionRunner.execute = lambda runner: shim.execute(runner)
        # Old releases say only in their log why a session failed.
        self.logger.addFilter(self.note_error)

    def filter_manifest(self, manifest, global_config):
        """Put our session, and only it, on nox's queue."""
        self.script_mode.settle()
        try:
            session = self.find(manifest._all_sessions)
            if session is None:
                self.logger.error(
                    f"noxmk: session {self.selector} is not where it was: the noxfile has changed."
                )
                return 3
            manifest._queue[:] = [session]
            # make has run the prerequisites; nox would run them again or miss their results.
            if hasattr(session.func, "_requires"):  # the property without _ can raise
                session.func._requires = []
            # One session needs no scheduler (nox.options.parallel, NOX_PARALLEL).
            if getattr(global_config, "parallel", None):
                global_config.parallel = 1
        except (AttributeError, TypeError) as error:
            warn(error)
            return self.nox_filter(manifest, global_config)
        self.manifest = manifest
        return manifest

    def find(self, sessions):
        if self.index >= len(sessions) or clean(sessions[self.index].name) != self.name:
            return None
        found = sessions[self.index]
        if self.selector not in found.signatures:
            # Variants made from a set come in another order in each process; but then the names hold.
            same = [s for s in sessions if s.name == found.name and self.selector in s.signatures]
            if len(same) == 1:
                return same[0]
        return found

    def next_session(self, manifest):
        # What session.notify() queued stays on the queue, for the report: make runs it.
        if manifest is self.manifest and manifest._consumed:
            raise StopIteration
        return self.nox_next(manifest)

    def execute(self, runner):
        started = time.perf_counter()
        result = self.nox_execute(runner)
        self.duration = time.perf_counter() - started
        self.logger.removeFilter(self.note_error)  # the verdict that follows is no reason
        return result

    def note_error(self, record) -> bool:
        if record.levelname == "ERROR":
            if record.exc_info and record.exc_info[1] is not None:
                error = record.exc_info[1]
                self.error = f"{type(error).__name__}: {error}"
            else:
                self.error = record.getMessage().rstrip(":")
        return True

    def create_report(self, results, global_config):
        if self.manifest is None or global_config.report is None:
            return self.nox_report(results, global_config)
        import json

        facts = {
            "schema": 1,
            "result": int(all(results)),
            "sessions": [self.describe(result) for result in results],
            "notify": [self.notified(runner, global_config) for runner in self.manifest._queue],
        }
        part = f"{global_config.report}.part"
        try:
            with open(part, "w", encoding="ascii") as file:
                file.write(json.dumps(facts) + "\n")
            os.replace(part, global_config.report)  # a reader sees all of it or nothing
        except OSError as error:
            print(f"noxmk: cannot write the report: {error}", file=sys.stderr)
        return results

    def describe(self, result) -> dict[str, object]:
        verdict = result.status.name.lower()
        reason = result.reason or (self.error if verdict == "failed" else None)
        venv = result.session.venv
        sandboxed = venv is not None and getattr(venv, "is_sandboxed", True)
        return {
            "name": clean(result.session.friendly_name),
            "result": verdict,
            "reason": clean(reason) if reason else None,
            "duration": round(self.duration, 6),
            "reused": bool(getattr(venv, "_reused", False)) if sandboxed else None,
        }

    def notified(self, runner, global_config) -> dict[str, object]:
        # nox hands a session the global arguments unless notify() names others.
        given = list(runner.posargs) != list(global_config.posargs)
        return {
            "index": self.manifest._all_sessions.index(runner),
            "session": clean(runner.friendly_name),
            "posargs": [clean(argument) for argument in runner.posargs] if given else None,
        }


def warn(error: Exception) -> None:
    print(f"noxmk: this nox is unknown to us ({error}); it runs unpatched", file=sys.stderr)


def main() -> None:
    index = int(os.environ.pop("NOXMK_SHIM_INDEX"))
    name = os.environ.pop("NOXMK_SHIM_NAME")
    set_path(os.environ.pop("NOXMK_SHIM_PATH", ""))

    args = sys.argv[1:]
    selector = args[args.index("-s") + 1]
    if selector.startswith("-"):
        at = args.index("-s")
        args[at : at + 2] = [f"--sessions={selector}"]
    sys.argv = ["nox", *args]

    shim = Shim(index, name, selector)
    import nox.__main__

    try:
        shim.apply()
    except (AttributeError, ImportError) as error:
        warn(error)
        known = nox._options.options.parser().format_help()
        for option, values in (("--no-dependencies", []), ("--parallel", ["1"])):
            if option in known:
                sys.argv[1:1] = [option, *values]
    sys.exit(nox.__main__.main())


if __name__ == "__main__":
    main()
