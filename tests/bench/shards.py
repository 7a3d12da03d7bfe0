#!/usr/bin/env python3
"""How near the longest shard of `noxmk matrix` comes to the shortest that there can be.

Random projects with a history, in which a shell script stands in for nox; some sessions need
others, some share a resource of their machine. CP-SAT of OR-Tools, which only this needs, is the
referee: it divides the same bundles by the measure of src/shard/divide.h, until it has proved the
optimum or its time is over; then its bound is what counts. And how long 5,000 sessions take. A
Markdown table.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import standin  # noqa: E402

PROCESSORS = 4


def make_project(folder: str, stage: str, rng: random.Random, count: int) -> dict:
    """The sessions' seconds, what each needs, and who has the resource."""
    project = standin.Project(folder, stage)
    names = [f"s{i}" for i in range(count)]
    spread = rng.choice([0.3, 1.0, 1.6])
    seconds = {n: round(1 + 30 * rng.lognormvariate(0, spread), 3) for n in names}
    needs = {n: [rng.choice(names[:i])] for i, n in enumerate(names)
             if i and rng.random() < rng.choice([0, 0.2])}
    users = [n for n in names if rng.random() < rng.choice([0, 0.3])]
    sections = {n: {"needs": needs[n]} for n in needs}
    for name in users:
        sections.setdefault(name, {})["uses"] = ["db"]
    project.tell([{"name": n} for n in names], list(range(count)), {"session": sections})
    project.write("history.json", json.dumps(
        {"schema": 1, "sessions": {n: [seconds[n]] for n in names}}))
    return {"project": project, "seconds": seconds, "needs": needs, "users": users}


def bundles_of(case: dict) -> list[dict]:
    root = {n: n for n in case["seconds"]}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for name, others in case["needs"].items():
        for other in others:
            root[find(name)] = find(other)
    end: dict[str, int] = {}
    bundles: dict[str, dict] = {}
    for name, seconds in case["seconds"].items():
        ms = round(seconds * 1000)
        end[name] = ms + max((end[o] for o in case["needs"].get(name, [])), default=0)
        bundle = bundles.setdefault(find(name), {"names": [], "work": 0, "least": 0, "db": 0})
        bundle["names"].append(name)
        bundle["work"] += -(-ms // PROCESSORS)
        bundle["least"] = max(bundle["least"], end[name])
        bundle["db"] += ms if name in case["users"] else 0
    return list(bundles.values())


def divide(case: dict, shards: int, stage: str) -> list[set[str]]:
    done = case["project"].run(f"{stage}/bin/noxmk", "matrix", "--shards", str(shards), "--json",
                               NOX="./nox", NOXMK_HISTORY="history.json")
    if done.returncode:
        sys.exit(done.stderr)
    return [set(s["targets"].split()) for s in json.loads(done.stdout)["include"]]


def length_of(bundles: list[dict], shards: list[set[str]]) -> int:
    """The longest shard; each session must be in one of them, bundles whole."""
    longest = max(b["least"] for b in bundles)
    seen = sum(len(s) for s in shards)
    if seen != sum(len(b["names"]) for b in bundles):
        sys.exit("a session is in no shard, or in two")
    for shard in shards:
        mine = [b for b in bundles if shard & set(b["names"])]
        if any(not set(b["names"]) <= shard for b in mine):
            sys.exit("what belongs together is apart")
        longest = max(longest, sum(b["work"] for b in mine), sum(b["db"] for b in mine))
    return longest


def referee(bundles: list[dict], shards: int, seconds: float) -> tuple[float, bool]:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    longest = model.NewIntVar(0, sum(b["work"] + b["db"] + b["least"] for b in bundles), "")
    at = [[model.NewBoolVar("") for _ in range(shards)] for _ in bundles]
    for row, bundle in zip(at, bundles):
        model.AddExactlyOne(row)
        model.Add(longest >= bundle["least"])
    for k in range(shards):
        for key in ("work", "db"):
            model.Add(sum(row[k] * b[key] for row, b in zip(at, bundles)) <= longest)
    model.Minimize(longest)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    status = solver.Solve(model)
    plain = max(sum(b[key] for b in bundles) / shards for key in ("work", "db"))
    bound = max(solver.BestObjectiveBound(), plain, *(b["least"] for b in bundles))
    return bound, status == cp_model.OPTIMAL


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3, help="for the referee, each time")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stage = os.environ["STAGE"]
    rng = random.Random(options.seed)
    ratios: dict[int, list[float]] = {2: [], 4: [], 8: []}
    proved = 0
    for _ in range(options.projects):
        with tempfile.TemporaryDirectory() as folder:
            case = make_project(folder, stage, rng, rng.randrange(5, 60))
            bundles = bundles_of(case)
            for shards, list_of in ratios.items():
                length = length_of(bundles, divide(case, shards, stage))
                bound, is_optimum = referee(bundles, shards, options.seconds)
                proved += is_optimum
                list_of.append(length / bound)
    print("| machines | median | worst |\n|---|---|---|")
    for shards, list_of in ratios.items():
        print(f"| {shards} | {statistics.median(list_of):.4f} | {max(list_of):.4f} |")
    print(f"\n{proved} of {3 * options.projects} optima are proved; else the bound counts.")
    with tempfile.TemporaryDirectory() as folder:
        case = make_project(folder, stage, rng, 5000)
        divide(case, 8, stage)
        began = time.monotonic()
        divide(case, 8, stage)
        print(f"5,000 sessions among 8 machines: {time.monotonic() - began:.2f} s.")
    worst = max(max(list_of) for list_of in ratios.values())
    return 0 if not math.isnan(worst) and worst <= 1.10 else 1


if __name__ == "__main__":
    sys.exit(main())
