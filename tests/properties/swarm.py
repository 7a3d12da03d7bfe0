#!/usr/bin/env python3
"""Any process killed -9 at any moment, many times in one run: nothing survives, no verdict is lost.

    tests/properties/swarm.py [--sessions N] [--jobs N] [--kills N] [--seeds N] [--seed S]

A project of many sessions, some of which take several slots, share a resource, or leave processes
behind. Random processes are killed while make plans, runs, clears up and sums up: make itself,
helpers, keepers, guards, nox, what sessions start. When make has ended before all kills are done,
the plan is stale and the next make goes on. After each make:

- it has ended in time, and no process of it is left, but of sessions whose helper and keeper have
  both been killed;
- a session that has ended by itself has a record, unless both its helper and its keeper were
  killed; it has passed if nothing of it was killed, or only its helper, after its end;
- no other session has passed;
- unless make was killed, it has not complained about its tokens; while it lived never were more
  slots in use than there are, without the sessions of which something was killed. (Those that are
  cancelled with make do not log their end.) A helper that waits has lent its slot; where its guard
  and then it are killed, make counts that twice until the next helper mends it.

At last a make that nobody disturbs passes. TAP on stdout; a failure tells the seed.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
NEWER_MAKE = os.path.join(standin.TOP, "build", "peers", "make-4.4.1", "bin", "make")
MAKES = [os.environ.get("MAKE") or "make", *filter(os.path.exists, [NEWER_MAKE])]
PATIENCE = 180  # seconds, some thirty times as long as it takes
GRACE = 60  # seconds, many times as long as it takes to end what is deaf
MARK = "SWARM_OF_TEST"
HELPER = {"helper", "helper, afterwards"}
HARMLESS = {"helper, afterwards", "guard"}

# In place of nox: notes which processes it has, and that it has ended.
NOX = """#!/bin/sh
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
    sleep 0.1
    exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=}
read -r seconds leaves <"seconds/$name"
read -r _ _ _ helper _ </proc/$PPID/stat
export SWARM_OF_TEST_SESSION="$name"
echo "+ $name ${NOXMK_SLOTS-1} $$ $PPID $helper" >>log
sleep "$seconds"
case $leaves in
deaf) (trap '' HUP INT TERM; exec sleep 7654) & ;;
plain) sleep 7654 & ;;
esac
echo "{\\"sessions\\": [{\\"name\\": \\"$name\\", \\"result\\": \\"success\\"}]}" >"$5"
echo "- $name" >>log
"""


@dataclass
class Session:
    """What its line in the log tells, and what was killed of it."""

    name: str
    slots: int
    nox: int
    keeper: int
    helper: int
    ended: bool = False
    killed: set[str] = field(default_factory=set)  # "helper", "helper, afterwards", "guard", …


def read_log(project: standin.Project) -> tuple[dict[str, Session], list[str]]:
    text = project.read("log") if os.path.exists(project.path("log")) else ""
    lines = text[: text.rfind("\n") + 1].splitlines()
    sessions: dict[str, Session] = {}
    for line in lines:
        sign, name, *more = line.split()
        if sign == "+":
            sessions[name] = Session(name, *(int(number) for number in more))
        else:
            sessions[name].ended = True
    return sessions, lines


def make_project(folder: str, rnd: random.Random, count: int) -> standin.Project:
    project = standin.Project(folder, STAGE)
    project.environment[MARK] = os.path.basename(folder) + str(os.getpid())
    project.write("nox", NOX)
    config: dict = {"session": {}}
    for i in range(count):
        section: dict = config["session"].setdefault(f"s{i}", {})
        if rnd.random() < 0.1:
            section["uses"] = [rnd.choice(["port", "database"])]
        if rnd.random() < 0.2:
            section["jobs"] = rnd.choice([2, "1..2", "1..all", 3])
        leaves = rnd.choices(["", "plain", "deaf"], [95, 4, 1])[0]
        project.write(f"seconds/s{i}", f"{rnd.uniform(0.005, 0.15):.3f} {leaves}\n")
    project.tell([{"name": f"s{i}"} for i in range(count)], list(range(count)), config,
                 project.fork())
    return project


# Processes

def read_proc(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def is_there(pid: int) -> bool:
    stat = read_proc(pid, "stat").rpartition(b") ")[2]
    return bool(stat) and stat[:1] not in (b"Z", b"X")


def of_project(project: standin.Project) -> list[int]:
    mark = f"{MARK}={project.environment[MARK]}".encode() + b"\0"
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if mark in read_proc(pid, "environ") and is_there(pid)]


def parent_of(pid: int) -> int:
    fields = read_proc(pid, "stat").rpartition(b") ")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def target_of(pid: int) -> str:
    """Of which session it is: by what that has exported, or the helper above it; or ""."""
    for variable in read_proc(pid, "environ").split(b"\0"):
        if variable.startswith(b"SWARM_OF_TEST_SESSION="):
            return variable.decode().partition("=")[2]
    while pid > 1:
        words = read_proc(pid, "cmdline").split(b"\0")
        if words[0].endswith(b"noxmk") and b"run" in words:
            return words[-2].decode()
        if b"--report" in words:
            return words[words.index(b"--report") - 1].decode().rpartition("=")[2]
        # One that is forked has a keeper that names the helper's.
        pid = int(words[2]) if words[0] == b"noxmk-keeper" else parent_of(pid)
    return ""


@dataclass
class Kills:
    done: int = 0
    make: bool = False  # in this round
    lines: int | None = None  # of the log, when make was killed
    by_target: dict[str, set[str]] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)


def kill_one(project: standin.Project, make: int, rnd: random.Random, kills: Kills) -> None:
    there = of_project(project)
    if not there:
        return
    pid = rnd.choice(there)
    target = target_of(pid)
    sessions, _ = read_log(project)
    session = sessions.get(target)
    role = "other"
    if read_proc(pid, "comm") == b"noxmk-guard\n":
        role = "guard"
    elif target and parent_of(pid) == make:
        role = "helper"
        if session and session.ended and not is_there(session.nox):
            role = "helper, afterwards"
    elif session and pid == session.keeper:
        role = "keeper"
    if pid == make:
        kills.lines = len(read_log(project)[1])
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    kills.done += 1
    kills.make = kills.make or pid == make
    kills.by_target.setdefault(target, set()).add(role)
    words = read_proc(pid, "cmdline").split(b"\0")
    kills.story.append(f"{time.monotonic():.3f} {pid} {'make' if pid == make else role} "
                       f"{target} {words[:1]} {session}")


# What must hold

def most_slots(lines: list[str], without: dict[str, set[str]]) -> int:
    busy: dict[str, int] = {}
    most = 0
    for line in lines:
        sign, name, *more = line.split()
        if sign == "+" and name not in without:
            busy[name] = int(more[0])
        elif sign == "-":
            busy.pop(name, None)
        most = max(most, sum(busy.values()))
    return most


def verdict_of(run: str, name: str) -> tuple[str, str]:
    """And why."""
    try:
        with open(os.path.join(run, f"{name}.json"), encoding="utf-8") as file:
            record = json.load(file)
        return record["verdict"], record["reason"]
    except (FileNotFoundError, ValueError):
        return "", ""


def wrong_verdicts(run: str, sessions: dict[str, Session], kills: Kills) -> list[str]:
    wrong = []
    for session in sessions.values():
        session.killed = kills.by_target.get(session.name, set())
        verdict, reason = verdict_of(run, session.name)
        # Make alone knows that a session of a killed make was cancelled.
        if not session.ended and verdict == "passed":
            wrong.append(f"{session.name} has passed, and never ended")
        if not session.ended and not session.killed and not kills.make:
            wrong.append(f"{session.name} was not killed, and never ended: {verdict}: {reason}")
        if not session.ended or not session.killed <= HELPER | HARMLESS:
            continue
        if not verdict:
            wrong.append(f"{session.name} has ended, and has no record ({session.killed})")
        elif verdict != "passed" and session.killed <= HARMLESS and not kills.make:
            wrong.append(f"{session.name} has ended, and is {verdict}: {reason} "
                         f"({session.killed})")
    return wrong


def survivors(project: standin.Project, kills: Kills) -> list[str]:
    limit = time.monotonic() + GRACE
    while (there := of_project(project)) and time.monotonic() < limit:
        time.sleep(0.05)
    told = []
    for pid in there:
        killed = kills.by_target.get(target_of(pid), set())
        if "keeper" not in killed or not killed & HELPER:
            told.append(f"left: {read_proc(pid, 'cmdline')!r} of {target_of(pid)} ({killed})")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return told


def await_phase(project: standin.Project, make: subprocess.Popen, rnd: random.Random) -> None:
    """Often until sessions run; else it still plans, or begins."""
    if rnd.random() < 0.2:
        time.sleep(rnd.uniform(0, 0.3))
        return
    while not project.read("log") and make.poll() is None:
        time.sleep(0.01)


def one_make(project: standin.Project, program: str, jobs: int, rnd: random.Random, kills: Kills,
             left: int, gap: float) -> tuple[list[str], int | None]:
    """One make, and at most so many kills during it: what is wrong, and its exit code."""
    runs = set(glob.glob(project.path(".nox/.noxmk/runs/2*")))
    kills.make, kills.lines, kills.by_target, kills.story = False, None, {}, []
    project.write("log", "")
    project.write("noxfile.py", f"# {time.time()}\n")
    with open(project.path("err"), "w", encoding="utf-8") as err:
        make = subprocess.Popen([program, "-I", f"{STAGE}/include", f"-j{jobs}", "ci"],
                                cwd=project.folder, env=project.environment,
                                stdin=subprocess.DEVNULL, stdout=err, stderr=err)
    last, limit = kills.done + left, time.monotonic() + PATIENCE
    wrong = []
    if kills.done < last:
        await_phase(project, make, rnd)
    while kills.done < last and make.poll() is None and time.monotonic() < limit:
        kill_one(project, make.pid, rnd, kills)
        time.sleep(rnd.uniform(0, 2 * gap))
    try:
        make.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        make.kill()
        make.wait()
        wrong.append("make hangs")
    wrong += survivors(project, kills)
    sessions, lines = read_log(project)
    run = set(glob.glob(project.path(".nox/.noxmk/runs/2*"))) - runs
    wrong += wrong_verdicts(max(run, default=""), sessions, kills)
    said = project.read("err")
    owed = sum("guard" in roles and not roles.isdisjoint(HELPER)
               for roles in kills.by_target.values())
    # What is owed at the end `noxmk end` mends, which is of no session.
    may_be_owed = owed > 0 and "" in kills.by_target
    if "INTERNAL" in said and not kills.make and not may_be_owed:
        wrong.append(next(line for line in said.splitlines() if "INTERNAL" in line))
    most = most_slots(lines[:kills.lines], kills.by_target)
    if most > jobs + owed:
        wrong.append(f"{most} slots in use of {jobs}")
    return wrong, make.returncode


def one_seed(seed: int, program: str, options: argparse.Namespace) -> tuple[int, int, str]:
    """How many were killed, in how many makes; what is wrong, or nothing."""
    rnd = random.Random(seed)
    kills, makes, wrong = Kills(), 0, []
    gap = options.sessions * 0.02 / max(options.kills, 1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        project = make_project(os.path.join(folder, f"swarm{seed}"), rnd, options.sessions)
        while kills.done < options.kills and not wrong:
            left = options.kills - kills.done
            wrong, _ = one_make(project, program, options.jobs, rnd, kills, left, gap)
            makes += 1
        if not wrong:
            wrong, code = one_make(project, program, options.jobs, rnd, kills, 0, gap)
            if code != 0:
                wrong.append(f"the last make, undisturbed, exits with {code}: "
                             + project.read("err")[-500:])
    if not wrong:
        return kills.done, makes, ""
    if options.verbose:
        wrong += ["", *kills.story]
    return kills.done, makes, f"--seed {seed} --make {program}: {'; '.join(wrong)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=60, help="how many [60]")
    parser.add_argument("--jobs", type=int, default=16, help="make's -j [16]")
    parser.add_argument("--kills", type=int, default=12, help="with each seed [12]")
    parser.add_argument("--seeds", type=int, default=2, help="for each make [2]")
    parser.add_argument("--seed", type=int, default=1, help="the first one [1]")
    parser.add_argument("--make", action="append", help="a make [all that are there]")
    parser.add_argument("-v", "--verbose", action="store_true", help="of a failure, all kills")
    options = parser.parse_args()
    tests = 0
    failed = 0
    for program in options.make or MAKES:
        for seed in range(options.seed, options.seed + options.seeds):
            count, makes, wrong = one_seed(seed, program, options)
            tests += 1
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {tests} {os.path.basename(program)}, seed {seed}:"
                  f" {count} killed in {makes} makes of {options.sessions} sessions", flush=True)
            if wrong:
                print("#   " + wrong.replace("\n", "\n#   "), flush=True)
    print(f"1..{tests}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
