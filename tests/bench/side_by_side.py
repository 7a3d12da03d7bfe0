"""What the benches share: contestants in turns, medians, and one way to print and keep them."""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Callable

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
MAKE = os.environ.get("MAKE") or "make"
PEERS = os.path.join(standin.TOP, "build", "peers")
NOX = os.path.join(PEERS, "nox-newest", "bin", "nox")
INCLUDE = ("-I", f"{STAGE}/include")

# What outlives its parents becomes ours: what it uses of processors counts as well.
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass
class Contestant:
    title: str
    command: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    before: Callable[[], None] | None = None  # of each run, and not measured


def used() -> float:
    """Processor seconds of all that has been waited for, by us and below."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(one: Contestant) -> dict[str, float]:
    """Seconds of wall time and of processors, and the largest process in KiB."""
    if one.before:
        one.before()
    start, before = time.monotonic(), used()
    process = subprocess.Popen(one.command, cwd=one.folder, env=one.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if process.returncode != 0:
        sys.exit(f"{one.title}: {' '.join(one.command)}: exit {process.returncode}\n{said[-4000:]}")
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return {"seconds": seconds, "cpu": used() - before, "kib": usage.ru_maxrss}


def compare(contestants: list[Contestant], rounds: int, warm_up: bool = True) -> \
        dict[str, list[dict[str, float]]]:
    """Each once for nothing, then all in turns, every second time the other way round."""
    results: dict[str, list[dict[str, float]]] = {one.title: [] for one in contestants}
    for one in contestants if warm_up else []:
        run(one)
    for i in range(rounds):
        for one in contestants if i % 2 == 0 else reversed(contestants):
            results[one.title].append(run(one))
    return results


def median(runs: list[dict[str, float]], key: str = "seconds") -> float:
    return statistics.median(one[key] for one in runs)


def machine() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    make = subprocess.run([MAKE, "--version"], capture_output=True, text=True, check=True)
    return (f"{datetime.date.today()}, {len(os.sched_getaffinity(0))} processors "
            f"({models[0] if models else platform.machine()}), Linux {platform.release()}, "
            f"{make.stdout.splitlines()[0]}, load {os.getloadavg()[0]:.1f}")


def table(results: dict[str, list[dict[str, float]]], baseline: str) -> str:
    """Ratios to the baseline's median, and where the time went."""
    base = median(results[baseline])
    lines = ["| | seconds, median (least-most) | of the time | processor seconds |",
             "|---|---|---|---|"]
    for title, runs in results.items():
        seconds = [one["seconds"] for one in runs]
        lines.append(f"| {title} | {median(runs):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) | "
                     f"{median(runs) / base:.2f} | {median(runs, 'cpu'):.1f} |")
    return "\n".join(lines)


def keep(name: str, figures: object, file: str | None = None) -> None:
    file = file or os.path.join(os.path.dirname(STAGE), f"bench-{name}.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"machine": machine(), "figures": figures}, out, indent=1)
    print(f"{machine()}. All figures: {os.path.relpath(file)}\n")


def need(*programs: str) -> None:
    for program in programs:
        if not os.path.exists(program):
            sys.exit(f"{program} is missing: scripts/peers fetches it")
