"""One fault: a project of its own, a real make in it, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Callable

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
MAKE = os.environ.get("MAKE") or "make"
PATIENCE = 120  # seconds for what must happen, however slow the machine is

# What outlives everything.
NAP = "exec sleep 7654"

# In place of nox: does what the session's script says.
NOX = """#!/bin/sh
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
    exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=}
echo "$name begins"
result=success
sh "scripts/$name" || result=failed
echo "$name is over"
echo "{\\"sessions\\": [{\\"name\\": \\"$name\\", \\"result\\": \\"$result\\"}]}" >"$5"
[ $result = success ]
"""


# In place of nox under shim.py: its script alone has the descriptor to ask by, `./ask WORDS`.
PYTHON = standin.ZYGOTE + """
print(name, "begins", flush=True)
script = subprocess.Popen(["sh", f"scripts/{name}"], pass_fds=[3])
os.close(3)
failed = script.wait() != 0
print(name, "is over", flush=True)
with open(report, "w") as file:
    result = "failed" if failed else "success"
    json.dump({"sessions": [{"name": name, "result": result}]}, file)
sys.exit(failed)
"""
ASK = """#!/usr/bin/env python3
import os, sys
os.write(3, " ".join(sys.argv[1:]).encode())
if sys.argv[1] != "built":
    answer = os.read(3, 64).decode()
    if answer == "wait":
        open("waits", "w").close()
        answer = os.read(3, 64).decode()
    print(answer)
"""


class Failure(Exception):
    pass


class Slow(Failure):
    """All is well, but it took long: the fault's, or a busy machine's."""


class Skip(Exception):
    pass


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


@dataclass
class Fault:
    name: str
    scripts: dict[str, str]
    act: Callable[[Case], None] | None = None
    words: tuple[str, ...] = ()      # for make, besides -j2 and the goals
    config: dict = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    exits: tuple[int, ...] | None = (2,)
    patience: float = 15.0           # from the act on, or from the start
    before: Callable[[Case], None] | None = None
    after: Callable[[Case], None] | None = None
    terminal: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    goals: tuple[str, ...] = ()
    said: tuple[str, ...] = ()       # parts of what make prints
    asks: bool = False               # on two processors, and sessions may ask their helpers
    file_size: int = 0               # the largest file that any process may write; 0: any
    unread: bool = False             # make's standard output is a pipe that nobody reads


def listen() -> None:
    """A shell starts what runs in the background deaf to ^C."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Case:
    """One fault in a project of its own."""

    def __init__(self, fault: Fault, folder: str) -> None:
        self.fault = fault
        self.mark = f"NOXMK_FAULT={os.path.basename(folder)}-{os.getpid()}"
        self.project = standin.Project(folder, STAGE)
        self.project.write("nox", NOX)
        os.makedirs(self.path("scripts"))
        name, _, value = self.mark.partition("=")
        self.project.environment[name] = value
        if standin.FORK:
            self.project.environment["NOXMK_FORK"] = standin.FORK
        self.project.environment.update(fault.environment)
        for session, script in {**fault.scripts, "after": ":"}.items():
            self.project.write(f"scripts/{session}", script + "\n")
        names = [*fault.scripts, "after"]
        for name, program in {"python": PYTHON, "ask": ASK}.items():
            self.project.write(name, program)
            os.chmod(self.path(name), 0o755)
        self.project.tell([{"name": n} for n in names], list(range(len(names))), fault.config,
                          self.path("python") if fault.asks or standin.FORK else None)
        planned = self.project.plan()
        require(planned.returncode == 0, f"no plan: {planned.stderr}")
        self.make: subprocess.Popen | None = None
        self.terminal = -1
        self.unread = -1                 # the end of the pipe that nobody reads
        self.beside: subprocess.Popen | None = None  # a process of the fault's own
        self.killed: list[str] = []      # sessions whose helpers an act has killed

    def path(self, name: str) -> str:
        return self.project.path(name)

    def wait(self, what: str, holds: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            require(time.monotonic() < end, f"it never came to this: {what}")
            time.sleep(0.01)

    def start(self) -> None:
        fault = self.fault
        out = open(self.path("out"), "wb")
        command = [MAKE, "-I", f"{STAGE}/include", "-j2", *(fault.goals or fault.scripts),
                   *fault.words]
        if not fault.terminal:
            shown = out.fileno()
            if fault.unread:
                self.unread, shown = os.pipe()
            self.make = subprocess.Popen(command, cwd=self.project.folder, stdout=shown,
                                         stderr=out, stdin=subprocess.DEVNULL,
                                         env=self.project.environment, start_new_session=True,
                                         preexec_fn=self.limit)
            if fault.unread:
                os.close(shown)
            out.close()
            return
        # make in the foreground of a terminal of its own, of which we are the user.
        self.terminal, theirs = pty.openpty()

        def lead() -> None:
            listen()
            os.setsid()
            os.close(os.open(os.ttyname(theirs), os.O_RDWR))
            os.tcsetpgrp(theirs, os.getpgrp())

        self.make = subprocess.Popen(command, cwd=self.project.folder, stdin=theirs, stdout=out,
                                     stderr=out, env=self.project.environment, preexec_fn=lead)
        os.close(theirs)
        out.close()

    def limit(self) -> None:
        listen()
        if self.fault.file_size:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.fault.file_size,) * 2)
        if self.fault.asks:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

    def processes(self) -> list[int]:
        """All that carry our mark: make, helpers, sessions, and what they have started."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    environ = file.read()
                with open(f"/proc/{entry}/stat", "rb") as file:
                    state = file.read().rpartition(b")")[2].split()[0]
            except OSError:
                continue
            if self.mark.encode() in environ.split(b"\0") and state not in b"ZX":
                found.append(int(entry))
        return found

    def named(self, name: str) -> list[int]:
        """Those whose program is called so: noxmk, noxmk-keeper, noxmk-guard."""
        found = []
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    if file.read().strip() == name:
                        found.append(pid)
            except OSError:
                continue
        return found

    def await_named(self, name: str) -> list[int]:
        """As soon as there are some: the program of a loop is not there all the time."""
        found: list[int] = []

        def look() -> list[int]:
            found[:] = self.named(name)
            return found
        self.wait(f"a {name}", lambda: look() or self.make.poll() is not None)
        return found

    def helpers(self) -> list[int]:
        return [pid for pid in self.named("noxmk") if self.parent(pid) == self.make.pid]

    def helper_of(self, session: str) -> int:
        pids = [pid for pid in self.helpers() if command_of(pid).split()[-1] == session]
        require(len(pids) == 1, f"helpers of {session}: {pids}")
        return pids[0]

    def keeper_of(self, session: str) -> int:
        """The one that the session is a child of: a child of its helper, unless it is forked."""
        keepers = self.named("noxmk-keeper")
        if not standin.FORK:
            return next(pid for pid in self.children(self.helper_of(session)) if pid in keepers)
        return next(pid for pid in keepers for child in self.children(pid)
                    if f" -s {session} " in command_of(child))

    def children(self, parent: int) -> list[int]:
        return [pid for pid in self.processes() if self.parent(pid) == parent]

    def parent(self, pid: int) -> int:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                return int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            return 0

    def said(self) -> str:
        with open(self.path("out"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def record(self, session: str) -> dict:
        try:
            with open(self.path(f".nox/.noxmk/latest/{session}.json"), encoding="utf-8") as file:
                return json.load(file)
        except OSError:
            return {}

    def log(self, session: str) -> bytes:
        with open(self.path(f".nox/.noxmk/latest/{session}.log"), "rb") as file:
            return file.read()

    def run(self) -> None:
        fault = self.fault
        if fault.before:
            fault.before(self)
        self.start()
        if fault.act:
            self.wait("ready", lambda: self.is_ready() or self.make.poll() is not None)
            fault.act(self)
        begun = time.monotonic()
        try:
            code = self.make.wait(PATIENCE + fault.patience)
        except subprocess.TimeoutExpired:
            raise Failure("make hangs") from None
        # Until now something may have waited for its reader.
        if self.unread >= 0:
            os.close(self.unread)
            self.unread = -1
        # A helper whose make was killed ends by itself.
        while self.processes() and time.monotonic() - begun < PATIENCE:
            time.sleep(0.02)
        taken = time.monotonic() - begun
        self.check(code, taken)

    def is_ready(self) -> bool:
        """What does not wait to be hit has ended."""
        return os.path.exists(self.path("ready")) and (
            "quick" not in self.fault.scripts or bool(self.record("quick")))

    def check(self, code: int, taken: float) -> None:
        fault, said = self.fault, self.said()
        left = [(pid, command_of(pid)) for pid in self.processes()]
        require(not left, f"survivors: {left}")
        require("INTERNAL" not in said, "make has miscounted its tokens")
        require(fault.exits is None or code in fault.exits, f"make: exit {code}")
        for session, verdict in fault.verdicts.items():
            record = self.record(session)
            require(record.get("verdict", "") == verdict,
                    f"{session}: {record.get('verdict')}: {record.get('reason')}")
            if verdict in ("passed", "failed") and record.get("exit") is not None:
                log = self.log(session)
                require(f"{session} begins\n".encode() in log, f"{session}: its log is cut")
                require(log.endswith(b".]\n"), f"{session}: its log has no end")
        for part in fault.said:
            require(part in said, f"it does not say: {part}")
        if fault.after:
            fault.after(self)
        again = self.project.make(MAKE, "-j2", "after")
        require(again.returncode == 0, f"the next make fails: {again.stdout}{again.stderr}")
        require(self.record("after").get("verdict") == "passed", "the next make ran nothing")
        if taken > fault.patience:
            raise Slow(f"it took {taken:.1f} s")

    def clean(self) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if self.make:
            self.make.wait()
        if self.beside:
            self.beside.kill()
            self.beside.wait()
        for end in self.terminal, self.unread:
            if end >= 0:
                os.close(end)
        for folder in (".nox/.noxmk/runs", "memory"):
            if os.path.ismount(self.path(folder)):
                subprocess.run(["umount", "-l", self.path(folder)], check=True)


def command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def send(number: int, *names: str) -> Callable[[Case], None]:
    """To make, its group, or processes by the name of their program."""
    def act(case: Case) -> None:
        for name in names:
            if name == "make":
                pids = [case.make.pid]
            elif name == "group":
                os.killpg(case.make.pid, number)
                continue
            elif name == "helper":
                pids = case.helpers()
            else:
                pids = case.await_named(name)
            if not pids:  # all has ended by now
                raise Slow(f"no {name} to send it to")
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
    return act
