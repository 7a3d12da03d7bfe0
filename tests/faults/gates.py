"""Faults of sessions that ask their helpers: at the gate, and beside the rules."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Callable

from case import NAP, Case, Fault, command_of, require, send

UNTIL_GO = "while ! [ -e go ]; do sleep 0.05; done"
ASKING = "while ! [ -e a ] || ! [ -e b ]; do sleep 0.05; done; touch ready; " \
         "./ask command wide 0 pytest"


def go(case: Case) -> None:
    with open(case.path("go"), "w", encoding="utf-8"):
        pass


def those_at_gate(case: Case) -> dict[str, int]:
    """Who is at the gate for the session `wide`; asker: -1 as long as it has not asked."""
    helper = case.helper_of("wide")
    keeper = case.keeper_of("wide")
    session = case.children(keeper)[0]
    asker = next((pid for pid in case.children(case.children(session)[0])
                  if "./ask" in command_of(pid)), -1)
    return {"helper": helper, "keeper": keeper, "session": session, "asker": asker}


def await_gate(case: Case) -> dict[str, int]:
    """Until it is told to wait, and has done so for a while."""
    case.wait("it waits", lambda: os.path.exists(case.path("waits")))
    time.sleep(0.4)
    return those_at_gate(case)


def at_gate(who: str, number: int) -> Callable[[Case], None]:
    """To whom it belongs of the session `wide`, which waits at the gate."""
    def act(case: Case) -> None:
        pids = await_gate(case)
        require(pids["asker"] > 0, "it does not ask")
        for pid in case.named("noxmk-guard") if who == "guard" else [pids[who]]:
            with contextlib.suppress(ProcessLookupError):  # a guard that is not needed any more
                os.kill(pid, number)
        go(case)
        if number == signal.SIGSTOP:
            # Nobody waits for it.
            case.wait("the others have ended", lambda: case.record("late"))
            with contextlib.suppress(ProcessLookupError):  # its keeper has woken it, and it ended
                os.kill(pids["helper"], signal.SIGCONT)
    return act


def has_waited(case: Case) -> None:
    """Else the fault was none of those that it is called."""
    waits = case.record("wide")["waits"]
    require(any(wait["for"] == "processors" for wait in waits), f"its waits: {waits}")


def damage(how: str) -> Callable[[Case], None]:
    def act(case: Case) -> None:
        await_gate(case)
        folder = os.path.realpath(f"/proc/{case.helpers()[0]}/fd")
        tables = set()
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # it opens and closes others meanwhile
                tables.add(os.readlink(os.path.join(folder, name)))
        table = next(name for name in tables if name.endswith("/.gate.now"))
        if how == "removed":
            os.remove(table)
        else:
            with open(table, "r+b") as file:
                size = os.path.getsize(table)
                file.truncate(0 if how == "cut off" else size)
                file.write(b"\xff" * (0 if how == "cut off" else size + 4000))
        time.sleep(0.3)
        go(case)
    return act


def gates() -> list[Fault]:
    """One session waits at the gate until two others have ended; see passage.h."""
    scripts = {"a": f"touch a; {UNTIL_GO}", "b": f"touch b; {UNTIL_GO}", "wide": f"{ASKING} >told",
               "late": ":"}
    passed = dict.fromkeys(scripts, "passed")
    stopped = dict.fromkeys(("a", "b", "wide"), "cancelled")
    faults = []

    def gate(name: str, act: Callable[[Case], None] | None, **more: object) -> None:
        for words in ("-j3",), ("-j", "NOXMK_JOBS=3"):
            title = f"at the gate: {name}, {words[0]}"
            faults.append(Fault(title, scripts, act, asks=True, **{
                "words": words, "verdicts": passed, "exits": (0,),
                **more}))  # type: ignore[arg-type]

    for number, to in [(signal.SIGINT, "group"), (signal.SIGTERM, "make"),
                       (signal.SIGKILL, "make")]:
        gate(f"{number.name} to {to}", send(number, to), exits=None, verdicts=stopped)
    for who, verdict in [("helper", "cancelled"), ("keeper", "failed"), ("session", "failed"),
                         ("asker", "failed")]:
        gate(f"SIGKILL to the {who}", at_gate(who, signal.SIGKILL), exits=(2,),
             verdicts=passed | {"wide": verdict})
    gate("SIGKILL to the guards", at_gate("guard", signal.SIGKILL), after=has_waited)
    gate("the helper is stopped, and goes on", at_gate("helper", signal.SIGSTOP), after=has_waited)
    for how in ("removed", "cut off", "filled"):
        gate(f"its file is {how}", damage(how), after=has_waited)
    return faults


def questions() -> list[Fault]:
    """Sessions that ask what they should not, or never listen."""
    faults = []

    def asking(name: str, script: str, act: Callable[[Case], None] | None = None,
               **more: object) -> None:
        faults.append(Fault(name, {"asking": script}, act, asks=True,
                            **more))  # type: ignore[arg-type]

    for what, text in [("questions", "command plain 0 x"), ("nonsense", "?")]:
        flood = f"for i in 1 2 3; do yes '{text}' >&3 & done; touch ready; wait"
        asking(f"a flood of {what}, SIGINT", flood, send(signal.SIGINT, "group"),
               verdicts={"asking": "cancelled"}, exits=None)
        asking(f"a flood of {what}, a time limit", flood, patience=20, config={"session": {
            "asking": {"timeout": "1s"}}}, verdicts={"asking": "failed"},
            said=("timeout after 1.0s",))
    asking("a session that closes its socket", "exec 3>&-; sleep 0.2", exits=(0,),
           verdicts={"asking": "passed"})
    asking("a daemon that goes on asking",
           "setsid sh -c 'while ./ask build >told; do :; done' & sleep 0.3", exits=(0,),
           verdicts={"asking": "passed"}, said=("asking left a process running",), patience=20)
    # Its clocks stand still while it waits, but it has gone away.
    leaves = f"{ASKING} & asker=$!; sleep 0.4; kill $asker; exec 3>&-; {NAP}"
    others = {name: f"touch {name}; {UNTIL_GO}" for name in ("a", "b")}
    faults.append(Fault(
        "a session that closes its socket while it waits at the gate", {**others, "wide": leaves},
        lambda case: (case.wait("its end", lambda: case.record("wide")), go(case)) and None,
        asks=True, words=("-j3",), config={"session": {"wide": {"timeout": "2s"}}},
        verdicts={"a": "passed", "wide": "failed"}, said=("timeout after 2.0s",)))
    # It would wait for ever for more processors than there are.
    faults.append(Fault(
        "a command that starts more processes than there are processors",
        {"a": "touch a; while ! [ -e asked ]; do sleep 0.05; done", "wide":
         "while ! [ -e a ]; do sleep 0.05; done; ./ask command wide 64 pytest; touch asked"},
        asks=True, exits=(0,), verdicts={"a": "passed", "wide": "passed"}))
    faults.append(Fault(
        "a time limit while it builds, and a second attempt",
        {"builder": "if [ -e first ]; then while ! [ -e over ]; do sleep 0.05; done; else "
                    f"touch first; ./ask build; touch builds; {NAP}; fi",
         "other": "while ! [ -e builds ]; do sleep 0.05; done; ./ask build; touch over; "
                  "./ask built"},
        asks=True, config={"session": {"builder": {"timeout": "4s", "retries": 1}}},
        exits=(0,), verdicts={"builder": "passed", "other": "passed"}, said=("1 flaky",)))
    return faults
