#!/usr/bin/env python3
"""Faults by name: after each, nothing is lost and nothing survives.

    tests/faults/faults.py [-v] [--only WORD] [--kills N] [--seed S] [--traced [ptrace]] [--jobs N]

Each fault has sessions that do something nasty, and a moment at which something is done to them, to
their helpers or to make. Whatever it is, afterwards

- make has ended with the expected exit code, and within the fault's patience: once of three tries,
  since others use the machine, too,
- no process lives that the sessions have started,
- make says nothing of its tokens (INTERNAL),
- the verdicts are as expected, and each session that has ended by itself has its record and its
  log, byte for byte,
- the next make in the same folder runs and passes: locks are free, files are sound.

TAP on stdout, and in the end how many faults were survived. A shell script stands in for nox, so
that there is no other supervisor between us and the programs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Callable

from case import NAP, Case, Failure, Fault, Skip, Slow, command_of, require, send
from forks import forks
from gates import gates, questions
from verdicts import verdicts
from waits import waits

# What sessions do. READY is told, then the test acts; NAP outlives everything.
PROGRAMS = {
    "quick": ":",
    "gentle": f"touch ready; {NAP}",
    "deaf": f"trap '' INT TERM HUP; touch ready; {NAP}",
    "group": "sleep 7654 & sleep 7654 & touch ready; wait",
    "setsid": "setsid sh -c 'touch ready; exec sleep 7654'",
    "daemon": f"(setsid sh -c 'trap \"\" INT TERM HUP; sleep 7654 & touch ready; {NAP}' &); {NAP}",
    "stopped": "sh -c 'touch ready; kill -STOP $$; exec sleep 7654'",
}


# What is done. -------------------------------------------------------------------------------

def twice(number: int) -> Callable[[Case], None]:
    def act(case: Case) -> None:
        for _ in range(3):
            if case.helpers():
                send(number, "helper")(case)
            time.sleep(0.7)
    return act


def type_in(text: bytes) -> Callable[[Case], None]:
    return lambda case: os.write(case.terminal, text) and None


def hang_up(case: Case) -> None:
    os.close(case.terminal)
    case.terminal = -1


def states(case: Case, names: set[str]) -> set[str]:
    found = set()
    for pid in case.processes():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name in names:
            found.add(rest.split()[0].upper())  # t: stopped, and traced
    return found


def stop_and_go(case: Case) -> None:
    """^Z stops the session too, for longer than its time limit; fg lets it go on."""
    os.write(case.terminal, b"\x1a")
    case.wait("all have stopped", lambda: states(case, {"sleep", "noxmk"}) == {"T"})
    time.sleep(6.5)
    os.killpg(case.make.pid, signal.SIGCONT)
    case.wait("the session goes on", lambda: states(case, {"sleep"}) <= {"S", "R"})
    with open(case.path("go"), "w", encoding="utf-8"):
        pass


def kill_in_queue(*names: str) -> Callable[[Case], None]:
    """
    Once all that have not ended are in the queue of the pool, `holder` as its first: the helpers
    with these names ("others": every second one of those that wait), or programs called so.
    """
    def act(case: Case) -> None:
        def lacking() -> list[str]:
            return [session for session in case.fault.scripts if not case.record(session)]

        def helpers() -> dict[str, int]:
            return {command_of(pid).split()[-1]: pid for pid in case.helpers()}

        case.wait("all helpers", lambda: sorted(lacking()) == sorted(helpers()))
        of = helpers()
        killed = {"holder": ["holder"], "others": [w for w in lacking() if w != "holder"][::2]}
        pids = [pid for name in names for pid in ([of[session] for session in killed[name]]
                                                  if name in killed else case.named(name))]
        require(len(pids) >= len(names), "nobody to kill")
        # At one moment: nobody may still do something for who is dead.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        case.killed = [session for name in names for session in killed.get(name, [])]
        with open(case.path("go"), "w", encoding="utf-8"):
            pass
    return act


def others_passed(case: Case) -> None:
    for session in case.fault.scripts:
        verdict = case.record(session).get("verdict")
        require(verdict == "passed" or session in case.killed, f"{session}: {verdict}")


def remove_state(case: Case) -> None:
    shutil.rmtree(case.path(".nox/.noxmk/runs"))
    with open(case.path("go"), "w", encoding="utf-8"):
        pass


# How it ends. --------------------------------------------------------------------------------

KINDS = [kind for kind in PROGRAMS if kind != "quick"]


def stops() -> list[Fault]:
    """Somebody ends it: every signal, to everybody, whatever the session does."""
    faults = []
    for kind in KINDS:
        for number, to in [(signal.SIGINT, "group"), (signal.SIGTERM, "make"),
                           (signal.SIGKILL, "helper"), (signal.SIGKILL, "make")]:
            stopped_make = to == "make" or number == signal.SIGINT
            faults.append(Fault(
                f"{number.name} to {to}, session {kind}", {"quick": ":", kind: PROGRAMS[kind]},
                send(number, to), exits=None if stopped_make else (2,),
                verdicts={"quick": "passed", kind: "cancelled"},
                said=(kind, "1 cancelled")))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        for to in ("make", "helper", "group"):
            faults.append(Fault(
                f"{number.name} to {to}", {"quick": ":", "gentle": PROGRAMS["gentle"]},
                send(number, to), exits=(2,) if to == "helper" else None,
                verdicts={"quick": "passed", "gentle": "cancelled"}, said=("1 cancelled",)))
    both = {"quick": ":", "gentle": PROGRAMS["gentle"]}
    faults += [
        Fault("three SIGINT do not wait for the graces", {"deaf": PROGRAMS["deaf"]},
              twice(signal.SIGINT), verdicts={"deaf": "cancelled"}, patience=4),
        Fault("^C at a terminal", both, type_in(b"\x03"), terminal=True, exits=(-2, 2, 130),
              verdicts={"quick": "passed", "gentle": "cancelled"}, said=("1 cancelled",)),
        Fault("the terminal goes away", both, hang_up, terminal=True, exits=None,
              verdicts={"quick": "passed", "gentle": "cancelled"}),
        Fault("^Z and fg at a terminal",
              {"paused": "touch ready; while ! [ -e go ]; do sleep 0.05; done"}, stop_and_go,
              terminal=True, exits=(0,), verdicts={"paused": "passed"},
              config={"session": {"paused": {"timeout": "6s"}}}),
        Fault("SIGKILL to the keeper", both, send(signal.SIGKILL, "noxmk-keeper"),
              verdicts={"quick": "passed", "gentle": "failed"}),
        Fault("SIGKILL to helper and make", both, send(signal.SIGKILL, "helper", "make"),
              exits=None, verdicts={"quick": "passed", "gentle": "cancelled"}),
        Fault("SIGKILL to make and to what it has started", both,
              send(signal.SIGKILL, "sleep", "make"), exits=None),
        Fault("sessions that had not started are not run",
              {"gentle": PROGRAMS["gentle"], "other": NAP, "later": ":"},
              send(signal.SIGINT, "group"), exits=None, said=("not run",)),
        Fault("SIGINT while waiting for a lock",
              {"gentle": PROGRAMS["gentle"], "waiter": ":"}, send(signal.SIGINT, "group"),
              config={"session": {n: {"uses": ["port"]} for n in ("gentle", "waiter")}},
              exits=None, verdicts={"gentle": "cancelled"}),
    ]
    return faults


def no_call_has_failed(case: Case) -> None:
    """Whoever reads what the kernel tells of calls is dead, but somebody has its end."""
    require("not implemented" not in case.log("gentle").decode(), "calls have failed")
    with open(case.path(".nox/.noxmk/latest/gentle.trace"), encoding="utf-8") as file:
        killed = case.record("gentle").get("reason") != "make was killed"
        require(killed != ('"complete":true' in file.read()), "is the trace complete or not?")


def traced() -> list[Fault]:
    """The keeper is told of each call of a session, and who makes it waits for that."""
    busy = {"quick": ":", "gentle": "while :; do touch ready; sleep 0.01; done"}
    faults = [
        Fault(f"traced: SIGKILL to the {name}", busy,
              send(signal.SIGKILL, {"keeper": "noxmk-keeper"}.get(name, name)), exits=exits,
              verdicts={"quick": "passed", "gentle": verdict}, after=no_call_has_failed)
        for name, exits, verdict in (("keeper", (2,), "failed"), ("helper", (2,), "cancelled"),
                                     ("make", None, "cancelled"))]
    faults.append(Fault("traced: SIGINT", busy, send(signal.SIGINT, "group"), exits=None,
                        verdicts={"quick": "passed", "gentle": "cancelled"}))
    for fault in faults:
        fault.environment["NOXMK_TRACE"] = "1"
    return faults


def pools() -> list[Fault]:
    """
    Under `make -j` without a number all helpers wait for one slot. Whoever is killed, the others
    are told at once: their patience is shorter than the time after which they look by themselves.
    """
    until_go = "touch ready; while ! [ -e go ]; do sleep 0.05; done"

    def pool(name: str, script: str, act: Callable[[Case], None], **verdicts: str) -> Fault:
        return Fault(name, {"holder": script} | {f"w{i}": ":" for i in range(8)}, act,
                     words=("-j",), environment={"NOXMK_JOBS": "1"}, patience=4.5,
                     verdicts=verdicts, after=others_passed)

    return [
        pool("the helper that holds the only slot is killed", PROGRAMS["gentle"],
             kill_in_queue("holder"), holder="cancelled"),
        pool("all that hold the only slot are killed", PROGRAMS["gentle"],
             kill_in_queue("holder", "noxmk-keeper", "sleep"), holder=""),
        pool("helpers that wait for a slot are killed", until_go, kill_in_queue("others"),
             holder="passed"),
        pool("the one that holds a slot is killed, and others that wait for it",
             PROGRAMS["gentle"], kill_in_queue("others", "holder"), holder="cancelled"),
    ]


def leaks() -> list[Fault]:
    """Sessions that end and leave something behind."""
    programs = {
        "a background process": "sleep 7654 &",
        "a process in a session of its own": "setsid sleep 7654 & sleep 0.1",
        "a double fork": "(setsid sh -c 'sleep 7654 & sleep 7654 & exit' &); sleep 0.2",
        "one deaf to TERM": "setsid sh -c 'trap \"\" INT TERM HUP; touch deaf; sleep 7654' & "
                            "while ! [ -e deaf ]; do sleep 0.02; done",
        "a stopped one": "setsid sh -c 'kill -STOP $$; sleep 7654' & sleep 0.2",
        "one that holds its output": "setsid sh -c 'exec sleep 7654' & echo started; sleep 0.1",
        "forty of them": "for i in $(seq 40); do setsid sleep 7654 & done; sleep 0.2",
        "one that writes without end": "setsid yes & sleep 0.1",
    }
    return [Fault(f"it leaves {what}", {"leaver": script, "quick": ":"}, exits=(0,),
                  verdicts={"leaver": "passed", "quick": "passed"},
                  said=("leaver left a process running",), patience=20)
            for what, script in programs.items()]


def limits() -> list[Fault]:
    """Time limits, retries, and what else ends a session or a run early."""
    faults = [Fault(f"a time limit, session {kind}", {kind: PROGRAMS[kind], "quick": ":"},
                    config={"session": {kind: {"timeout": "1s"}}},
                    verdicts={kind: "failed", "quick": "passed"},
                    said=("timeout after 1.0s",), patience=20) for kind in KINDS]
    attempts = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; echo try $n; "
    retries = {"session": {"flaky": {"retries": 2}}}
    # Two that begin together: one fails when the other is there, which may last until the run is
    # known to be over.
    bad = "while ! [ -e beside ]; do sleep 0.02; done; false"
    slow = "touch beside; while ! [ -e .nox/.noxmk/latest/.halt ]; do sleep 0.02; done"

    def attempts_kept(case: Case) -> None:
        record = case.record("flaky")
        require(len(record["attempts"]) == 1, f"attempts: {record['attempts']}")
        with open(case.path(".nox/.noxmk/latest/flaky.log.1"), "rb") as file:
            require(b"try 0\n" in file.read(), "the first attempt's log")
        require(b"try 1\n" in case.log("flaky"), "the second attempt's log")

    faults += [
        Fault("a session that passes at its second attempt", {"flaky": attempts + "[ $n = 1 ]"},
              config=retries, exits=(0,), verdicts={"flaky": "passed"}, said=("1 flaky",),
              after=attempts_kept),
        Fault("a session that never passes", {"flaky": attempts + "false"}, config=retries,
              verdicts={"flaky": "failed"}, after=lambda case: require(
                  len(case.record("flaky")["attempts"]) == 2, "three attempts")),
        Fault("a flaky session where that counts as failed", {"flaky": attempts + "[ $n = 1 ]"},
              config=retries, verdicts={"flaky": "failed"}, words=("NOXMK_FLAKY=fail",)),
        Fault("an attempt that hangs", {"flaky": attempts + f"[ $n = 1 ] || {NAP}"},
              config={"session": {"flaky": {"retries": 1, "timeout": "4s"}}}, exits=(0,),
              verdicts={"flaky": "passed"}, said=("1 flaky",)),
        Fault("SIGTERM between two attempts", {"flaky": "touch ready; false"},
              lambda case: (time.sleep(0.2), send(signal.SIGTERM, "helper")(case)),
              config={"session": {"flaky": {"retries": 100}}}, verdicts={"flaky": "cancelled"}),
        Fault("FAIL_FAST=1", {"bad": bad, "gentle": f"touch beside; {NAP}", "later": NAP},
              words=("FAIL_FAST=1",), verdicts={"bad": "failed", "gentle": "cancelled",
                                                "later": "not run"}, said=("(FAIL_FAST)",)),
        Fault("FAIL_FAST=wait", {"bad": bad, "slow": slow, "later": NAP},
              words=("FAIL_FAST=wait",), verdicts={"bad": "failed", "slow": "passed",
                                                   "later": "not run"}),
        Fault("MAX_FAIL=2", {"a": "false", "b": "false", "c": f"sleep 1; {NAP}"},
              words=("MAX_FAIL=2",), verdicts={"a": "failed", "b": "failed"},
              said=("2 failed (MAX_FAIL)",)),
        Fault("NOXMK_DEADLINE", {"gentle": NAP, "deaf": f"trap '' INT; {NAP}", "later": NAP},
              words=("NOXMK_DEADLINE=5s",), said=("(NOXMK_DEADLINE)",), patience=24,
              verdicts={"gentle": "cancelled", "deaf": "cancelled", "later": "not run"}),
    ]
    return faults


def content(session: str, check: Callable[[bytes], bool]) -> Callable[[Case], None]:
    """What it wrote, between the log's own lines."""
    def after(case: Case) -> None:
        log = case.log(session).split(b"\n", 1)[1]
        log = log[len(session) + 8:log.rindex(b"\n\n[")]
        require(check(log[:-len(f"{session} is over")]), f"{session}: its log: {log[:200]!r}")
    return after


def logs() -> list[Fault]:
    """What sessions write, and where it cannot go."""
    every_byte = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4096)"
    long_line = "import sys; [sys.stdout.write('x' * 1000000) for _ in range(200)]; print()"
    lines = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done"
    eight = {f"s{i}": lines for i in range(8)}

    def all_lines(case: Case) -> None:
        wanted = b"".join(b"line %d\n" % i for i in range(20000))
        for session in eight:
            require(wanted in case.log(session), f"{session}: lines are lost")

    def limited(case: Case) -> None:
        log = case.log("much")
        require(len(log) < 120000, f"{len(log)} bytes")
        require(b"line 0\n" in log and b"line 19999\n" in log, "head and tail")
        require(b"bytes cut out here: log-limit]" in log, "the mark")
        tail = log.split(b"log-limit]", 1)[1].split(b"\n", 2)[2]
        numbers = [int(word) for word in tail.split(b"much is over")[0].split()[1::2]]
        require(numbers == list(range(numbers[0], 20000)), "the tail is in order")

    def small_disk(case: Case) -> None:
        runs = case.path(".nox/.noxmk/runs")
        os.makedirs(runs, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", runs],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            raise Skip(f"no disk of our own: {mounted.stderr.strip()}")

    def no_disk(case: Case) -> None:
        require(b"line 0\n" in case.log("much"), "its head")
        subprocess.run(["umount", case.path(".nox/.noxmk/runs")], check=True)

    secret = "sh -c 'printf \"a%sb\" \"$MY_TOKEN\"'; printf hun; sleep 0.2; printf ter22; echo"
    return [
        Fault("every byte there is", {"bytes": f"{sys.executable} -c '{every_byte}'"},
              exits=(0,), verdicts={"bytes": "passed"},
              after=content("bytes", lambda log: log == bytes(range(256)) * 4096)),
        Fault("one line of 200 MB", {"long": f'{sys.executable} -c "{long_line}"'}, exits=(0,),
              verdicts={"long": "passed"}, patience=60,
              after=content("long", lambda log: log == b"x" * 200000000 + b"\n")),
        Fault("eight that write all the time", eight, exits=(0,), words=("-j8",),
              verdicts=dict.fromkeys(eight, "passed"), after=all_lines, patience=60),
        Fault("a log with a limit", {"much": lines}, config={"log-limit": "100K"}, exits=(0,),
              verdicts={"much": "passed"}, after=limited, patience=60),
        Fault("a log that may not grow (a quota)", {"much": lines}, exits=(0,),
              file_size=65536, patience=60, words=("NOXMK_OUTPUT=failed",),
              said=("bytes of it are lost", "1 passed"),
              after=lambda case: require(b"line 0\n" in case.log("much"), "its head")),
        Fault("a full disk", {"much": lines, "quick": ":"}, exits=(0,), patience=60,
              before=small_disk, said=("bytes of it are lost", "2 passed"), after=no_disk),
        Fault("the folder of the run is removed", {"gentle": "touch ready; while ! [ -e go ]; do "
              "sleep 0.05; done"}, remove_state, exits=(0,), said=("1 passed",)),  # the second copy
        Fault("a secret, also in two pieces", {"teller": secret}, exits=(0,),
              environment={"MY_TOKEN": "hunter22"}, verdicts={"teller": "passed"},
              after=content("teller", lambda log: b"hunter22" not in log and log == b"a***b***\n")),
        Fault("mask = []", {"teller": secret}, exits=(0,), config={"mask": []},
              environment={"MY_TOKEN": "hunter22"}, verdicts={"teller": "passed"},
              after=content("teller", lambda log: log == b"ahunter22bhunter22\n")),
        Fault("a session that closes its output", {"closer": "exec >&- 2>&-; sleep 0.3"},
              exits=(0,), verdicts={"closer": "passed"}),
    ]


def put(name: str, text: str) -> Callable[[Case], None]:
    def before(case: Case) -> None:
        path = case.path(f".nox/.noxmk/{name}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return before


def link(name: str, target: str) -> Callable[[Case], None]:
    def before(case: Case) -> None:
        path = case.path(f".nox/.noxmk/{name}")
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            os.remove(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
    return before


def intact(name: str) -> Callable[[Case], None]:
    """A file outside of .nox/.noxmk that nobody may touch."""
    def after(case: Case) -> None:
        with open(case.path(name), encoding="utf-8") as file:
            require(file.read() == "mine\n", f"{name} was written to")
    return after


def then(*acts: Callable[[Case], None]) -> Callable[[Case], None]:
    def before(case: Case) -> None:
        for act in acts:
            act(case)
    return before


def forge(target: str, verdict: str) -> str:
    """What a session runs to write the record of another one."""
    record = {"schema": 1, "target": target, "session": target, "verdict": verdict, "notify": [],
              "waits": []}
    return f"echo '{json.dumps(record)}' >.nox/.noxmk/latest/{target}.json"


def files() -> list[Fault]:
    """Half-written and hostile files in .noxmk."""
    quick = {"quick": ":", "other": ":"}
    passed = dict.fromkeys(quick, "passed")
    hostile = {
        "history.json": ['{"schema":1,"sessions":{"quick":[1', '{"schema":1,"sessions":[]}', ""],
        "order.mk": ["_noxmk.order := $(shell touch owned)\n_noxmk.order_for := -j2\n",
                     "quick: ; touch owned\n", "ifdef\n"],
        "plan.jsonl": ['{"schema":1,"nox":', "[]\n"],
        "sessions.mk": ["_noxmk.sessions := quick\n"],
        "locks/port": ["garbage\n"],
    }
    mine = lambda case: case.project.write("mine", "mine\n")  # noqa: E731
    faults = []
    for name, texts in hostile.items():
        for i, text in enumerate(texts):
            faults.append(Fault(
                f"{name} is damaged ({i + 1})", quick, before=put(name, text), exits=None,
                after=lambda case: require(not os.path.exists(case.path("owned")),
                                           "a command of it was run")))
    faults += [
        Fault(".nox/.noxmk/latest points elsewhere", quick, exits=(0,), verdicts=passed,
              before=then(mine, link("latest", "../mine")), after=intact("mine")),
        Fault(".nox/.noxmk/history.json is a link", quick, exits=(0,), verdicts=passed,
              before=then(mine, link("history.json", "../mine")), after=intact("mine")),
        Fault("a session puts a link in its log's place",
              {"nasty": "ln -sf ../../../mine .nox/.noxmk/latest/other.log; sleep 0.1",
               "other": ":"}, before=mine, after=intact("mine"), exits=None,
              config={"session": {"other": {"after": ["nasty"]}}}),
        Fault("a session puts a link in its record's place",
              {"nasty": "ln -sf ../../../mine .nox/.noxmk/latest/nasty.json"}, before=mine,
              after=intact("mine"), exits=None),
        Fault(".nox/.noxmk/runs is a file", quick, before=put("runs", ""), exits=(0,),
              verdicts=passed, said=(".nox/.noxmk/runs: Not a directory: it is made anew",)),
        Fault("a session makes another pass that has not run",
              {"nasty": forge("other", "passed"), "other": "exit 1"},
              config={"session": {"other": {"after": ["nasty"]}}},
              verdicts={"nasty": "passed", "other": "failed"},
              said=("other.json: a record of a session that has not run",)),
        Fault("a session writes a record for no session of the plan",
              {"nasty": forge("pwned", "passed")}, exits=(0,), verdicts={"nasty": "passed"},
              after=lambda case: require("pwned" not in case.said(), "it is shown")),
        Fault("a session changes the verdict of one that has run",
              {"bad": "exit 1", "nasty": forge("bad", "passed")},
              config={"session": {"nasty": {"after": ["bad"]}}},
              verdicts={"nasty": "passed", "bad": "failed"},
              said=("bad.json: not as the helper of the session wrote it",)),
        Fault("a session bends the run's name to another folder",
              {"nasty": "cp -r .nox/.noxmk/latest/. .nox/.noxmk/fake; "
                        "for name in .nox/.noxmk/runs/.make-*; do ln -sf ../fake $name; done",
               "bad": "exit 1"},
              config={"session": {"bad": {"after": ["nasty"]}}},
              verdicts={"nasty": "passed", "bad": "failed"}),
    ]
    return faults


def random_kills(n: int, seed: int) -> list[Fault]:
    """Somebody is killed at some moment. What is still to say of it depends on whom it hit."""
    rnd = random.Random(seed)
    scripts = {f"s{i}": f"sleep 0.{i}; (setsid sleep 7654 &); sleep 0.{i}" for i in range(1, 5)}
    ask = "./ask command wide 0 pytest"
    asking = {name: f"{ask}; {script}; {ask}" for name, script in scripts.items()}
    config = {"session": {"s1": {"uses": ["port"]}, "s3": {"uses": ["port"]}}}

    def act_at(moment: float, choice: float) -> Callable[[Case], None]:
        def act(case: Case) -> None:
            time.sleep(moment)
            pids = [pid for pid in sorted(case.processes()) if pid != case.make.pid] or \
                [case.make.pid]
            if choice < 0.1:
                pids = [case.make.pid]
            try:
                os.kill(pids[int(choice * len(pids))], signal.SIGKILL)
            except ProcessLookupError:
                pass
        return act

    return [Fault(f"random kill {i + 1} (seed {seed})", asking if i % 4 > 1 else scripts,
                  config=config, exits=None, asks=i % 4 > 1,
                  before=put("../ready", ""), patience=20, words=("-j",) if i % 2 else (),
                  environment={"NOXMK_JOBS": "2"},
                  act=act_at(rnd.uniform(0, 1.2), rnd.random())) for i in range(n)]


def attempt(number: int) -> tuple[str, str]:
    """The fault of that number: how it went in a word, and what there is to say."""
    for _ in range(TRIES):
        how, why = attempt_once(FAULTS[number], number)
        if how != "slow":
            return how, why
    return "failed", why


def attempt_once(fault: Fault, number: int) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        case = Case(fault, os.path.join(folder, str(number)))
        try:
            case.run()
            return "survived", ""
        except Skip as why:
            return "skipped", str(why)
        except Slow as why:
            return "slow", str(why)
        except Failure as failure:
            said = case.said().replace("\n", "\n#   ")
            return "failed", f"{failure}\n#   {said}" if VERBOSE else str(failure)
        finally:
            case.clean()


FAULTS: list[Fault] = []
TRIES = 3  # of what takes too long
VERBOSE = False


def main() -> int:
    global VERBOSE
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-v", action="store_true", help="print what make said of what failed")
    parser.add_argument("--only", default="", help="faults with this word in their name")
    parser.add_argument("--kills", type=int, default=0, help="random kills besides [0]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--traced", nargs="?", const="1", choices=("1", "ptrace"),
                        help="trace all sessions; ptrace: by that")
    parser.add_argument("--jobs", type=int, default=4, help="faults at once [4]")
    options = parser.parse_args()
    VERBOSE = options.v
    # What is traced is never forked.
    faults = stops() + traced() + pools() + gates() + questions() + waits() + leaks() + \
        limits() + logs() + files() + verdicts() + ([] if options.traced else forks()) + \
        random_kills(options.kills, options.seed)
    FAULTS.extend(fault for fault in faults if options.only in fault.name)
    for fault in FAULTS if options.traced else []:
        fault.environment = {"NOXMK_TRACE": options.traced} | fault.environment
    counts = {"survived": 0, "skipped": 0, "failed": 0}
    # Processes, not threads: each starts others, and is ended with what it holds.
    with multiprocessing.get_context("fork").Pool(options.jobs, maxtasksperchild=1) as pool:
        for i, (how, why) in enumerate(pool.imap(attempt, range(len(FAULTS)))):
            counts[how] += 1
            print(f"{'not ok' if how == 'failed' else 'ok'} {i + 1} {FAULTS[i].name}" +
                  (f" # SKIP {why}" if how == "skipped" else ""))
            if how == "failed":
                print(f"#   {why}")
            sys.stdout.flush()
    tried = len(FAULTS) - counts["skipped"]
    print(f"1..{len(FAULTS)}\n# survived {counts['survived']} of {tried} faults, "
          f"{counts['skipped']} skipped")
    return counts["failed"] > 0


if __name__ == "__main__":
    sys.exit(main())
