"""How good is the order in which make runs sessions?

Random projects of sessions that only sleep are run by a real make with the real helper, and the
wall time is compared

- with the lower bound, the longest of: the critical path, all sessions / slots, the longest chain
  of sessions on one resource (of a counted one: amount x time / capacity), the longest chain of
  sessions of which no two may meet, for whatever resource or prerequisite each two,
- with the same project in the noxfile's own order,
- for some projects with `nox -j` of the newest nox. nox has no resources: there a session that
  must not meet some other one is exclusive (allow_parallel=False).

noxmk knows the durations from a history, as after a first run (NOXMK_HISTORY). The two to compare
run one after the other, in turns. In all but the comparison with nox a shell script stands in for
nox (tests/standin.py): on few processors starting Python would be measured, not the order.
"""

from __future__ import annotations

import argparse
import dataclasses
import heapq
import json
import os
import random
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
MAKE = os.environ.get("MAKE") or "make"
NEWEST_NOX = os.path.join(standin.TOP, "build", "peers", "nox-newest", "bin", "nox")


@dataclasses.dataclass
class Session:
    name: str
    seconds: float
    requires: list[int]  # positions of earlier or later sessions
    claims: dict[str, int]  # resource -> amount; 0: reads it


class Instance:
    """A random project: sessions, their durations, resources, and the slots to run it with."""

    def __init__(self, seed: int, least: int, most: int, seconds: float) -> None:
        rnd = random.Random(seed)
        self.seed, self.slots = seed, rnd.choice([2, 4, 8])
        count = rnd.randint(least, most)
        resources = [f"r{i}" for i in range(rnd.randint(1, 4))]
        # 1: for exclusive and shared use; more: for amounts
        self.capacities = {name: rnd.choice([1, 1, 4]) for name in resources}
        claiming, requiring = rnd.uniform(0.1, 0.4), rnd.uniform(0, 0.08)
        hidden = rnd.sample(range(count), count)  # prerequisites follow it: no cycle
        rank = {session: position for position, session in enumerate(hidden)}
        self.sessions = []
        for i in range(count):
            claims = {}
            for name, capacity in self.capacities.items():
                if rnd.random() < claiming:
                    claims[name] = rnd.randint(1, 3) if capacity > 1 else rnd.choice([0, 1, 1])
            requires = [k for k in range(count) if rank[k] < rank[i] and rnd.random() < requiring]
            self.sessions.append(Session(f"s{i}", rnd.lognormvariate(0, 0.8), requires, claims))
        scale = seconds / self.lower_bound()
        for session in self.sessions:
            session.seconds = round(session.seconds * scale, 3)
        self.bound = self.lower_bound()

    def chain(self, name: str) -> float:
        """The least time that all users of a resource take."""
        users = [s for s in self.sessions if name in s.claims]
        used = sum(s.seconds * s.claims[name] for s in users) / self.capacities[name]
        readers = [s.seconds for s in users if s.claims[name] == 0]
        return used + max(readers, default=0)

    def tails(self) -> list[float]:
        """Of each session: the longest path from its start to the end of all."""
        tails = [0.0] * len(self.sessions)
        following = [[k for k, s in enumerate(self.sessions) if i in s.requires]
                     for i in range(len(self.sessions))]

        def tail(i: int) -> float:
            if not tails[i]:
                longest = max((tail(k) for k in following[i]), default=0)
                tails[i] = self.sessions[i].seconds + longest
            return tails[i]
        return [tail(i) for i in range(len(self.sessions))]

    def one_resource_bound(self) -> float:
        """The lower bound without chains over several resources."""
        total = sum(s.seconds for s in self.sessions)
        return max(max(self.tails()), total / self.slots, *map(self.chain, self.capacities))

    def lower_bound(self) -> float:
        return max(self.one_resource_bound(), self.longest_clique())

    def longest_clique(self) -> float:
        """The time of sessions of which no two may run at once: by branch and bound."""
        count = range(len(self.sessions))
        before: list[set[int]] = [set() for _ in count]
        for i in self.definition_order():
            for k in self.sessions[i].requires:
                before[i] |= before[k] | {k}
        apart = [{k for k in count if k != i and (
            k in before[i] or i in before[k] or
            not self.is_free(self.sessions[i], [self.sessions[k]]))} for i in count]
        seconds = [s.seconds for s in self.sessions]
        best = 0.0

        def extend(candidates: list[int], sofar: float) -> None:
            nonlocal best
            best = max(best, sofar)
            for place, i in enumerate(candidates):
                if sofar + sum(seconds[k] for k in candidates[place:]) <= best:
                    return
                extend([k for k in candidates[place + 1:] if k in apart[i]], sofar + seconds[i])
        extend(sorted(count, key=lambda i: -seconds[i]), 0.0)
        return best

    def definition_order(self) -> list[int]:
        """As a noxfile runs from top to bottom, prerequisites first."""
        order: dict[int, None] = {}

        def visit(i: int) -> None:
            if i not in order:
                for k in self.sessions[i].requires:
                    visit(k)
                order[i] = None
        for i in range(len(self.sessions)):
            visit(i)
        return list(order)

    def is_free(self, session: Session, running: list[Session]) -> bool:
        for name, amount in session.claims.items():
            others = [other.claims[name] for other in running if name in other.claims]
            if self.capacities[name] > 1:
                if sum(others) + amount > self.capacities[name]:
                    return False
            elif others and (amount or any(others)):
                return False
        return True

    def simulate(self, priority: list[float]) -> float:
        """The wall time if whatever may start does, highest priority first."""
        waiting = sorted(range(len(self.sessions)), key=lambda i: -priority[i])
        ended: set[int] = set()
        running: list[tuple[float, int]] = []
        now = 0.0
        while waiting or running:
            for i in list(waiting):
                session = self.sessions[i]
                if len(running) < self.slots and ended.issuperset(session.requires) and \
                        self.is_free(session, [self.sessions[k] for _, k in running]):
                    waiting.remove(i)
                    heapq.heappush(running, (now + session.seconds, i))
            now, i = heapq.heappop(running)
            ended.add(i)
        return now

    def search(self, tries: int) -> float:
        """The best wall time that random orders find: how far the lower bound is out of reach."""
        rnd, tails, best = random.Random(self.seed), self.tails(), float("inf")
        for i in range(tries):
            spread = 2 * i / tries
            best = min(best, self.simulate([t * rnd.uniform(1, 1 + spread) for t in tails]))
            if best <= self.bound * 1.0001:
                break
        return best

    def config(self) -> dict:
        table: dict = {"resources": self.capacities, "session": {}}
        for session in self.sessions:
            section: dict[str, list[str]] = {}
            for name, amount in session.claims.items():
                counted = self.capacities[name] > 1
                section.setdefault("uses" if amount else "reads", []).append(
                    f"{name}:{amount}" if counted else name)
            if section:
                table["session"][session.name] = section
        return table

    def history(self) -> str:
        return json.dumps({"schema": 1, "sessions": {s.name: [s.seconds] for s in self.sessions}})

    def is_exclusive(self, session: Session) -> bool:
        """Is there one that it must not meet, or are there so many that they want too much?"""
        for name in session.claims:
            others = [s.claims[name] for s in self.sessions if s != session and name in s.claims]
            mine = session.claims[name]
            if self.capacities[name] == 1 and others and (mine or any(others)):
                return True
            if self.capacities[name] > 1 and sum(others) + mine > self.capacities[name]:
                return True
        return False


def timed(project: standin.Project, *command: str) -> float:
    start = time.monotonic()
    ended = project.run(*command)
    seconds = time.monotonic() - start
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return seconds


def run_make(project: standin.Project, slots: int) -> float:
    return timed(project, MAKE, "-I", f"{STAGE}/include", f"-j{slots}", "ci")


def make_plan(project: standin.Project, instance: Instance) -> None:
    project.write("history.json", instance.history())
    project.environment["NOXMK_HISTORY"] = "history.json"
    planned = project.make(MAKE, "-n", f"-j{instance.slots}", "ci")
    if planned.returncode != 0 or "noxmk: would run" not in planned.stdout:
        sys.exit(f"no plan for seed {instance.seed}:\n{planned.stdout}{planned.stderr}")


def forget_order(project: standin.Project, instance: Instance) -> None:
    """order.mk as it would be if noxmk knew of no better order than the noxfile's."""
    names = [instance.sessions[i].name for i in instance.definition_order()]
    place = {name: position for position, name in enumerate(names)}
    lines = []
    for line in project.read(".nox/.noxmk/order.mk").splitlines():
        variable, assigns, words = line.partition(" := ")
        if variable == "_noxmk.cued":
            words = ""
        if variable == "_noxmk.order" or variable.startswith("_noxmk.resource/"):
            words = " ".join(sorted(words.split(), key=lambda word: place[word.rstrip("+")]))
        lines.append(variable + assigns + words)
    project.write(".nox/.noxmk/order.mk", "\n".join(lines) + "\n")


def stand_in(instance: Instance, folder: str) -> standin.Project:
    project = standin.Project(folder, STAGE)
    facts = [{"name": s.name, "requires": s.requires} for s in instance.sessions]
    project.tell(facts, list(range(len(facts))), instance.config())
    for session in instance.sessions:
        project.write(f"seconds/{session.name}", f"{session.seconds}\n")
    make_plan(project, instance)
    return project


def compare_orders(instance: Instance, ours_first: bool, tries: int) -> dict:
    """One instance in the learned order and in the noxfile's."""
    with tempfile.TemporaryDirectory() as folder:
        ours = stand_in(instance, os.path.join(folder, "ours"))
        manifest = stand_in(instance, os.path.join(folder, "manifest"))
        forget_order(manifest, instance)
        result = {"seed": instance.seed, "slots": instance.slots, "bound": instance.bound,
                  "one": instance.one_resource_bound(),
                  "sessions": len(instance.sessions), "search": instance.search(tries)}
        pair = [("ours", ours), ("manifest", manifest)]
        for key, project in pair if ours_first else reversed(pair):
            result[key] = run_make(project, instance.slots)
        return result


NOXFILE = """import time
import nox
def define(name, seconds, requires, **options):
    @nox.session(name=name, python=False, requires=requires, **options)
    def sleep(session):
        time.sleep(seconds)
"""


def real(instance: Instance, folder: str) -> standin.Project:
    """The same with real nox: noxfile.py and pyproject.toml for noxmk, native.py for nox -j."""
    project = standin.Project(folder, STAGE)
    project.environment["NOX"] = NEWEST_NOX
    ours, native = NOXFILE, NOXFILE
    for s in instance.sessions:
        requires = [instance.sessions[i].name for i in s.requires]
        call = f"define({s.name!r}, {s.seconds}, {requires}"
        ours += f"{call})\n"
        native += f"{call}, allow_parallel={not instance.is_exclusive(s)})\n"
    project.write("noxfile.py", ours)
    project.write("native.py", native)
    config = instance.config()
    lines = ["[tool.noxmk.resources]", *(f"{k} = {v}" for k, v in config["resources"].items())]
    for name, section in config["session"].items():
        lines.append(f"[tool.noxmk.session.{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in section.items()]
    project.write("pyproject.toml", "\n".join(lines) + "\n")
    make_plan(project, instance)
    return project


def compare_nox(instance: Instance, ours_first: bool) -> dict:
    """One instance by make and by nox -j, both with real nox."""
    with tempfile.TemporaryDirectory() as folder:
        project = real(instance, os.path.join(folder, "project"))
        exclusive = sum(map(instance.is_exclusive, instance.sessions))
        result = {"seed": instance.seed, "slots": instance.slots, "bound": instance.bound,
                  "sessions": len(instance.sessions), "exclusive": exclusive}
        for key in ("ours", "nox") if ours_first else ("nox", "ours"):
            if key == "ours":
                result[key] = run_make(project, instance.slots)
            else:
                result[key] = timed(project, NEWEST_NOX, "-f", "native.py", "-j",
                                    str(instance.slots))
        return result


def row(title: str, ratios: list[float]) -> str:
    ratios = sorted(ratios)
    tenth = ratios[min(len(ratios) - 1, int(len(ratios) * 0.9))]
    return f"| {title} | {statistics.median(ratios):.2f} | {tenth:.2f} | {ratios[-1]:.2f} |"


def table(orders: list[dict], native: list[dict]) -> list[str]:
    lines = ["| wall time, as a ratio | median | 90 % | worst |", "|---|---|---|---|"]

    def add(title: str, results: list[dict], over: str, under: str) -> None:
        lines.append(row(title, [result[over] / result[under] for result in results]))

    if orders:
        add("`make -jN ci` / lower bound", orders, "ours", "bound")
        add("the same / lower bound by one resource at a time", orders, "ours", "one")
        add("best order that a search finds / lower bound", orders, "search", "bound")
        add("noxfile's order / lower bound", orders, "manifest", "bound")
        add("`make -jN ci` / noxfile's order", orders, "ours", "manifest")
    if native:
        add("real nox: `make -jN ci` / `nox -j N`", native, "ours", "nox")
        add("real nox: `make -jN ci` / lower bound", native, "ours", "bound")
        add("real nox: `nox -j N` / lower bound", native, "nox", "bound")
    return lines


def progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{what:<40}\r", end="", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench schedule", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=100, help="how many [100]")
    parser.add_argument("--seconds", type=float, default=1.2, help="lower bound of each [1.2]")
    parser.add_argument("--native", type=int, default=8, help="how many with real nox [8]")
    parser.add_argument("--native-seconds", type=float, default=4.0, help="of each of these [4]")
    parser.add_argument("--search", type=int, default=300, help="orders that a search tries [300]")
    parser.add_argument("--seed", type=int, default=1, help="of the first one [1]")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-schedule.json]")
    options = parser.parse_args()
    if options.native and not os.path.exists(NEWEST_NOX):
        print("no nox -j to compare with: scripts/peers fetches the newest nox", file=sys.stderr)
        options.native = 0
    load, orders, native = os.getloadavg()[0], [], []
    for i in range(options.instances):
        progress(f"instance {i + 1} of {options.instances}")
        instance = Instance(options.seed + i, 8, 30, options.seconds)
        orders.append(compare_orders(instance, i % 2 == 0, options.search))
    for i in range(options.native):
        progress(f"with real nox: {i + 1} of {options.native}")
        instance = Instance(options.seed + i, 8, 14, options.native_seconds)
        native.append(compare_nox(instance, i % 2 == 0))
    progress("")

    file = options.json or os.path.join(os.path.dirname(STAGE), "bench-schedule.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"options": vars(options), "orders": orders, "native": native}, out, indent=1)
    print(f"{len(orders)} random projects of 8 to 30 sleeping sessions at -j2, -j4 or -j8, with a "
          f"lower bound of {options.seconds:g} s each, a shell script in place of nox; "
          f"{len(native)} of 8 to 14 sessions with real nox. Durations are known and plans made "
          f"before. {os.cpu_count()} processors, load average {load:.1f} at the start. All "
          f"figures: {os.path.relpath(file)}\n")
    print("\n".join(table(orders, native)))
    if orders:
        worst = max(orders, key=lambda result: result["ours"] / result["bound"])
        print(f"\nThe worst: seed {worst['seed']}, {worst['sessions']} sessions at "
              f"-j{worst['slots']}: {worst['ours']:.2f} s; a search finds {worst['search']:.2f} s.")


if __name__ == "__main__":
    main()
