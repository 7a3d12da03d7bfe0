#!/usr/bin/env python3
"""Random noxfiles and configurations, through the real `noxmk plan` and nox.mk in a real make.

    tests/properties/edges.py [--plans N] [--runs N] [--seed S]

Of each of N plans a real make reads sessions.mk and order.mk, and prints the graph that it would
run for random goals. That graph must have no cycle, contain just what was asked for, put any two
sessions in order that may not meet, and no others but those with a cue (cue.h). For some of
them make runs: a stand-in for the helper, which knows no locks, notes when each session starts and
ends. TAP on stdout. A failure tells the seed: `--seed S --plans 1` repeats it.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import itertools
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
NEWER_MAKE = os.path.join(standin.TOP, "build", "peers", "make-4.4.1", "bin", "make")
MAKES = [os.environ.get("MAKE") or "make", *filter(os.path.exists, [NEWER_MAKE])]

# In place of the helper: what runs and when, and no more.
HELPER = f"""#!/bin/sh
case $1 in
order) exec {STAGE}/bin/noxmk "$@" ;;
run)
    for target; do :; done
    echo "+ $target" >>log
    sleep 0.00$(($$ % 4))
    echo "- $target" >>log
esac
"""


class Wrong(Exception):
    """A property does not hold."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise Wrong(what)


@dataclasses.dataclass
class Session:
    """What a session is declared to be, in terms of make targets."""

    target: str
    name: str  # base name
    requires: set[str] = dataclasses.field(default_factory=set)  # needs, too
    after: set[str] = dataclasses.field(default_factory=set)
    writes: set[str] = dataclasses.field(default_factory=set)
    reads: set[str] = dataclasses.field(default_factory=set)
    amounts: dict[str, int] = dataclasses.field(default_factory=dict)
    alone: bool = False


class Case:
    """A random noxfile and configuration; what they mean, worked out in the plainest way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sessions: list[Session] = []
        self.facts: list[dict] = []
        self.capacities = {f"count.{i}": self.random.randint(2, 9)
                           for i in range(self.random.randint(0, 2))}
        self.plain = [f"res-{i}" for i in range(self.random.randint(0, 4))]
        self.config: dict = {}
        self.sections: dict[str, dict] = {}
        self.add_sessions()
        self.add_order()
        self.add_resources()
        self.add_groups()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def add_sessions(self) -> None:
        dense = self.random.choice([0.0, 0.1, 0.4])
        for i in range(self.random.randint(1, 14)):
            pythons = ["3.8", "3.12"] if self.chance(0.2) else [None]
            for python in pythons:
                target = f"s{i}-{python}" if python else f"s{i}"
                self.sessions.append(Session(target, f"s{i}"))
                self.facts.append({"name": f"s{i}", "session": target, "python": python,
                                   "requires": [], "notifies": []})
                if self.chance(dense / 2):
                    folder = self.random.randint(0, 2)
                    self.facts[-1]["envdir"] = f"/venvs/{folder}"
                    self.sessions[-1].writes.add(f"environment {folder}")
                if self.chance(0.03):
                    self.facts[-1]["parallel"] = False
                    self.sessions[-1].alone = True

    def section(self, name: str) -> dict:
        return self.sections.setdefault(name, {})

    def add_order(self) -> None:
        """Prerequisites, which follow a hidden order of the sessions, so that there is no cycle."""
        hidden = list(range(len(self.sessions)))
        self.random.shuffle(hidden)
        dense = self.random.choice([0.0, 0.05, 0.2])
        for earlier, later in itertools.combinations(hidden, 2):
            first, then = self.sessions[earlier], self.sessions[later]
            if not self.chance(dense):
                continue
            kind = self.random.choice(["requires", "notifies", "needs", "after"])
            if kind == "requires":
                self.facts[later]["requires"].append(earlier)
                then.requires.add(first.target)
            elif kind == "notifies":
                self.facts[earlier]["notifies"].append(later)
                then.after.add(first.target)
            else:
                self.section(then.target).setdefault(kind, []).append(first.target)
                (then.requires if kind == "needs" else then.after).add(first.target)

    def add_resources(self) -> None:
        dense = self.random.choice([0.1, 0.3, 0.7])
        for name in self.plain:
            patterns = ["s*"] if self.chance(0.05) else []
            if self.chance(0.05) and any(s.target.endswith("-3.12") for s in self.sessions):
                patterns.append("*-3.12")
            patterns += [s.name if self.chance(0.2) else s.target
                         for s in self.sessions if self.chance(dense)]
            for pattern in dict.fromkeys(patterns):
                self.claim(pattern, name, "reads" if self.chance(0.5) else "uses")
        for name, capacity in self.capacities.items():
            for session in filter(lambda _: self.chance(dense), self.sessions):
                amount = self.random.randint(1, capacity)
                word = name if amount == capacity else f"{name}:{amount}"
                self.section(session.target).setdefault("uses", []).append(word)
                session.amounts[name] = amount
        for session in self.sessions:
            if self.chance(0.02):
                self.section(session.target)["alone"] = session.alone = True
        if any(session.alone for session in self.sessions):
            for session in self.sessions:
                (session.writes if session.alone else session.reads).add("everything")

    def claim(self, pattern: str, name: str, kind: str) -> None:
        words = self.section(pattern).setdefault(kind, [])
        if name not in words:
            words.append(name)
        for session in self.sessions:
            if any(fnmatch.fnmatchcase(word, pattern) for word in (session.target, session.name)):
                (session.reads if kind == "reads" else session.writes).add(name)

    def add_groups(self) -> None:
        count = range(len(self.sessions))
        self.queue = [i for i in count if self.chance(0.6)] or [0]
        self.goals = {session.target: {session.target} for session in self.sessions}
        for session in self.sessions:
            self.goals.setdefault(session.name, set())
        for session in self.sessions:
            self.goals[session.name].add(session.target)
        groups = {}
        for i in range(self.random.randint(0, 2)):
            members = self.random.sample(self.sessions, self.random.randint(1, len(self.sessions)))
            groups[f"group-{i}"] = [s.target for s in members]
            self.goals[f"group-{i}"] = {s.target for s in members}
        self.goals["ci"] = {self.sessions[i].target for i in self.queue}
        listed = dict.fromkeys(filter(lambda _: self.chance(0.5), self.plain), 1)
        self.config = {"resources": self.capacities | listed, "session": self.sections,
                       "group": groups}

    def write_history(self, project: standin.Project) -> None:
        """How long some of them took, so that there are cues."""
        known = self.random.choice([0, 0.5, 1])
        seconds = {session.target: [round(self.random.lognormvariate(1, 1), 2)]
                   for session in self.sessions if self.chance(known)}
        project.write("history.json", json.dumps({"schema": 1, "sessions": seconds}))
        project.environment["NOXMK_HISTORY"] = "history.json"

    def closure(self, goals: list[str]) -> set[str]:
        """What these goals run."""
        named = {session.target: session for session in self.sessions}
        found: set[str] = set()
        wanted = [target for goal in goals for target in self.goals[goal]]
        while wanted:
            target = wanted.pop()
            if target not in found:
                found.add(target)
                wanted += named[target].requires
        return found

    def conflict(self, a: Session, b: Session) -> bool:
        """May they never meet, whatever else runs?"""
        return bool(a.writes & (b.writes | b.reads) or b.writes & a.reads)


def reach(graph: dict[str, set[str]], starts) -> set[str]:
    found, wanted = set(), list(starts)
    while wanted:
        node = wanted.pop()
        if node not in found:
            found.add(node)
            wanted += graph.get(node, ())
    return found


def parse_database(text: str) -> dict[str, set[str]]:
    """Of `make -p`: target -> its prerequisites of both kinds."""
    graph: dict[str, set[str]] = {}
    # make 4.4 also prints what it had read before it began anew.
    for line in text[text.rindex("# Make data base"):].splitlines():
        match = re.match(r"([^\s#:=]+):(?![:=])([^=]*)$", line)
        if match:
            graph.setdefault(match[1], set()).update(match[2].replace("|", " ").split())
    return graph


RUN = ".noxmk/run/"


def read_cues(project: standin.Project) -> dict[str, str]:
    """By order.mk: sessions, and at whose end they are due."""
    if not os.path.exists(project.path(".nox/.noxmk/order.mk")):
        return {}  # a single session
    text = project.read(".nox/.noxmk/order.mk")
    return dict(re.findall(r"^_noxmk.cue/(\S+) := (\S+)$", text, re.M))


def check_graph(case: Case, goals: list[str], text: str, cues: dict[str, str]) -> None:
    everything = parse_database(text)
    asked = case.closure(goals)
    reached = {node[len(RUN):] for node in reach(everything, goals) if node.startswith(RUN)}
    require(reached == asked, f"{goals}: make would run {sorted(reached)}, not {sorted(asked)}")
    graph = {target: {node[len(RUN):] for node in everything.get(RUN + target, ())
                      if node.startswith(RUN)} for target in asked}
    before = {target: reach(graph, edges) for target, edges in graph.items()}
    for target in asked:
        require(target not in before[target], f"{target} waits for itself")
    sessions = [session for session in case.sessions if session.target in asked]
    for session in sessions:
        for other in (session.requires | session.after) & asked:
            require(other in before[session.target], f"{session.target} does not wait for {other}")
    extra = 0
    for a, b in itertools.combinations(sessions, 2):
        ordered = a.target in before[b.target] or b.target in before[a.target]
        require(ordered or not case.conflict(a, b), f"{a.target} and {b.target} may meet")
        for one, other in ((a, b), (b, a)):
            if other.target in graph[one.target] - one.requires - one.after:
                extra += 1
                require(case.conflict(a, b) or cues.get(one.target) == other.target,
                        f"{one.target} waits for {other.target} without a reason")
    claims = sum(len(s.writes) + len(s.reads) + len(s.amounts) for s in sessions)
    require(extra <= 2 * claims + len(cues), f"{extra} edges for {claims} claims")


def check_log(case: Case, goals: list[str], lines: list[str]) -> None:
    """What ran: all that was asked for, once, and never what may not meet."""
    named = {session.target: session for session in case.sessions}
    asked = case.closure(goals)
    running: dict[str, Session] = {}
    ended: set[str] = set()
    for line in lines:
        target = line[2:]
        session = named[target]
        if line[0] == "-":
            del running[target]
            ended.add(target)
            continue
        require(target not in running and target not in ended, f"{target} ran twice")
        for other in running.values():
            require(not case.conflict(session, other), f"{target} met {other.target}")
        missing = (session.requires | session.after) & asked - ended
        require(not missing, f"{target} ran before {missing}")
        running[target] = session
    require(ended == asked, f"{goals}: ran {sorted(ended)}, not {sorted(asked)}")


def one_case(seed: int, runs: bool) -> str | None:
    """None, or what is wrong."""
    case = Case(seed)
    folder = tempfile.mkdtemp()
    try:
        project = standin.Project(os.path.join(folder, "project"), STAGE)
        project.tell(case.facts, case.queue, case.config)
        case.write_history(project)
        planned = project.plan()
        require(planned.returncode == 0 and not planned.stderr, f"no plan: {planned.stderr}")
        for make in MAKES:
            goals = case.random.sample(sorted(case.goals), min(len(case.goals),
                                       case.random.choice([1, 1, 2, 3])))
            # NOXMK_RUN: as in a make within a run, which does not look at the plan's age.
            shown = project.make(make, "-pqrR", f"-j{case.random.choice([2, 4, 8])}", *goals,
                                 NOXMK_RUN="1-1-1")
            require("Circular" not in shown.stderr, shown.stderr)
            check_graph(case, goals, shown.stdout, read_cues(project))
            if runs:
                run_make(case, project, make, goals)
    except Wrong as error:
        return f"seed {seed}: {error}"
    finally:
        shutil.rmtree(folder)
    return None


def run_make(case: Case, project: standin.Project, make: str, goals: list[str]) -> None:
    project.write("helper", HELPER)
    os.chmod(project.path("helper"), 0o755)
    project.write("log", "")
    options = [f"-j{case.random.choice([1, 2, 4, 8])}"]
    if make == NEWER_MAKE:
        options.append(f"--shuffle={case.random.randint(1, 10**6)}")
    ran = project.make(make, *options, *goals, "NOXMK=./helper", NOXMK_RUN="1-1-1")
    require(ran.returncode == 0 and not ran.stderr, f"{goals}: {ran.returncode}: {ran.stderr}")
    check_log(case, goals, project.read("log").splitlines())


def cpu(project: standin.Project) -> float:
    """The least of some tries: seconds that make needs to read the plan for `ci`."""
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        project.make(MAKES[0], "-qrR", "ci", NOXMK_RUN="1-1-1")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def crowd(count: int) -> tuple[str, float]:
    """make's time for that many sessions on one resource, over that without the resource."""
    times = []
    for section in ({}, {"s*": {"uses": ["database"]}}):
        with tempfile.TemporaryDirectory() as folder:
            project = standin.Project(os.path.join(folder, "project"), STAGE)
            facts = [{"name": f"s{i}"} for i in range(count)]
            project.tell(facts, list(range(count)), {"session": section})
            project.plan().check_returncode()
            times.append(cpu(project))
    free, shared = times
    return f"{shared * 1000:.0f} ms with it, {free * 1000:.0f} ms without", shared / free


class Tap:
    def __init__(self) -> None:
        self.count = self.failed = 0

    def check(self, what: str, wrong: list[str]) -> None:
        self.count += 1
        self.failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.count} {what}")
        for line in itertools.islice(wrong, 5):
            print("#   " + line.replace("\n", "\n#   "))
        sys.stdout.flush()

    def finish(self) -> int:
        print(f"1..{self.count}")
        return int(self.failed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plans", type=int, default=300, help="how many only to look at [300]")
    parser.add_argument("--runs", type=int, default=60, help="how many to run [60]")
    parser.add_argument("--seed", type=int, default=1, help="of the first one [1]")
    options = parser.parse_args()
    tap = Tap()
    with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for count, runs, what in ((options.plans, False, "the graph for random goals is right"),
                                  (options.runs, True, "make runs what was asked for, well apart")):
            seeds = range(options.seed, options.seed + count)
            found = pool.map(one_case, seeds, itertools.repeat(runs), chunksize=10)
            if count:
                tap.check(f"{count} random plans: {what}", [wrong for wrong in found if wrong])
    if options.plans > 1:
        times, ratio = crowd(1000)
        tap.check(f"1,000 sessions on one resource: make reads them in {times}: {ratio:.2f}",
                  [] if ratio < 5 else ["more than five times as long as without the resource"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
