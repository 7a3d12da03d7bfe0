"""Faults that keep something from ever coming: whoever waits for it has a limit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Callable

from case import NAP, STAGE, Case, Fault, Skip, Slow, require, send

# Attaches to the process whose number is in the file `left`, and does not look at it any more.
TRACER = """
import ctypes, os, time
while not (os.path.exists("left") and open("left").read().endswith("\\n")):
    time.sleep(0.01)
PTRACE_SEIZE = 0x4206
ctypes.CDLL(None).ptrace(PTRACE_SEIZE, int(open("left").read()), 0, 0)
open("traced", "w").close()
time.sleep(600)
"""

# Locks these files for good.
LOCKER = """
import fcntl, os, sys, time
files = [os.open(name, os.O_RDWR | os.O_CREAT, 0o666) for name in sys.argv[1:]]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX)
open("locked", "w").close()
time.sleep(600)
"""

LEAVE = "setsid sleep 7654 & echo $! >left; while ! [ -e traced ]; do sleep 0.02; done"


def beside(program: str, *words: str) -> Callable[[Case], None]:
    """A process that is none of the make's, until clear_beside."""
    def before(case: Case) -> None:
        folder = case.path(".nox/.noxmk/locks")
        os.makedirs(folder, exist_ok=True)
        case.beside = subprocess.Popen([sys.executable, "-c", program, *words],
                                       cwd=case.project.folder)
        if words:
            case.wait("the locks", lambda: os.path.exists(case.path("locked")))
    return before


def beside_tracer(case: Case) -> None:
    if case.fault.environment.get("NOXMK_TRACE") == "ptrace":
        raise Skip("a process has one tracer")
    beside(TRACER)(case)


def clear_beside(case: Case) -> None:
    case.beside.kill()
    case.beside.wait()


def left_for_good(case: Case) -> None:
    left = case.record("leaver").get("left") or ""
    clear_beside(case)
    require(left.endswith(": left, could not be ended"), f"left: {left}")


def again_and_again(case: Case) -> None:
    """^C, and once more: that is the end, within a second."""
    send(signal.SIGINT, "group")(case)
    time.sleep(0.3)
    begun = time.monotonic()
    while pids := case.helpers():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it may end just now
                os.kill(pid, signal.SIGINT)
        if time.monotonic() - begun > 2:
            raise Slow("a second ^C does not end it")
        time.sleep(0.3)


def leftovers() -> list[Fault]:
    """They are dead, or not, but nobody but their tracer can reap them."""
    return [
        Fault("it leaves a process that cannot be ended", {"leaver": LEAVE, "quick": ":"},
              before=beside_tracer, after=left_for_good, exits=(0,), patience=20,
              verdicts={"leaver": "passed", "quick": "passed"},
              said=("leaver left a process that could not be ended",)),
        Fault("a process that cannot be ended, and ^C twice",
              {"leaver": f"trap '' INT TERM; {LEAVE}; touch ready; {NAP}"}, again_and_again,
              before=beside_tracer, after=left_for_good, exits=None, patience=20,
              verdicts={"leaver": "cancelled"}),
        Fault("the session's own process cannot be ended",
              {"leaver": "echo $PPID >left; while ! [ -e traced ]; do sleep 0.02; done"},
              before=beside_tracer, after=left_for_good, exits=(2,), patience=30,
              config={"session": {"leaver": {"timeout": "1s"}}},
              verdicts={"leaver": "failed"}, said=("timeout after 1.0s",)),
    ]


def readers() -> list[Fault]:
    """Nobody reads what is shown."""
    flood = f"seq 1 200000; touch ready; {NAP}"

    def complete(case: Case) -> None:
        require(b"\n200000\n" in case.log("flood"), "its log is not complete")

    def unread(name: str, act: Callable[[Case], None] | None = None, **more: object) -> Fault:
        return Fault(f"nobody reads the output: {name}", {"flood": flood}, act, unread=True,
                     **{"after": complete, **more})  # type: ignore[arg-type]

    return [
        unread("^C", send(signal.SIGINT, "group"), exits=None, verdicts={"flood": "cancelled"}),
        unread("SIGTERM to make", send(signal.SIGTERM, "make"), exits=None,
               verdicts={"flood": "cancelled"}),
        unread("a time limit", verdicts={"flood": "failed"}, patience=21,
               config={"session": {"flood": {"timeout": "8s"}}}),
        unread("NOXMK_DEADLINE", words=("NOXMK_DEADLINE=8s",), verdicts={"flood": "cancelled"},
               patience=21),
        unread("SIGKILL to the helper", send(signal.SIGKILL, "helper"), patience=21,
               words=("NOXMK_DEADLINE=8s",), verdicts={"flood": "cancelled"}, after=None),
    ]


def stopped() -> list[Fault]:
    """Whoever is stopped is made to go on."""
    limit = {"session": {"gentle": {"timeout": "4s"}}}
    waits = {"gentle": f"touch ready; {NAP}"}
    ends = {"gentle": "touch ready; sleep 1"}
    return [
        Fault("a stopped helper, and a time limit", waits, send(signal.SIGSTOP, "helper"),
              config=limit, verdicts={"gentle": "failed"}, patience=25),
        Fault("a stopped helper whose session ends", ends, send(signal.SIGSTOP, "helper"),
              exits=(0,), verdicts={"gentle": "passed"}, patience=25),
        Fault("a stopped keeper, and a time limit", waits,
              send(signal.SIGSTOP, "noxmk-keeper"), config=limit,
              verdicts={"gentle": "failed"}),
        Fault("a stopped keeper whose session ends", ends, send(signal.SIGSTOP, "noxmk-keeper"),
              exits=(0,), verdicts={"gentle": "passed"}),
        Fault("a stopped helper, and SIGINT to make", waits,
              lambda case: (send(signal.SIGSTOP, "helper")(case),
                            send(signal.SIGINT, "make")(case)) and None,
              exits=None, verdicts={"gentle": "cancelled"}, patience=25),
    ]


def locks() -> list[Fault]:
    """What is locked by others, or by those around."""
    outer = f"make -I '{STAGE}/include' inner"
    quick = {"quick": ":", "other": ":"}
    port = {name: {"uses": ["port"]} for name in ("outer", "inner")}
    alone = {"outer": {"alone": True}}
    state = ".nox/.noxmk/lock", ".nox/.noxmk/locks/mutex"
    return [
        Fault("a session runs make for one that needs what it has", {"outer": outer, "inner": ":"},
              config={"session": port}, goals=("outer",), said=("which has port until it ends",)),
        Fault("a session that is alone runs make for another", {"outer": outer, "inner": ":"},
              config={"session": alone}, goals=("outer",),
              said=("which runs alone until it ends",)),
        Fault("somebody has the lock of the state folder", quick, exits=(0,), patience=40,
              before=beside(LOCKER, state[0]), after=clear_beside,
              verdicts=dict.fromkeys(quick, "passed"), said=("another process has locked it",)),
        Fault("somebody has the mutex of the claims", quick, exits=None, patience=40,
              config={"session": {name: {"uses": ["port"]} for name in quick}},
              before=beside(LOCKER, state[1]), after=clear_beside, said=("locks",)),
    ]


def waits() -> list[Fault]:
    return leftovers() + readers() + stopped() + locks()
