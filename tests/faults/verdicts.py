"""Faults after which a session's verdict, or make's count of tokens, might be lost."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Callable

from case import Case, Fault, Skip, require, send
from gates import ASKING, UNTIL_GO, go

# It ends, and leaves somebody behind who takes a second to be ended.
LEAVER = "setsid sh -c 'trap \"\" TERM INT HUP; touch ready; exec sleep 7654' & " \
         "while ! [ -e ready ]; do sleep 0.02; done"


def in_clearing(number: int, *names: str) -> Callable[[Case], None]:
    """While what the session has left is ended: its verdict is known."""
    def act(case: Case) -> None:
        case.wait("it is cleared up", lambda: "left a process running" in case.said())
        send(number, *names)(case)
    return act


def before_it_hears(case: Case) -> None:
    """The helper is stopped while the session ends, and never learns of that."""
    helper = case.helper_of("ender")
    keeper = case.keeper_of("ender")
    os.kill(helper, signal.SIGSTOP)
    go(case)
    case.wait("the session has ended", lambda: not case.children(keeper))
    os.kill(helper, signal.SIGKILL)


def clearing() -> list[Fault]:
    passed = {"leaver": "passed", "quick": "passed"}
    scripts = {"leaver": LEAVER, "quick": ":"}

    def fault(name: str, act: Callable[[Case], None], **more) -> Fault:
        return Fault(f"{name} while what it left is ended", scripts, act,
                     **{"exits": (0,), "verdicts": passed, **more})

    return [
        fault("SIGKILL to the helper", in_clearing(signal.SIGKILL, "helper"),
              said=("2 passed",)),
        fault("SIGKILL to the keeper", in_clearing(signal.SIGKILL, "noxmk-keeper")),
        fault("SIGTERM to the helper", in_clearing(signal.SIGTERM, "helper")),
        fault("^C", in_clearing(signal.SIGINT, "group"), exits=None),
        fault("SIGKILL to make", in_clearing(signal.SIGKILL, "make"), exits=None),
        fault("SIGKILL to helper and make", in_clearing(signal.SIGKILL, "helper", "make"),
              exits=None),
        Fault("SIGKILL to the helper while what a failed one left is ended",
              {"leaver": LEAVER + "; exit 3", "quick": ":"},
              in_clearing(signal.SIGKILL, "helper"),
              verdicts={"leaver": "failed", "quick": "passed"}),
        Fault("SIGKILL to a helper that has not heard of the end",
              {"ender": f"touch ready; {UNTIL_GO}", "quick": ":"}, before_it_hears, exits=(0,),
              verdicts={"ender": "passed", "quick": "passed"}),
    ]


def disk(folder: str, options: str) -> Callable[[Case], None]:
    def before(case: Case) -> None:
        path = case.path(folder)
        os.makedirs(path, mode=0o700, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs",
                                  path], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            raise Skip(f"no disk of our own: {mounted.stderr.strip()}")
    return before


def no_disk(folder: str) -> Callable[[Case], None]:
    return lambda case: subprocess.run(["umount", case.path(folder)], check=True) and None


def full_disks() -> list[Fault]:
    """A session fills the disk, or takes its last inode. Another one starts after that."""
    fills = {
        "a disk": ("size=400k", "cat /dev/zero >{}/big 2>cat; grep -q 'No space' cat"),
        "the inodes of a disk": ("size=4m,nr_inodes=40", "i=0; while touch {}/f$i 2>touch; do "
                                 "i=$((i + 1)); done; grep -q 'No space' touch"),
    }
    after = {"session": {"late": {"after": ["filler"]}}}
    passed = {"filler": "passed", "late": "passed"}
    faults = []
    for what, (options, script) in fills.items():
        runs, memory = ".nox/.noxmk/runs", "memory"
        faults += [
            Fault(f"a session fills {what} with the runs",
                  {"filler": script.format(runs), "late": ":"}, config=after, exits=(0,),
                  before=disk(runs, options), said=("2 passed",),
                  after=lambda case: records_are_there(case) or no_disk(runs)(case)),
            Fault(f"a session fills {what} with the reports",
                  {"filler": script.format(memory), "late": ":"}, config=after, exits=(0,),
                  environment={"XDG_RUNTIME_DIR": "memory"}, verdicts=passed,
                  before=lambda case, o=options: in_memory(case, o), after=no_disk(memory)),
        ]
    return faults


def records_are_there(case: Case) -> None:
    for session in case.fault.scripts:
        require(case.record(session).get("verdict") == "passed", f"the record of {session}")


def in_memory(case: Case, options: str) -> None:
    """A runtime folder is named by its whole path."""
    disk("memory", options)(case)
    case.project.environment["XDG_RUNTIME_DIR"] = case.path("memory")


def double_kill(first: str) -> Callable[[Case], None]:
    """Helper and guard of `wide`, whose slot is lent while it waits at the gate."""
    def act(case: Case) -> None:
        case.wait("the slot is lent", lambda: case.named("noxmk-guard"))
        case.wait("somebody uses it", lambda: len(case.helpers()) > 3)
        pids = [case.helper_of("wide"), *case.named("noxmk-guard")]
        require(len(pids) == 2, f"helper and guard: {pids}")
        os.kill(pids[1], signal.SIGSTOP)  # it may not do anything for who is dead
        for pid in pids if first == "helper" else pids[::-1]:
            os.kill(pid, signal.SIGKILL)
        case.wait("make has heard of it", lambda: "Killed" in case.said())
        go(case)
    return act


def tokens() -> list[Fault]:
    scripts = {"a": f"touch a; {UNTIL_GO}", "b": f"touch b; {UNTIL_GO}", "wide": ASKING,
               "later": UNTIL_GO}
    return [Fault(f"SIGKILL to a helper and its guard, the {first} first", scripts,
                  double_kill(first), asks=True, words=("-j3",),
                  verdicts=dict.fromkeys(scripts, "passed") | {"wide": "cancelled"})
            for first in ("helper", "guard")]


def verdicts() -> list[Fault]:
    return clearing() + full_disks() + tokens()
