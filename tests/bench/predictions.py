"""How near do the predictions of `noxmk report` come to what then happens?

The random projects of schedule.py, whose sessions only sleep, are run once with each of -j1, -j2,
-j4 and -j8, in an order of its own. What the report of each run predicts for the other -j is
compared with the wall time of the run with that. The exit status is 1 if half of the predictions
are off by more than 10 %, or a tenth by more than 25 %.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile

import schedule

SLOTS = (1, 2, 4, 8)


def results(project) -> dict:
    told = project.run(f"{schedule.STAGE}/bin/noxmk", "report", "--json")
    if told.returncode != 0:
        sys.exit(told.stderr)
    return json.loads(told.stdout)


def compare(seed: int, options) -> list[float]:
    """Predicted / measured, for each -j by the runs with each other."""
    instance = schedule.Instance(seed, options.least, options.most, options.seconds)
    found: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        project = schedule.stand_in(instance, os.path.join(folder, "project"))
        predicted, wall = {}, {}
        for slots in random.Random(seed).sample(SLOTS, len(SLOTS)):
            schedule.run_make(project, slots)
            told = results(project)
            predicted[slots], wall[slots] = told["predictions"]["jobs"], told["run"]["wall"]
    for told_by in predicted:
        ratios = {slots: predicted[told_by][str(slots)] / wall[slots]
                  for slots in SLOTS if slots != told_by}
        found += ratios.values()
        print(f"seed {seed}, by -j{told_by}:",
              *(f"-j{slots} {ratio:.3f}" for slots, ratio in ratios.items()), file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one [0]")
    parser.add_argument("--least", type=int, default=8, help="sessions")
    parser.add_argument("--most", type=int, default=20, help="sessions")
    parser.add_argument("--seconds", type=float, default=4, help="of a run, about")
    options = parser.parse_args()
    ratios = [r for i in range(options.instances)
              for r in compare(options.first + i, options)]
    off = sorted(abs(ratio - 1) for ratio in ratios)
    print("| predicted and measured wall time differ by | median | 90 % | worst |")
    print("|---|---|---|---|")
    print(f"| {len(off)} predictions | {statistics.median(off):.1%} "
          f"| {off[min(len(off) - 1, int(len(off) * 0.9))]:.1%} | {off[-1]:.1%} |")
    if statistics.median(off) > 0.1 or off[int((len(off) - 1) * 0.9)] > 0.25:
        sys.exit("predictions: more than 10 % (median) or 25 % (90 %)")


main()
