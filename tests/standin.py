"""Projects for make and noxmk in which a shell script stands in for nox.

Asked by `noxmk plan`, it hands over facts that we have written ourselves, in the format of
src/nox/probe.py; asked to run a session, it sleeps for as long as the file seconds/SESSION says. So
plans and schedules are made and run by the real helper and a real make, as fast as a shell starts.
"""

from __future__ import annotations

import json
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

NOX = """#!/bin/sh
# In place of nox: `nox -f PROBE -l`, or `nox -f NOXFILE --sessions=NAME --report FILE …`.
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
    exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=}
read -r seconds <"seconds/$name" && sleep "$seconds"
echo "{\\"sessions\\": [{\\"name\\": \\"$name\\", \\"result\\": \\"success\\"}]}" >"$5"
"""

# What stands in for nox under shim.py begins with this, where sessions are forked: as a zygote it
# has nothing to load, and serves as that of nox does.
ZYGOTE = """#!/usr/bin/env python3
import json, os, subprocess, sys, types
if "NOXMK_SHIM_ZYGOTE" in os.environ:
    sys.path.insert(0, os.path.dirname(sys.argv[2]))
    import noxmk_shim
    zygote = noxmk_shim.load("zygote", sys.path[0])
    one = zygote.Zygote(noxmk_shim.take_variables(), sys.path[0])
    one.given, one.handlers = dict(os.environ), []
    one.watch = types.SimpleNamespace(found={}, variables={}, kept=[])
    one.command_line = zygote.CommandLine()
    one.command_line.set([b"noxmk-zygote"], zygote.encoded(one.given))
    one.settle(one.serve())
name, report = (sys.argv[sys.argv.index(option) + 1] for option in ("-s", "--report"))
"""

# And goes on so, where the session is the shell script.
FORKED = ZYGOTE + """
os.execv("./nox", ["./nox", "-f", "noxfile.py", f"--sessions={name}", "--report", report])
"""
FORK = os.environ.get("TEST_FORK")  # "always": sessions of the tests in Python are forked, too


def clean_environment() -> dict[str, str]:
    """Without what a make around us, or the user's own settings, would change."""
    names = ("MAKE", "MFLAGS", "GNUMAKEFLAGS", "NOX", "ARGS", "CI", "FORCE_COLOR")
    return {k: v for k, v in os.environ.items() if not k.startswith(names)} | {"LC_ALL": "C.UTF-8"}


class Project:
    """A folder with such a nox, a GNUmakefile and a plan made from facts."""

    def __init__(self, folder: str, stage: str) -> None:
        self.folder, self.stage = folder, stage
        # A make that is killed leaves its FIFO behind, and the next one of that pid does not start.
        self.environment = clean_environment() | {"NOX": "./nox", "TMPDIR": self.path("seconds")}
        os.makedirs(self.path("seconds"))
        self.write("nox", NOX)
        os.chmod(os.path.join(folder, "nox"), 0o755)
        self.write("GNUmakefile", f"NOXMK := {stage}/bin/noxmk\ninclude nox.mk\n")
        self.write("noxfile.py", "")

    def fork(self) -> str | None:
        """What the shim runs in, if sessions are to be forked."""
        if not FORK:
            return None
        # NOXMK_SLOTS tells of the slots that a session has, as it does without the shim.
        self.environment |= {"NOXMK_FORK": FORK, "NOXMK_BUDGET": "strict"}
        self.write("python", FORKED)
        os.chmod(self.path("python"), 0o755)
        return self.path("python")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name: str) -> str:
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def tell(self, sessions: list[dict], queue: list[int], config: dict | None,
             python: str | None = None) -> None:
        """The facts: what differs from a plain session. python: what the shim runs in."""
        plain = {"description": "", "python": None, "envdir": None, "requires_error": None,
                 "parallel": None, "tags": [], "requires": [], "notifies": []}
        told = []
        for i, session in enumerate(sessions):
            name = session.get("session", session["name"])
            told.append(plain | {"index": i, "session": name, "signatures": [name]} | session)
        self.write("facts.json", json.dumps({
            "schema": 1, "nox": "0", "python": python, "path": [], "args": [],
            "noxfile": self.path("noxfile.py"), "queue": queue, "config": config,
            "sessions": told}))

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(command, cwd=self.folder, env=self.environment | environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def plan(self) -> subprocess.CompletedProcess:
        return self.run(f"{self.stage}/bin/noxmk", "plan", "./nox")

    def make(self, make: str, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return self.run(make, "-I", f"{self.stage}/include", *words, **environment)


def of_names(folder: str, stage: str, names: list[str], config: dict) -> None:
    """A project of these sessions, which are short, and all of them default ones."""
    project = Project(folder, stage)
    project.tell([{"name": name} for name in names], list(range(len(names))), {"session": config})
    for name in names:
        project.write("seconds/" + name, "0.05\n")
