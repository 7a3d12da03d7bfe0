"""What the live board costs: many short sessions on a terminal, next to the same without a board.

A shell script stands in for nox. All runs are on a terminal of their own, which somebody reads, and
in turns, so that only the board differs. The processor time is that of make and all below it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import statistics
import struct
import tempfile
import termios
import time

import side_by_side
from side_by_side import standin

COLUMNS, LINES = 100, 40


def watch(project: standin.Project, command: tuple[str, ...]) -> dict[str, float]:
    """Seconds of wall time and of processors, and how often a board was drawn."""
    start, drawn = time.monotonic(), 0
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        os.chdir(project.folder)
        os.execvpe(command[0], command, project.environment)
    while True:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            break
        drawn += shown.count(b"\x1b7")
    _, status, usage = os.wait4(pid, 0)
    os.close(terminal)
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: exit {os.waitstatus_to_exitcode(status)}")
    return {"seconds": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime,
            "drawn": drawn}


def make_project(folder: str, count: int, seconds: float) -> standin.Project:
    project = standin.Project(folder, side_by_side.STAGE)
    names = [f"s{i}" for i in range(count)]
    project.tell([{"name": name} for name in names], list(range(count)), None)
    for name in names:
        project.write(f"seconds/{name}", f"{seconds * random.uniform(0.5, 1.5):.2f}\n")
    project.environment["TERM"] = "xterm"
    return project


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench board", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many [3]")
    parser.add_argument("--sessions", type=int, default=500, help="how many [500]")
    parser.add_argument("--seconds", type=float, default=1, help="that one takes in the mean [1]")
    parser.add_argument("--jobs", type=int, default=8, help="that run at once [8]")
    parser.add_argument("--seed", type=int, default=1, help="of their times [1]")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-board.json]")
    options = parser.parse_args()
    random.seed(options.seed)
    results: dict[str, list[dict[str, float]]] = {"failed": [], "board": []}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        project = make_project(os.path.join(scratch, "project"), options.sessions, options.seconds)
        make = (side_by_side.MAKE, *side_by_side.INCLUDE, f"-j{options.jobs}")
        watch(project, (*make, "nox-list"))  # the plan is made
        for i in range(options.rounds):
            for word in sorted(results, reverse=i % 2 == 0):
                results[word].append(watch(project, (*make, f"NOXMK_OUTPUT={word}", "ci")))
    side_by_side.keep("board", {"options": vars(options), "results": results}, options.json)
    print("| `NOXMK_OUTPUT` | wall time | processor time a session | boards a second |\n"
          "|---|---|---|---|")
    for word, runs in results.items():
        each = side_by_side.median(runs, "cpu") / options.sessions * 1e3
        rate = statistics.median(one["drawn"] / one["seconds"] for one in runs)
        print(f"| `{word}` | {side_by_side.median(runs):.1f} s | {each:.2f} ms | {rate:.1f} |")
    more = [(board["cpu"] - failed["cpu"]) / options.sessions * 1e3
            for board, failed in zip(results["board"], results["failed"])]
    print(f"\nThe board takes {statistics.median(more):.2f} ms of processors a session "
          f"({min(more):.2f} to {max(more):.2f}).\n")


if __name__ == "__main__":
    main()
