"""What does a session cost that does nothing?

A noxfile of many sessions without environment or command is run by

- nox -s SESSION, one process after the other: the baseline,
- make -j1 ci, make -jN ci and make -j ci, with noxmk; -jN also with NOXMK_FORK=0,
- xargs -PN nox -s and nox -j N (newest nox), which start as many processes,
- nox, all sessions in one process.
"""

from __future__ import annotations

import argparse
import os
import tempfile

import side_by_side
from side_by_side import INCLUDE, MAKE, NOX, Contestant, standin

NOXFILE = """import nox
def define(name):
    @nox.session(name=name, python=False)
    def run(session):
        pass
for i in range({count}):
    define(f"s{{i}}")
"""


def contestants(folder: str, count: int, jobs: int) -> list[Contestant]:
    project = standin.Project(folder, side_by_side.STAGE)
    project.environment["NOX"] = NOX
    project.write("noxfile.py", NOXFILE.format(count=count))
    names = " ".join(f"s{i}" for i in range(count))
    commands = {
        "`nox -s` each": ("sh", "-c", f"for s in {names}; do {NOX} -s $s || exit 1; done"),
        "`make -j1 ci`": (MAKE, *INCLUDE, "-j1", "ci"),
        "`make -jN ci`": (MAKE, *INCLUDE, f"-j{jobs}", "ci"),
        "`make -jN ci`, not forked": (MAKE, *INCLUDE, f"-j{jobs}", "NOXMK_FORK=0", "ci"),
        "`make -j ci`": (MAKE, *INCLUDE, "-j", f"NOXMK_JOBS={jobs}", "ci"),
        "`xargs -PN nox -s`": ("sh", "-c", f"echo {names} | xargs -P{jobs} -n1 {NOX} -s"),
        "`nox -j N`": (NOX, "-j", str(jobs), "--allow-parallel"),
        "`nox`, one process": (NOX,),
    }
    return [Contestant(title, command, folder, project.environment)
            for title, command in commands.items()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench overhead", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many [3]")
    parser.add_argument("--sessions", type=int, default=100, help="how many [100]")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="N [the processors]")
    parser.add_argument("--check", action="store_true",
                        help="fail if make -j1 ci uses more processor time than nox -s each")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-overhead.json]")
    options = parser.parse_args()
    side_by_side.need(NOX)
    with tempfile.TemporaryDirectory() as scratch:
        found = contestants(os.path.join(scratch, "project"), options.sessions, options.jobs)
        side_by_side.run(found[1])  # the plan is made
        results = side_by_side.compare(found, options.rounds, warm_up=False)
    side_by_side.keep("overhead", {"options": vars(options), "results": results}, options.json)
    print(f"{options.sessions} sessions that do nothing, N = {options.jobs}, {options.rounds} "
          f"rounds:\n\n{side_by_side.table(results, '`nox -s` each')}\n")
    ours, theirs = (min(one["cpu"] for one in results[title])
                    for title in ("`make -j1 ci`", "`nox -s` each"))
    print(f"A session takes {1000 * ours / options.sessions:.0f} ms of processors by make, and "
          f"{1000 * theirs / options.sessions:.0f} ms by nox -s: {ours / theirs:.2f}.\n")
    if options.check and ours > theirs * 1.05:
        raise SystemExit("noxmk costs more than nox -s does")


if __name__ == "__main__":
    main()
