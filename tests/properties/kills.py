#!/usr/bin/env python3
"""Helpers killed -9 at random: job slots must come out right.

    tests/properties/kills.py [--kills N] [--seed S] [--jobs N]

Again and again a real make runs sessions that take one or several slots, share a resource, and
note when they start and end. Some makes run at once, each in a project of its own: they wait more
than they compute. At a random moment one or two of the helpers are killed. Then make
must end, by itself and without a word about its tokens (`INTERNAL`); all other sessions must have
run; and never may more slots have been in use than there are. What a killed helper has started
lives on for a while, and counts no more. TAP on stdout. A failure tells the seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
NEWER_MAKE = os.path.join(standin.TOP, "build", "peers", "make-4.4.1", "bin", "make")
MAKES = [os.environ.get("MAKE") or "make", *filter(os.path.exists, [NEWER_MAKE])]
SESSIONS = 8
PATIENCE = 180  # seconds, some hundred times as long as it takes

# In place of nox: notes the slots in use (what its helper holds, by NOXMK_SLOTS).
NOX = """#!/bin/sh
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
    exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=}
read -r seconds <"seconds/$name"
read -r _ _ _ helper _ </proc/$PPID/stat # behind its keeper
echo "+ $name ${NOXMK_SLOTS-1} $helper" >>log
sleep "$seconds"
echo "- $name" >>log
echo "{\\"sessions\\": [{\\"name\\": \\"$name\\", \\"result\\": \\"success\\"}]}" >"$5"
"""


def make_project(folder: str, rnd: random.Random) -> standin.Project:
    project = standin.Project(folder, STAGE)
    project.write("nox", NOX)
    config: dict = {"session": {}}
    for i in range(SESSIONS):
        section: dict = config["session"].setdefault(f"s{i}", {})
        if rnd.random() < 0.4:
            section["uses"] = ["port"]
        if rnd.random() < 0.5:
            section["jobs"] = rnd.choice([2, "1..2", "1..all", "2..all", 3])
        project.write(f"seconds/s{i}", f"{rnd.uniform(0.01, 0.08):.3f}\n")
    project.tell([{"name": f"s{i}"} for i in range(SESSIONS)], list(range(SESSIONS)), config,
                 project.fork())
    project.plan().check_returncode()
    return project


def helpers(make: int) -> list[tuple[int, str]]:
    """The children of make that run a session, and which."""
    found = []
    try:
        with open(f"/proc/{make}/task/{make}/children", encoding="ascii") as file:
            pids = file.read().split()
    except OSError:
        return []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if b"run" in words and words[0].endswith(b"noxmk"):
            found.append((int(pid), words[-2].decode()))
    return found


def kill_some(make: subprocess.Popen, rnd: random.Random) -> dict[str, int]:
    """Kills one or two helpers at random moments: their targets and pids."""
    killed: dict[str, int] = {}
    for _ in range(rnd.choice([1, 1, 2])):
        # How long make reads, plans and begins before is the machine's business.
        while make.poll() is None and not helpers(make.pid):
            time.sleep(0.001)
        time.sleep(rnd.uniform(0, 0.06))
        there = helpers(make.pid)
        if there and make.poll() is None:
            pid, target = rnd.choice(there)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed[target] = pid
    return killed


def most_slots(lines: list[str], killed: dict[str, int]) -> int:
    busy: dict[str, int] = {}
    most = 0
    for line in lines:
        sign, name, *more = line.split()
        if sign == "+" and name not in killed:
            busy[name] = int(more[0])
        elif sign == "-":
            busy.pop(name, None)
        most = max(most, sum(busy.values()))
    return most


def passed(run: str, session: str) -> bool:
    """One that was killed has passed when it had just written that, or told its keeper so."""
    try:
        with open(os.path.join(run, f"{session}.json"), encoding="utf-8") as file:
            return json.load(file)["verdict"] == "passed"
    except OSError:
        return False


def one_run(seed: int) -> tuple[int, str]:
    """How many were killed; what is wrong, or nothing."""
    rnd = random.Random(seed)
    slots, program = rnd.choice([2, 3, 4]), rnd.choice(MAKES)
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(os.path.join(folder, "project"), rnd)
        command = [program, "-I", f"{STAGE}/include", f"-j{slots}", "ci"]
        with open(project.path("err"), "w", encoding="utf-8") as err:
            make = subprocess.Popen(command, cwd=project.folder, env=project.environment,
                                    stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        killed = kill_some(make, rnd)
        try:
            make.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            make.kill()
            make.wait()
            return len(killed), f"seed {seed}: make -j{slots} hangs after {killed}"
        said = project.read("err")
        lines = project.read("log").splitlines() if os.path.exists(project.path("log")) else []
        run = os.path.realpath(project.path(".nox/.noxmk/latest"))
        wrong = []
        if "INTERNAL" in said:
            wrong.append(next(line for line in said.splitlines() if "INTERNAL" in line))
        for i in range(SESSIONS):
            record = os.path.join(run, f"s{i}.json")
            if f"s{i}" in killed:
                continue
            if not os.path.exists(record):
                wrong.append(f"s{i} has no record")
            elif not passed(run, f"s{i}"):
                wrong.append(f"s{i}: {project.read(record)}")
        if most_slots(lines, killed) > slots:
            wrong.append(f"{most_slots(lines, killed)} slots in use of {slots}")
        if (make.returncode == 0) != all(passed(run, name) for name in killed):
            wrong.append(f"make exits with {make.returncode} after {killed}")
        time.sleep(0.1)  # what was started by the killed ends
        if not wrong:
            return len(killed), ""
        return len(killed), f"seed {seed}, make -j{slots}, killed {killed}: {'; '.join(wrong)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="how many [200]")
    parser.add_argument("--seed", type=int, default=1, help="of the first run [1]")
    parser.add_argument("--jobs", type=int, default=4, help="how many makes at once [4]")
    options = parser.parse_args()
    kills, seed, wrong = 0, options.seed, []
    with ThreadPoolExecutor(options.jobs) as pool:
        while kills < options.kills:
            for count, what in pool.map(one_run, range(seed, seed + options.jobs)):
                kills += count
                seed += 1
                if what:
                    wrong.append(what)
    print(f"{'not ok' if wrong else 'ok'} 1 {kills} helpers killed in {seed - options.seed} runs:"
          f" {len(wrong)} went wrong")
    for line in wrong[:5]:
        print("#   " + line)
    print("1..1")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
