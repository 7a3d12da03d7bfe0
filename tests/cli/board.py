"""Watches a make on a terminal of so many columns, for board.sh: what is on the screen, and stays.

    board.py COLUMNS SCENARIO -- COMMAND...

The terminal is emulated (pyte). Each scenario is a function below; it plays with the run, and then
looks at what the terminal shows in the end, with all that has scrolled off. Exit status 1, after a
line for each thing that is wrong, unless all is well.
"""

import contextlib
import fcntl
import glob
import os
import re
import signal
import struct
import sys
import time

import pyte
from terminal import Terminal

LIMIT = 120
# What a line of the board begins with, if no line that stays does.
BOARD = re.compile(r"noxmk: \d+ of \d+ done|waiting: \d|  [a-z]+\d* +[\d.]+s ")


class Run(Terminal):
    def __init__(self, columns: int, command: list[str]) -> None:
        self.screen = pyte.HistoryScreen(columns, 24, history=10000)
        self.stream = pyte.ByteStream(self.screen)
        self.fed, self.faults, self.boards, self.killed = 0, [], [], 0
        self.begun = time.monotonic()
        super().__init__(columns, command)

    def fault(self, text: str) -> None:
        self.faults.append(text)

    def read(self) -> None:
        """Takes what was written, if anything was, and notes the board as it is now."""
        super().read()
        if self.fed < len(self.shown):
            self.stream.feed(self.shown[self.fed :])
            self.fed = len(self.shown)
            self.boards.append(self.board())

    def wait(self, what: str, condition) -> None:
        end = time.monotonic() + LIMIT
        while not condition() and self.status is None and time.monotonic() < end:
            self.read()
        if not condition():
            self.fault(f"never: {what}")

    def end(self) -> None:
        self.wait("the end", lambda: self.status is not None)
        self.drain()

    def lines(self) -> list[str]:
        """All lines, with those that have scrolled off."""
        columns = range(self.screen.columns)
        top = ["".join(line[x].data for x in columns) for line in self.screen.history.top]
        return [line.rstrip() for line in top + list(self.screen.display)]

    def board(self) -> list[str]:
        """The lines below the cursor's."""
        below = self.screen.display[self.screen.cursor.y + 1 :]
        return [line.rstrip() for line in below if line.strip()]

    def shows(self, pattern: str) -> bool:
        return any(re.search(pattern, line) for line in self.board())

    def drawer(self) -> int:
        """The process that draws, or 0: it has the lock of the table's head."""
        for path in glob.glob(f"{os.environ['XDG_RUNTIME_DIR']}/noxmk-*/*/.sessions.now"):
            with open(path, "rb") as table:
                lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
                lock = fcntl.fcntl(table, fcntl.F_GETLK, lock)
            kind, _, _, _, pid = struct.unpack("hhqqi4x", lock)
            if kind != fcntl.F_UNLCK:
                return pid
        return 0

    def check_end(self) -> None:
        """No board is left, no mode was changed, and nothing was drawn too often."""
        for line in self.lines():
            if BOARD.match(line):
                self.fault(f"left of the board: {line}")
        for odd in (rb"\x1b\[\?", rb"\x1b\[[\d;]*r", rb"\x1b[=>c]"):
            if re.search(odd, self.shown):
                self.fault(f"a mode is changed: {odd!r}")
        drawn, seconds = self.shown.count(b"\x1b7"), time.monotonic() - self.begun
        # Who takes over from one that was killed draws at once.
        if drawn > 10 * seconds + 1 + self.killed:
            self.fault(f"drawn {drawn} times in {seconds:.1f} s")

    def check_once(self, wanted: list[str]) -> None:
        """Each of these lines is there, just so and once, and they are in order."""
        lines = self.lines()
        at = -1
        for line in wanted:
            if lines.count(line) != 1:
                self.fault(f"{lines.count(line)} times: {line}")
            elif lines.index(line) < at:
                self.fault(f"out of order: {line}")
            else:
                at = lines.index(line)


def touch(name: str) -> None:
    open(name, "w", encoding="utf-8").close()


def masked(lines: list[str]) -> list[str]:
    return [re.sub(r" +", " ", re.sub(r"(\d+m)?\d[\d.]*s", "Ns", line)) for line in lines]


def processor_time() -> float:
    """Seconds that the helpers of this test have computed so far."""
    ticks = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii") as stat, \
                    open(os.path.dirname(path) + "/environ", "rb") as environ:
                name, _, rest = stat.read().partition(") ")
                ours = os.environb[b"XDG_RUNTIME_DIR"] in environ.read()
        except OSError:
            continue
        if ours and name.endswith("(noxmk"):
            ticks += sum(map(int, rest.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def check_idle(run: Run) -> None:
    """Those that wait, and the one who draws, hardly compute."""
    before, begun = processor_time(), time.monotonic()
    while time.monotonic() < begun + 1.5:
        run.read()
    used = (processor_time() - before) / (time.monotonic() - begun)
    if used > 0.5:
        run.fault(f"{used:.2f} processors are busy while nothing happens")


def golden(run: Run) -> None:
    """The board is as it should be, and in the end there is what there is without one."""
    with open("golden", encoding="utf-8") as file:
        wanted = file.read().splitlines()
    run.wait("the board", lambda: sorted(masked(run.board())) == sorted(wanted))
    if run.faults:
        print("the last one:", *run.boards[-1:])
    wide = max((len(line) for board in run.boards for line in board), default=0)
    if wide >= run.screen.columns:
        run.fault(f"a line of {wide} columns")
    touch("go")
    run.end()


def fails(run: Run) -> None:
    """How the log of one that fails ends is above the board at once, and not again at the end."""
    ends = [r"aborted +[\d.]+s  fails: on purpose", "    nox > Running session fails",
            r"    nox > Session fails aborted: on purpose\."]
    wanted = "\n".join(ends)
    run.wait("how the log ends", lambda: re.search(wanted, "\n".join(run.lines())))
    run.wait("the board", lambda: run.shows("one "))
    touch("go")
    run.end()
    times = len(re.findall(r"nox > Session fails aborted", "\n".join(run.lines())))
    if times != 1:
        run.fault(f"the end of the log is there {times} times")


def waits(run: Run) -> None:
    """One of the two has the slot, whichever."""
    run.wait("the board", lambda: run.shows("waiting: 1 for a job slot"))
    check_idle(run)
    touch("go")
    run.end()


def none(run: Run) -> None:
    """There is no board, nor anything else of one."""
    touch("go")
    run.end()
    for odd in (b"\x1b7", b"\x1bD", b"\x1b[J", b" done"):
        if odd in run.shown:
            run.fault(f"there is {odd!r}")


def foreign(run: Run) -> None:
    """What make's other recipes print is all there, line by line, while there is a board."""
    run.wait("the board", lambda: run.shows("one "))
    run.wait("the last recipe", lambda: "p6 says 30" in run.lines())
    run.wait("the board again", lambda: run.shows("one "))
    touch("go")
    run.end()
    for number in range(1, 7):
        run.check_once([f"p{number} says {i}" for i in range(1, 31)])
    if "what? an answer" not in run.lines():
        run.fault("a line in two parts is not whole")


def kills(run: Run) -> None:
    """The one who draws is killed, again and again; another takes over."""
    killed = set()
    deadline = time.monotonic() + 2 * LIMIT
    while len(killed) < int(os.environ["KILLS"]) and time.monotonic() < deadline:
        run.read()
        if run.status is not None:
            break
        pid = run.drawer()
        if pid and pid not in killed and run.board():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
                run.killed = len(killed)
    if len(killed) < int(os.environ["KILLS"]):
        run.fault(f"only {len(killed)} were killed")
    touch("go")
    run.end()
    print(f"killed {len(killed)}, drawn {run.shown.count(bytes([27]) + b'7')} times")


def resized(run: Run) -> None:
    run.wait("the board", lambda: run.shows("one "))
    run.screen.resize(24, 30)
    run.resize(30)
    run.boards.clear()
    run.wait("a narrow board", lambda: len(run.boards) > 3 and run.shows("one "))
    touch("go")
    run.end()


def stopped(run: Run) -> None:
    """^Z: the board is gone while make is stopped, and in the background; with fg it is back."""
    run.wait("the board", lambda: run.shows("one "))
    run.play("type \\x1a")
    run.play("stopped")
    run.wait("no board", lambda: not run.board())
    run.play("background")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        run.read()  # it would be drawn several times by then
    if run.board():
        run.fault("a board in the background")
    run.play("foreground")
    run.wait("the board again", lambda: run.shows("one "))
    touch("go")
    run.end()


def interrupted(run: Run) -> None:
    run.wait("the board", lambda: run.shows("one "))
    run.play("type \\x03")
    run.end()
    if not any("cancelled" in line for line in run.lines()):
        run.fault("no summary")


def dies(run: Run) -> None:
    """make is killed: the last helper sums up, and nothing is left."""
    run.wait("the board", lambda: run.shows("one "))
    run.play("kill make")
    end = time.monotonic() + LIMIT
    while not any("wall time" in line for line in run.lines()) and time.monotonic() < end:
        run.read()  # the status comes first


def main() -> None:
    at = sys.argv.index("--")
    run = Run(int(sys.argv[1]), sys.argv[at + 1 :])
    scenario = sys.argv[2]
    globals()[scenario](run)
    run.check_end()
    for fault in run.faults:
        print(fault)
    if run.faults:
        print(*run.lines(), sep="\n")
    with open("screen", "wb") as file:
        file.write(run.shown)
    sys.exit(bool(run.faults))


if __name__ == "__main__":
    main()
