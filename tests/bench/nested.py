"""Do sessions that fan out to all processors overload the machine, and what does that cost?

A project of three sessions, each of which uses all processors if nobody tells it otherwise: pytest
with xdist's `-n auto`, a ninja build, and an OpenMP program. All work is a fixed amount of
computing. It is run by

- make -jN with noxmk, each session with one slot (and the jobserver for ninja), and
- the same with `jobs = "1..all"`, which takes what is free when the session starts,
- the same with `jobs = N`: one session after the other, each with all slots,
- nox -j auto (newest nox), all sessions allowed to run in parallel,
- tox run-parallel, with the same commands,
- make -jN, whose recipes are `nox -s SESSION`,
- nox, one session after the other.

in turns, and in the other order every second round. What is runnable is sampled all the time: the
threads in state R (proc(5)) of the programs that compute: the leaves of the build, the loop, and
pytest's workers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
MAKE = os.environ.get("MAKE") or "make"
PEERS = os.path.join(standin.TOP, "build", "peers")
NOX = os.path.join(PEERS, "nox-newest", "bin", "nox")
NINJA = os.path.join(PEERS, "ninja", "bin", "ninja")
TOOLS = os.path.join(PEERS, "nested")
BURN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "burn.c")
TICK = 0.02  # seconds between two samples

NOXFILE = """import nox
def define(name, *command):
    @nox.session(name=name, python=False)
    def run(session):
        session.run(*command, external=True)
define("tests", {python!r}, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", "tests")
define("build", {ninja!r})
define("loop", "./burn-openmp", "{millions}", "64")
"""

TESTS = """import pytest
@pytest.mark.parametrize("number", range(16))
def test_burn(number):
    x = number
    for i in range({steps}):
        x = (x * 16807) % 2147483647
"""


def sh(*command: str, cwd: str | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def get_tools() -> str:
    """The python of an environment with pytest-xdist and tox, made once."""
    python = os.path.join(TOOLS, "bin", "python")
    if not os.path.exists(os.path.join(TOOLS, "bin", "tox")):
        shutil.rmtree(TOOLS, ignore_errors=True)
        sh(sys.executable, "-m", "venv", TOOLS)
        sh(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "pytest",
           "pytest-xdist", "tox")
    return python


def make_project(folder: str, seconds: float, slots: str) -> standin.Project:
    """slots: what each session takes."""
    python = get_tools()
    project = standin.Project(folder, STAGE)
    project.environment["NOX"] = NOX
    sh("gcc", "-O2", "-o", "burn", BURN, cwd=folder)
    sh("gcc", "-O2", "-fopenmp", "-o", "burn-openmp", BURN, cwd=folder)
    millions, steps = measure(project, python, seconds)
    project.write("noxfile.py", NOXFILE.format(python=python, ninja=NINJA, millions=millions))
    os.mkdir(project.path("tests"))
    project.write("tests/test_burn.py", TESTS.format(steps=steps // 16))
    builds = "".join(f"build out/{i}: burn\n" for i in range(16))
    project.write("build.ninja", f"rule burn\n  command = ./burn {millions // 16}\n{builds}")
    project.write("pyproject.toml", "".join(
        f"[tool.noxmk.session.{name}]\njobs = \"{slots}\"\n" for name in SESSIONS))
    # For the other makes, and for tox.
    names = " ".join(SESSIONS)
    recipes = "".join(f"{name}: ; @{NOX} -s {name}\n" for name in SESSIONS)
    project.write("plain.mk", f".PHONY: {names}\nci: {names}\n{recipes}")
    project.write("tox.ini", f"""[tox]
env_list = tests, build, loop
no_package = true
[testenv]
allowlist_externals = *
pass_env = *
[testenv:tests]
commands = {python} -m pytest -q -n auto -p no:cacheprovider tests
[testenv:build]
commands = {NINJA}
[testenv:loop]
commands = ./burn-openmp {millions} 64
""")
    return project


SESSIONS = ("tests", "build", "loop")


def measure(project: standin.Project, python: str, seconds: float) -> tuple[int, int]:
    """How much work takes so long: millions of steps in C, steps in Python."""
    start = time.monotonic()
    sh("./burn", "200", cwd=project.folder)
    compiled = time.monotonic() - start
    start = time.monotonic()
    sh(python, "-c", "x = 1\nfor i in range(2000000): x = (x * 16807) % 2147483647")
    return int(200 * seconds / compiled), int(2000000 * seconds / (time.monotonic() - start))


def computes(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read()
    except OSError:
        return False
    # A worker of xdist reads its program from a pipe.
    return words.startswith(b"./burn") or b"sys.stdin.readline" in words


class Sampler(threading.Thread):
    """How many threads that compute are runnable below a process."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.counts, self.over = pid, [], threading.Event()

    def run(self) -> None:
        while not self.over.wait(TICK):
            self.counts.append(self.count())

    def count(self) -> int:
        parents, found = {}, 0
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                        fields = file.read().rpartition(")")[2].split()
                except OSError:
                    continue
                parents[int(entry)] = int(fields[1])
        below = {self.pid}
        for pid in sorted(parents):  # a child has a higher number, but for a wrap
            if parents[pid] in below:
                below.add(pid)
        for pid in filter(computes, below):
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8",
                              errors="replace") as file:
                        found += file.read().rpartition(")")[2].split()[0] == "R"
            except OSError:
                continue
        return found


def run_one(project: standin.Project, *command: str) -> dict:
    shutil.rmtree(project.path("out"), ignore_errors=True)
    environment = dict(project.environment)
    before, start = os.times(), time.monotonic()
    process = subprocess.Popen(command, cwd=project.folder, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    sampler = Sampler(process.pid)
    sampler.start()
    said, _ = process.communicate()
    seconds = time.monotonic() - start
    sampler.over.set()
    sampler.join()
    after = os.times()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{said}")
    return {"seconds": seconds, "peak": max(sampler.counts, default=0),
            "mean": statistics.mean(sampler.counts or [0]),
            "cpu": after.children_user + after.children_system -
            before.children_user - before.children_system}


def row(title: str, runs: list[dict], best: float) -> str:
    seconds = [run["seconds"] for run in runs]
    return (f"| {title} | {max(run['peak'] for run in runs)} | "
            f"{statistics.mean(run['mean'] for run in runs):.1f} | "
            f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) | "
            f"{statistics.median(seconds) / best:.2f} | "
            f"{statistics.median(run['cpu'] for run in runs):.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench nested", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many [5]")
    parser.add_argument("--seconds", type=float, default=4.0,
                        help="of computing in each session [4]")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="N [the processors]")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-nested.json]")
    options = parser.parse_args()
    for program in (NOX, NINJA):
        if not os.path.exists(program):
            sys.exit(f"{program} is missing: scripts/peers fetches it")
    jobs, load = f"-j{options.jobs}", os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        ours = make_project(os.path.join(folder, "ours"), options.seconds, "1")
        greedy = make_project(os.path.join(folder, "greedy"), options.seconds, "1..all")
        whole = make_project(os.path.join(folder, "whole"), options.seconds, str(options.jobs))
        for other in (greedy, whole):
            for name in ("noxfile.py", "build.ninja", "tests/test_burn.py", "tox.ini"):
                shutil.copy(ours.path(name), other.path(name))  # the same work
        include = ("-I", f"{STAGE}/include")
        contestants = {
            "`make -jN ci`": (ours, (MAKE, *include, jobs, "ci")),
            "`make -jN ci`, `jobs = \"1..all\"`": (greedy, (MAKE, *include, jobs, "ci")),
            "`make -jN ci`, `jobs = N`": (whole, (MAKE, *include, jobs, "ci")),
            "`nox -j auto`": (ours, (NOX, "-j", "auto", "--allow-parallel")),
            "`tox run-parallel`": (ours, (os.path.join(TOOLS, "bin", "tox"), "run-parallel",
                                          "--parallel-no-spinner")),
            "make -jN with `nox -s`": (ours, (MAKE, "-f", "plain.mk", jobs, "ci")),
            "`nox`": (ours, (NOX,)),
        }
        results: dict[str, list[dict]] = {title: [] for title in contestants}
        for title, (project, command) in contestants.items():
            run_one(project, *command)  # environments, plans and durations
        for i in range(options.rounds):
            order = list(contestants.items())
            for title, (project, command) in order if i % 2 == 0 else reversed(order):
                results[title].append(run_one(project, *command))
    file = options.json or os.path.join(os.path.dirname(STAGE), "bench-nested.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"options": vars(options), "results": results}, out, indent=1)
    best = min(statistics.median(run["seconds"] for run in runs) for runs in results.values())
    print(f"Three sessions of {options.seconds:g} s of computing each, {options.rounds} rounds, "
          f"{os.cpu_count()} processors, N = {options.jobs}, load average {load:.1f} at the "
          f"start. All figures: {os.path.relpath(file)}\n")
    print("| | runnable, peak | mean | seconds, median (min-max) | / best | processor seconds |")
    print("|---|---|---|---|---|---|")
    for title, runs in results.items():
        print(row(title, runs, best))


if __name__ == "__main__":
    main()
