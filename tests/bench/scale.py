"""Does it stay in proportion with 100, 1,000 and 5,000 sessions, whatever -j says?

For each size: making the plan (the newest nox loads the noxfile), make reading it, and runs of all
sessions, for which a shell script stands in for nox, since starting Python so often would be
measured: with -jN, with -j1, and, up to 1,000 sessions, with a bare -j, which starts all helpers at
once. The largest process counts as memory.
"""

from __future__ import annotations

import argparse
import os
import tempfile

import overhead
import side_by_side
from side_by_side import INCLUDE, MAKE, NOX, Contestant, standin


# Each session is a process of its own at once under a bare -j, and few machines take more.
AT_ONCE = 1000

# Ratios of the least times of several runs. 1.05 and 0.65 are what they should be; the rest is for
# a machine on which others work, too. What they do to a run of a second only makes it longer, so
# that the least of more runs is nearer to the truth: what misses a bound is measured again.
BARE_MOST = 1.2
GAIN_LEAST = 0.8
AGAIN = 5


def missed(least: dict[str, float], jobs: int) -> str:
    """The bound that these times miss."""
    if least.get("-j", 0) > BARE_MOST * least["run"]:
        return f"a bare -j takes longer than -j{jobs}"
    if jobs > 1 and least["run"] > GAIN_LEAST * least["-j1"]:
        return f"-j{jobs} gains little over -j1"
    return ""


def least_of(steps: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    return {title: min(one["seconds"] for one in runs) for title, runs in steps.items()}


def measure(folder: str, count: int, jobs: int, rounds: int) -> dict[str, dict[str, float]]:
    project = standin.Project(folder, side_by_side.STAGE)
    project.write("noxfile.py", overhead.NOXFILE.format(count=count))
    helper = os.path.join(side_by_side.STAGE, "bin", "noxmk")

    def contestant(title: str, *command: str, nox: str = NOX) -> Contestant:
        return Contestant(title, command, folder, project.environment | {"NOX": nox})

    read = ("sh", "-c", f"{MAKE} -I {side_by_side.STAGE}/include -q nox-list || :")
    steps = side_by_side.compare([contestant("plan", helper, "plan", NOX),
                                  contestant("read", *read)], rounds, warm_up=False)
    # The same sessions, told by the stand-in.
    names = [{"name": f"s{i}"} for i in range(count)]
    for session in names:
        project.write(f"seconds/{session['name']}", "0\n")
    project.tell(names, list(range(count)), None)
    project.write("nox", standin.NOX.replace('&& sleep "$seconds"', "|| exit 2"))
    widths = {"run": f"-j{jobs}", "-j1": "-j1"} | ({"-j": "-j"} if count <= AT_ONCE else {})
    runs = [contestant(title, MAKE, *INCLUDE, width, f"NOXMK_JOBS={jobs}", "ci", nox="./nox")
            for title, width in widths.items()]
    project.plan().check_returncode()
    # Of a few sessions each run is short, and much of it is chance.
    repeats = max(rounds, AT_ONCE // 2 // count)
    timed = side_by_side.compare(runs, repeats, warm_up=count <= AT_ONCE)
    for _ in range(AGAIN):
        if not missed(least_of(timed), jobs):
            break
        for title, more in side_by_side.compare(runs, repeats, warm_up=False).items():
            timed[title] += more
    steps |= timed
    return {title: {"seconds": seconds, "mib": max(one["kib"] for one in steps[title]) / 1024}
            for title, seconds in least_of(steps).items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench scale", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="9,40,100,1000,5000",
                        help="[9,40,100,1000,5000]")
    parser.add_argument("--rounds", type=int, default=3, help="of planning and reading [3]")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="N [the processors]")
    parser.add_argument("--check", action="store_true",
                        help="fail if a session of the largest size costs twice as much as one of "
                             "the size before, if a bare -j takes longer than -jN, or if -jN gains "
                             "little")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-scale.json]")
    options = parser.parse_args()
    side_by_side.need(NOX)
    sizes = [int(size) for size in options.sizes.split(",")]
    figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        for size in sizes:
            figures[size] = measure(os.path.join(scratch, str(size)), size, options.jobs,
                                    options.rounds)
    side_by_side.keep("scale", figures, options.json)
    print("| sessions | plan | make reads it | a session, make -jN | -j | -j1 | -j / -jN | "
          "-jN / -j1 | largest process |\n|---|---|---|---|---|---|---|---|---|")
    for size, steps in figures.items():
        run, one, bare = (steps.get(title, {}).get("seconds") for title in ("run", "-j1", "-j"))
        print(f"| {size} | {steps['plan']['seconds']:.2f} s | {steps['read']['seconds']:.2f} s | "
              f"{1000 * run / size:.1f} ms | {f'{1000 * bare / size:.1f} ms' if bare else '–'} | "
              f"{1000 * one / size:.1f} ms | {f'{bare / run:.2f}' if bare else '–'} | "
              f"{run / one:.2f} | {max(step['mib'] for step in steps.values()):.0f} MiB |")
    print()
    last, before = ({title: step["seconds"] / size for title, step in figures[size].items()}
                    for size in (sizes[-1], sizes[-2]))
    worst = max(last[title] / before[title] for title in last if title in before)
    print(f"A session of {sizes[-1]} costs at most {worst:.2f} times what one of {sizes[-2]} "
          "does, at any step.\n")
    if options.check and worst > 2:
        raise SystemExit("it grows faster than the number of sessions")
    for size, steps in figures.items() if options.check else ():
        if bound := missed({title: step["seconds"] for title, step in steps.items()}, options.jobs):
            raise SystemExit(f"{size} sessions: {bound}")


if __name__ == "__main__":
    main()
