"""What does a log cost? Much output through a session, next to `cat FILE >LOG`.

A shell script stands in for nox and writes a file of lines to its standard output. The secrets are
two variables whose values the log must not show.
"""

from __future__ import annotations

import argparse
import os
import tempfile

import side_by_side
from side_by_side import INCLUDE, MAKE, Contestant, standin

# In place of nox.
WRITES = standin.NOX.replace('read -r seconds <"seconds/$name" && sleep "$seconds"', "cat big")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench logs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many [3]")
    parser.add_argument("--mib", type=int, default=1024, help="of output [1024]")
    parser.add_argument("--check", type=float, metavar="RATIO",
                        help="fail if a session takes longer than so many times cat's time")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-logs.json]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = standin.Project(os.path.join(folder, "project"), side_by_side.STAGE)
        line = b"tests/test_stock.py::test_receive[json] PASSED in 0.012 s, 40 bolts on a shelf\n"
        with open(project.path("big"), "wb") as file:
            for _ in range(options.mib):
                file.write((line * (2 ** 20 // len(line) + 1))[:2 ** 20])
        project.write("nox", WRITES)
        project.tell([{"name": "writer"}], [0], None)
        project.plan().check_returncode()
        make = (MAKE, *INCLUDE, "NOXMK_OUTPUT=failed", "NOXMK_KEEP=1", "writer")
        secrets = {"A_TOKEN": "hunter22-hunter22", "THE_PASSWORD": "correct horse battery"}
        results = side_by_side.compare([
            Contestant("`cat FILE >LOG`", ("sh", "-c", "cat big >out"), project.folder,
                       project.environment),
            Contestant("`cat FILE \\| cat >LOG`", ("sh", "-c", "cat big | cat >out"),
                       project.folder, project.environment),
            Contestant("`make writer`", make, project.folder, project.environment),
            Contestant("`make writer`, two secrets to hide", make, project.folder,
                       project.environment | secrets),
        ], options.rounds)
    side_by_side.keep("logs", {"options": vars(options), "results": results}, options.json)
    print(f"{options.mib} MiB, {options.rounds} rounds:\n")
    print(side_by_side.table(results, "`cat FILE >LOG`") + "\n")
    memory = max(run["kib"] for run in results["`make writer`"]) / 1024
    print(f"The largest process of the session's make is {memory:.0f} MiB.\n")
    ratio = side_by_side.median(results["`make writer`"]) / \
        side_by_side.median(results["`cat FILE >LOG`"])
    if options.check and ratio > options.check:
        raise SystemExit(f"the log takes {ratio:.1f} times as long as cat does")


if __name__ == "__main__":
    main()
