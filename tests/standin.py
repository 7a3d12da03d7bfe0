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
