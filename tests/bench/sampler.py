"""What does it cost that a session's processes are looked at?

A program starts processes that do a fixed amount of work, and looks at them with the sampler
(src/slots/sampler.h) or does not, in turns. Two costs are told: the processor time of the looks, as
a part of the time that the work takes; and how much longer the work takes: the ratio of the least
times, and in brackets the quartiles of the ratios of neighbouring runs, which tell how far the
machine's other work blurs that.

With --sample the sample project's sessions are run, by this noxmk in turns with one whose helper
never looks: a copy of the sources is built for that.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import tempfile

import sample
import side_by_side
from side_by_side import standin

SOURCES = ("tests/bench/look.c", "src/slots/sampler.c", "src/state/samples.c",
           "src/base/json.c", "src/base/clock.c", "src/base/fd.c",
           "src/base/sig.c",
           "src/base/file.c", "src/base/process.c", "src/base/util.c")
KINDS = {
    "sleep": "that sleep, and wake each millisecond",
    "compute": "that compute",
    "threads": "of 8 threads that compute",
    "start": "that start `true` again and again",
    "memory": "that take and give back memory",
}


def build(folder: str) -> str:
    program = os.path.join(folder, "look")
    libbsd = subprocess.run(["pkg-config", "--cflags", "--libs", "libbsd", "jansson"], check=True,
                            capture_output=True, text=True).stdout
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-DLIBBSD_NETBSD_VIS", "-O2", "-pthread",
                    "-iquote", "src", "-o", program, *SOURCES, *shlex.split(libbsd)],
                   cwd=standin.TOP, check=True)
    return program


def measure(program: str, kind: str, processes: int, steps: int, looks: bool) -> dict:
    said = subprocess.run([program, kind, str(processes), str(steps), str(int(looks))],
                          check=True, capture_output=True, text=True)
    return json.loads(said.stdout)


def count_steps(program: str, kind: str, processes: int, seconds: float) -> int:
    """How many steps of that kind take so long."""
    steps = 8
    while True:
        took = measure(program, kind, processes, steps, False)["seconds"]
        if took > seconds / 4:
            return max(8, int(steps * seconds / took))
        steps *= 2


def row(kind: str, with_looks: list[dict], without: list[dict]) -> tuple[str, float]:
    cost = statistics.median(
        (one["cpu"] - other["cpu"]) / one["seconds"] for one, other in zip(with_looks, without))
    ratios = [one["seconds"] / other["seconds"] for one, other in zip(with_looks, without)]
    least = min(one["seconds"] for one in with_looks) / min(one["seconds"] for one in without)
    low, _, high = statistics.quantiles(ratios, n=4)
    pause = statistics.median(one["seconds"] / max(one["looks"], 1) for one in with_looks)
    return (f"| {KINDS[kind]} | {cost:.2%} | {least:.3f} ({low:.3f}-{high:.3f}) | "
            f"{pause * 1000:.0f} ms |", cost)


def build_blind(folder: str) -> str:
    """Stages a noxmk whose sampler's first look is never due."""
    for name in ("src", "mk", "scripts"):
        shutil.copytree(os.path.join(standin.TOP, name), os.path.join(folder, name))
    for name in ("GNUmakefile", "README.md", "LICENSE"):
        shutil.copy(os.path.join(standin.TOP, name), folder)
    path = os.path.join(folder, "src", "slots", "sampler.c")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    looks, never = "sampler->due = sampler->began + pauses[0];", "sampler->due = 1e18;"
    assert looks in text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(looks, never))
    subprocess.run([side_by_side.MAKE, "-s", "stage"], cwd=folder, check=True,
                   env=standin.clean_environment())
    return os.path.join(folder, "build", "stage")


def measure_sample(scratch: str, rounds: int, jobs: int) -> dict:
    found = []
    for title, stage in (("with looks", side_by_side.STAGE),
                         ("without", build_blind(os.path.join(scratch, "blind")))):
        one = sample.contestants(os.path.join(scratch, title), jobs, False)[1]
        with open(os.path.join(one.folder, "GNUmakefile"), "w", encoding="utf-8") as file:
            file.write(f"NOXMK := {stage}/bin/noxmk\ninclude {stage}/include/nox.mk\n")
        found.append(side_by_side.Contestant(title, one.command, one.folder, one.environment))
    return side_by_side.compare(found, rounds)


def tell_sample(results: dict) -> None:
    print("The sample's sessions with looks / without, "
          f"{len(results['without'])} rounds, the median of the pairs (quartiles):\n")
    for key, words in (("seconds", "wall time"), ("cpu", "processor time")):
        ratios = [one[key] / other[key]
                  for one, other in zip(results["with looks"], results["without"])]
        low, middle, high = statistics.quantiles(ratios, n=4)
        medians = [side_by_side.median(runs, key) for runs in results.values()]
        print(f"{words}: {middle:.3f} ({low:.3f}-{high:.3f}); of the medians "
              f"{medians[0] / medians[1]:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench sampler", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how many [9]")
    parser.add_argument("--processes", type=int, default=50, help="how many [50]")
    parser.add_argument("--seconds", type=float, default=3.0, help="that each run takes [3]")
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"which of [{','.join(KINDS)}]")
    parser.add_argument("--sample", action="store_true", help="run the sample's sessions instead")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="make's -j for that [the processors]")
    parser.add_argument("--check", type=float, metavar="PERCENT",
                        help="fail if looking takes more than that of a processor")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-sampler.json]")
    options = parser.parse_args()
    results, lines, worst = {}, [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        if options.sample:
            results = measure_sample(folder, options.rounds, options.jobs)
            side_by_side.keep("sampler", {"options": vars(options), "results": results},
                              options.json)
            tell_sample(results)
            return
        program = build(folder)
        for kind in options.kinds.split(","):
            steps = count_steps(program, kind, options.processes, options.seconds)
            runs: dict[bool, list[dict]] = {True: [], False: []}
            for i in range(2 * options.rounds):
                looks = i % 4 in (1, 2)  # without, with, with, without
                runs[looks].append(measure(program, kind, options.processes, steps, looks))
            results[kind] = {"with": runs[True], "without": runs[False], "steps": steps}
            line, cost = row(kind, runs[True], runs[False])
            lines.append(line)
            worst = max(worst, cost)
    side_by_side.keep("sampler", {"options": vars(options), "results": results}, options.json)
    print(f"{options.rounds} rounds:\n\n| {options.processes} processes | of a processor | "
          "wall time with / without: least (quartiles) | a look each |\n|---|---|---|---|")
    print("\n".join(lines))
    if options.check and worst * 100 > options.check:
        raise SystemExit(f"looking takes {worst:.2%} of a processor")


if __name__ == "__main__":
    main()
