"""Random projects, drawn as width.md tells that projects are, and what they would take at least.

Seconds are those of one processor. A project is made small by scale(), which shortens all that it
does; what noxmk does itself, and its limits on time, stay as they are.
"""

from __future__ import annotations

import dataclasses
import math
import random

INFINITE = 1e9
# Where there is no limit of their own: more workers than any of the machines has processors.
MANY = 400


@dataclasses.dataclass
class Tool:
    """See tool.c."""

    kind: str = "narrow"
    work: float = 1.0
    most: int = 1
    boot: float = 0.0
    spawn: float = 0.0
    start: float = 0.0
    longest: float = 0.0
    busy: float = 1.0
    tail: float = 0.0

    def describe(self) -> str:
        """The file that tool.c reads."""
        return " ".join(map(str, dataclasses.astuple(self))) + "\n"

    def scaled(self, factor: float) -> "Tool":
        times = ("work", "boot", "spawn", "start", "longest", "tail")
        return dataclasses.replace(self, **{k: getattr(self, k) * factor for k in times})

    def acts(self, workers: int) -> list[tuple[float, int, float]]:
        """Seconds of work, how many share it, and the part of their time that they compute."""
        if self.kind == "elastic":
            return [(self.work, min(self.most, workers), 1)]
        if self.kind == "narrow" or self.kind == "ask" and workers == 1:
            return [(self.boot, 1, 1), (self.start, 1, 1), (self.work, 1, self.busy),
                    (self.tail, 1, 1)]
        useful = min(workers, self.most)
        alone = min(self.longest / 2, self.work) * (1 - 1 / useful)
        spawn = self.spawn * workers if workers > 1 else 0
        return [(self.boot, 1, 1), (2 * spawn, 2, 1),
                (max(0, self.start * workers - spawn), workers, 1),
                (self.work - alone, useful, self.busy), (alone, 1, self.busy), (self.tail, 1, 1)]

    def workers(self, told: int) -> int:
        """told: by a variable; 0: nothing, and `auto` has counted the processors before."""
        if self.kind == "ask":
            return max(1, min(told, self.most))
        return {"own": self.most, "narrow": 1}.get(self.kind, told)


@dataclasses.dataclass
class Session:
    name: str
    function: str
    command: list[str]
    pre: Tool
    tool: Tool
    requires: list[int] = dataclasses.field(default_factory=list)
    xdist: bool = False  # its environment has it
    exclusive: bool = False

    def acts(self, told: int) -> list[tuple[float, int, float]]:
        return self.pre.acts(1) + self.tool.acts(self.tool.workers(told))

    def seconds(self, told: int, processors: int) -> float:
        """Alone on a machine."""
        return sum(work / min(width, processors) for work, width, _ in self.acts(told))

    def work(self) -> float:
        """The least that it computes: with one worker."""
        return sum(work * busy for work, _, busy in self.acts(1))


class Draw:
    """One random project."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(f"fanout {seed}")
        rnd = self.rnd
        self.cold, self.wide = rnd.random() < 0.4, rnd.random() < 0.6
        self.kind = rnd.choices(("typical", "matrix", "grid", "compiled"), (45, 30, 10, 15))[0]
        self.hint = rnd.random() < (0.85 if self.wide else 0.4)
        self.as_module = rnd.random() < 0.5
        self.sessions: list[Session] = []
        small = self.small()
        first = 0 if rnd.random() < 0.4 else rnd.randrange(len(small) + 1)
        for name, command, tool in small[:first]:
            self.add(name, name, [command], tool)
        suites = self.suites()
        for name, command, tool in small[first:]:
            self.add(name, name, [command], tool)
        if rnd.random() < (0.6 if len(suites) > 1 else 0.3):
            self.add("coverage", "coverage", ["report"], Tool(work=self.about(2, 0.5, 0.5, 10)),
                     suites)
        if rnd.random() < 0.2:
            users = [s for s in self.sessions if s.function in ("tests", "integration")]
            for session in users[:rnd.randint(2, 4)]:
                session.exclusive = True

    def about(self, median: float, sigma: float, least: float, most: float) -> float:
        return min(most, max(least, self.rnd.lognormvariate(math.log(median), sigma)))

    def add(self, name: str, function: str, command: list[str], tool: Tool,
            requires: list[int] | None = None, xdist: bool = False) -> int:
        busy = 0.6 if self.cold else 0.9
        pre = self.about(9, 0.6, 2, 60) if self.cold else self.about(0.8, 0.5, 0.3, 4)
        tool.tail = tool.tail or 0.3
        self.sessions.append(Session(name, function, command, Tool(work=pre, busy=busy), tool,
                                     requires or [], xdist))
        return len(self.sessions) - 1

    def small(self) -> list[tuple[str, str, Tool]]:
        """Sessions beside the tests."""
        rnd, found = self.rnd, []
        for i in range(rnd.choice((1, 1, 2, 3))):
            found.append((f"lint{i}", "lint", Tool(work=self.about(4, 0.8, 0.5, 40))))
        if rnd.random() < 0.75:
            found.append(("types", "mypy", Tool("ask", self.about(20, 0.8, 3, 200),
                                                rnd.choice((2, 3, 4)), start=1.0)))
        if rnd.random() < 0.6:
            found.append(("docs", "build-docs", Tool(work=self.about(25, 0.8, 4, 300))))
        if rnd.random() < 0.3:
            found.append(("package", "package", Tool(work=self.about(8, 0.5, 2, 40))))
        rnd.shuffle(found)
        return found

    def tests(self, wide: bool, factor: float = 1.0) -> Tool:
        rnd, work = self.rnd, self.about(90, 1.0, 4, 1500) * factor
        tool = Tool("narrow", work, boot=self.about(1, 0.4, 0.4, 4))
        if rnd.random() < 0.15:
            tool.busy = rnd.uniform(0.3, 0.9)
        if wide:
            tool.kind = "auto"
            tool.most = rnd.choice((6, 10, 20)) if rnd.random() < 0.2 else MANY
            tool.spawn = self.about(0.06, 0.6, 0.03, 0.5)
            tool.start = min(self.about(1.5, 0.8, 0.4, 20), work / 4)
            tool.longest = work * rnd.uniform(0.02, 0.15)
            if rnd.random() < 0.1:
                tool.kind, tool.most = "own", 4
        return tool

    def add_tests(self, name: str, function: str, tool: Tool,
                  requires: list[int] | None = None) -> int:
        """With xdist there noxmk can tell that it may be wide; a script hides that."""
        words = {"auto": ["-n", "auto"], "own": ["-n", "4"]}.get(tool.kind, [])
        if tool.kind != "narrow" and not self.hint:
            command = ["run-tests"]
        else:
            command = (["python", "-m"] if self.as_module else []) + ["pytest", *words]
        tool.tail = self.about(1.2, 0.7, 0.3, 10)
        return self.add(name, function, command, tool, requires, self.hint)

    def suites(self) -> list[int]:
        """The tests; what a coverage session requires."""
        rnd, found = self.rnd, []
        count = {"typical": 1, "matrix": rnd.randint(3, 6), "grid": rnd.randint(6, 12),
                 "compiled": rnd.randint(1, 3)}[self.kind]
        base = self.tests(self.wide, 0.4 if self.kind == "grid" else 1)
        for i in range(count):
            requires = []
            if self.kind == "compiled":
                requires = [self.add(f"build{i}", "build", ["compile"],
                                     Tool("elastic", self.about(80, 0.9, 5, 900), 48))]
            own = dataclasses.replace(base, work=base.work * rnd.uniform(0.8, 1.25))
            found.append(self.add_tests(f"tests{i}", "tests", own, requires))
        if self.kind == "typical" and rnd.random() < 0.4:
            self.add_tests("integration", "integration", self.tests(rnd.random() < 0.3))
        if self.kind == "typical" and rnd.random() < 0.3:
            self.add_tests("doctest", "doctest", self.tests(False, 0.2))
        return found


def scale(sessions: list[Session], processors: int, seconds: float) -> float:
    """So that plain nox takes that many; the factor."""
    factor = seconds / plain_nox(sessions, processors)
    for session in sessions:
        session.pre, session.tool = session.pre.scaled(factor), session.tool.scaled(factor)
    return factor


def plain_nox(sessions: list[Session], processors: int) -> float:
    """One after the other, their tools told nothing."""
    return sum(s.seconds(1 if s.tool.kind == "ask" else processors, processors) for s in sessions)


def lower_bound(sessions: list[Session], processors: int) -> float:
    """Critical path, all work, users of the resource: each at its best width."""
    best = [min(s.seconds(told, processors) for told in range(1, processors + 1))
            for s in sessions]
    ends: list[float] = []
    for session, seconds in zip(sessions, best):
        ends.append(seconds + max((ends[i] for i in session.requires), default=0))
    users = sum(seconds for s, seconds in zip(sessions, best) if s.exclusive)
    return max(max(ends), sum(s.work() for s in sessions) / processors, users)


def simulate(sessions: list[Session], processors: int, told: dict[str, int], penalty: float,
             lonely: bool) -> float:
    """So many sessions at once as there are processors, in the noxfile's order: what machine.c
    should make of it. told: of each kind of tool; lonely: who has the resource is alone."""
    waiting, ended, running, now = list(range(len(sessions))), set(), {}, 0.0

    def may_start(i: int) -> bool:
        if sessions[i].exclusive and any(lonely or sessions[k].exclusive for k in running):
            return False
        if lonely and any(sessions[k].exclusive for k in running):
            return False
        return len(running) < processors and ended.issuperset(sessions[i].requires)

    while waiting or running:
        for i in list(waiting):
            if may_start(i):
                waiting.remove(i)
                acts = sessions[i].acts(told.get(sessions[i].tool.kind, 1))
                running[i] = [list(act) for act in acts if act[0] > 0]
        demand = sum(acts[0][1] * acts[0][2] for acts in running.values()) / processors
        slow = max(1.0, demand) * (1 + penalty * max(0.0, demand - 1))
        rates = {i: acts[0][1] / (1 + acts[0][2] * (slow - 1)) for i, acts in running.items()}
        step = min(running[i][0][0] / rate for i, rate in rates.items())
        now += step
        for i, rate in rates.items():
            running[i][0][0] -= rate * step
            if running[i][0][0] <= 1e-9:
                running[i].pop(0)
                if not running[i]:
                    del running[i]
                    ended.add(i)
    return now
