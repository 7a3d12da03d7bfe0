"""Is make with noxmk ever slower than plain nox, where sessions fan out to all processors?

Random projects, drawn as noxfiles are (simulated/project.py), on a simulated machine of N
processors (simulated/machine.c), whatever this one has: their tools are stand-ins that compute
nothing, but take the time that they would take there, and look as busy as they would. make, noxmk
and nox are the real ones, and run on the real processors. Each project is run by

- plain nox, one session after the other,
- nox -j N --allow-parallel (newest nox); a session with a resource is not allowed to run in
  parallel there,
- make -jN ci, where each session has one slot and its tools are told so (`jobs = 1`),
- the same with `jobs = "1..all"`: each has all slots that are free when it starts,
- the same without a word of configuration, but with NOXMK_BUDGET=strict,
- the same without that: a first run, when nothing is known, and those after it.

The lower bound is the longest of: the critical path with each session as wide as it is fastest;
what all compute with one worker each / N; the users of a resource, one after the other.

Ratios are told as median / 90 % / worst; "slower" counts the projects above 1.03.
Over-subscription is what there is to run on the simulated machine beyond N: on average, as a share
of N, and at most; "later" leaves out the first second. How far the simulation is from the truth is
told by what each run should have taken by arithmetic: what nox, make and noxmk do themselves is
not in that. And by real tools on the real processors (--tools; simulated/tools.py), next to the
same sessions simulated.

Needs CAP_SYS_NICE (root has it).
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from typing import Callable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import side_by_side  # noqa: E402
from schedule import progress  # noqa: E402
from side_by_side import INCLUDE, MAKE, NOX, STAGE, standin  # noqa: E402
from simulated import project as drawn  # noqa: E402
from simulated import tools  # noqa: E402
from simulated.machine import Machine  # noqa: E402

PLAIN, NOX_J, ONE, GRAB = "`nox`", "`nox -j N`", "`jobs = 1`", "`jobs = \"1..all\"`"
STRICT, OURS = "`NOXMK_BUDGET=strict`", "default, run "

FUNCTION = """
@nox.session(name={name!r}, venv_backend="venv", reuse_venv=True, requires={requires!r}{options})
{parameters}def {function}(session{argument}):
    session.run("prepare", f"tools/{stem}.pre")
    session.run(*{command!r}, f"tools/{stem}")
"""


@dataclasses.dataclass
class Instance:
    seed: int
    processors: int
    sessions: list[drawn.Session]
    parametrized: bool  # the tests are one function of the noxfile

    def name(self, i: int) -> str:
        """As nox calls it."""
        name = self.sessions[i].name
        return re.sub(r"^tests(\d+)$", r"tests(k=\1)", name) if self.parametrized else name

    def noxfile(self, native: bool) -> str:
        """native: for nox -j, which has no resources."""
        text, done = ["import nox\n"], set()
        for i, session in enumerate(self.sessions):
            many = self.parametrized and session.function == "tests"
            stem = "tests{k}" if many else session.name
            if stem in done:
                continue
            done.add(stem)
            count = sum(s.function == "tests" for s in self.sessions)
            text.append(FUNCTION.format(
                name="tests" if many else session.name, command=session.command, stem=stem,
                function="tests" if many else session.name, argument=", k" if many else "",
                requires=[self.name(k) for k in session.requires],
                parameters=f"@nox.parametrize('k', {list(range(count))})\n" if many else "",
                options=", allow_parallel=False" if native and session.exclusive else ""))
        return "".join(text)

    def settings(self, jobs: object) -> str:
        lines = ["[tool.noxmk.resources]\ndatabase = 1\n"]
        if jobs:
            lines.append(f"[tool.noxmk.session.\"*\"]\njobs = {jobs}\n")
        for session in self.sessions:
            if session.exclusive:
                lines.append(f"[tool.noxmk.session.{session.name}]\nuses = [\"database\"]\n")
                if jobs:
                    lines.append(f"jobs = {jobs}\n")
        return "".join(lines)


def draw(seed: int, processors: int, seconds: float) -> Instance:
    random = drawn.Draw(seed)
    drawn.scale(random.sessions, processors, seconds)
    count = sum(s.function == "tests" for s in random.sessions)
    shared = any(s.exclusive or s.requires and s.function == "tests" for s in random.sessions)
    return Instance(seed, processors, random.sessions, count > 1 and not shared)


def lay_out(instance: Instance, folder: str, machine: Machine, jobs: object) -> standin.Project:
    """A project with environments that are there already."""
    project = standin.Project(folder, STAGE)
    project.environment |= machine.variables | {"NOX": NOX}
    project.write("noxfile.py", instance.noxfile(False))
    project.write("native.py", instance.noxfile(True))
    project.write("pyproject.toml", instance.settings(jobs))
    os.mkdir(project.path("tools"))
    for i, session in enumerate(instance.sessions):
        project.write(f"tools/{session.name}", session.tool.describe())
        project.write(f"tools/{session.name}.pre", session.pre.describe())
        name = re.sub(r"[\W_]+", "-", instance.name(i)).strip("-")
        shutil.copytree(machine.environment(session.xdist), project.path(f".nox/{name}"),
                        symlinks=True)
    return project


def ways(n: int, options: argparse.Namespace) -> dict[str, tuple[object, tuple[str, ...], int]]:
    """Of each title what `jobs` is, the command, and how often it runs."""
    runs = options.runs
    makes = (MAKE, *INCLUDE, f"-j{n}", "ci")
    strict = (MAKE, *INCLUDE, "NOXMK_BUDGET=strict", f"-j{n}", "ci")
    nox_j = (NOX, "-f", "native.py", "-j", str(n), "--allow-parallel")
    found = {PLAIN: (None, (NOX,), 1), NOX_J: (None, nox_j, 1), ONE: ("1", makes, 1),
             GRAB: ('"1..all"', makes, 1), STRICT: (None, strict, 1), OURS: (None, makes, runs)}
    for title in (ONE, GRAB, STRICT) if options.check else ():
        del found[title]
    return found


def taken() -> tuple[float, float]:
    """Seconds that the real processors have worked, and those that our children have of it."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    times = os.times()
    return ((user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK"),
            times.children_user + times.children_system)


def measure(project: standin.Project, machine: Machine | None, *command: str) -> dict[str, float]:
    shutil.rmtree(project.path("out"), ignore_errors=True)  # of real tools
    if machine:
        machine.usage()
    before, start = taken(), time.monotonic()
    ended = project.run(*command)
    seconds, after = time.monotonic() - start, taken()
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {ended.returncode}\n"
                 f"{(ended.stdout + ended.stderr)[-4000:]}")
    others = after[0] - before[0] - (after[1] - before[1])
    found = {"seconds": seconds, "others": others / seconds}
    if machine:
        usage = machine.usage()
        found |= {"work": usage.work, "excess": usage.excess, "peak": usage.peak,
                  "later": usage.later}
    return found


def run_all(lay: Callable[[object], standin.Project], machine: Machine | None, n: int,
            options: argparse.Namespace, backwards: bool) -> dict[str, dict[str, float]]:
    """One project in all ways. lay: makes one that nobody knows, with such `jobs`."""
    results, order = {}, list(ways(n, options).items())
    for title, (jobs, command, count) in reversed(order) if backwards else order:
        project = lay(jobs)
        if command[0] == MAKE:
            planned = project.make(MAKE, "-n", *command[-2:])
            if planned.returncode != 0:
                sys.exit(f"no plan:\n{planned.stdout}{planned.stderr}")
        for i in range(count):
            results[title + (str(i + 1) if title == OURS else "")] = measure(project, machine,
                                                                             *command)
    return results


def compare(instance: Instance, machine: Machine, options: argparse.Namespace) -> dict:
    """Every second project the other way round."""
    n, sessions, penalty = instance.processors, instance.sessions, options.penalty
    machine.start(n, penalty)
    told = {"auto": n, "own": 4, "ask": 1, "elastic": n}
    with tempfile.TemporaryDirectory() as folder:
        def lay(jobs: object) -> standin.Project:
            place = os.path.join(folder, f"p{len(os.listdir(folder))}")
            return lay_out(instance, place, machine, jobs)
        found = run_all(lay, machine, n, options, instance.seed % 2 == 0)
    machine.stop()
    return {"seed": instance.seed, "processors": n, "sessions": len(sessions), "runs": found,
            "bound": drawn.lower_bound(sessions, n),
            "arithmetic": {PLAIN: drawn.plain_nox(sessions, n),
                           NOX_J: drawn.simulate(sessions, n, told, penalty, True)}}


def compare_tools(machine: Machine, options: argparse.Namespace) -> str:
    """Real tools on the real processors, and the same sessions simulated."""
    n = len(os.sched_getaffinity(0))
    options = argparse.Namespace(**(vars(options) | {"runs": min(options.runs, 2)}))
    real: dict[str, list[float]] = {}
    twin: dict[str, list[float]] = {}
    others: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        reals = {jobs: tools.Real(os.path.join(folder, f"real{i}"), options.tool_seconds, jobs)
                 for i, jobs in enumerate((None, "1", '"1..all"'))}
        instance = Instance(0, n, reals[None].model(n), False)
        machine.start(n, options.penalty)

        def lay(jobs: object) -> standin.Project:
            return lay_out(instance, os.path.join(folder, f"p{len(os.listdir(folder))}"), machine,
                           jobs)
        for i in range(options.tools):
            found = run_all(lambda jobs: reals[jobs].anew(), None, n, options, i % 2 == 1)
            found["`tox run-parallel`"] = measure(reals[None].anew(), None, *tools.TOX)
            simulated = run_all(lay, machine, n, options, i % 2 == 1)
            for results, more in ((real, found), (twin, simulated)):
                for title, run in more.items():
                    results.setdefault(title, []).append(run["seconds"])
                    others.append(run["others"])
        machine.stop()
    return tools.table(real, twin, PLAIN) + f"\n\n{disturbance(others)}"


def quantiles(values: list[float]) -> str:
    values = sorted(values)
    tenth = values[min(len(values) - 1, int(len(values) * 0.9))]
    return f"{statistics.median(values):.2f} / {tenth:.2f} / {values[-1]:.2f}"


def table(results: list[dict], n: int) -> str:
    """Median, 90 % and worst of the wall time, and over-subscription."""
    lines = [f"| N = {n}, {len(results)} projects | / `nox` | slower | / `nox -j N` | "
             "/ lower bound | over-subscription | peak / N, 90 % | later |", "|---" * 8 + "|"]
    for title in (PLAIN, NOX_J, ONE, GRAB, STRICT, *(OURS + i for i in "125")):
        if title not in results[0]["runs"]:
            continue
        runs = [result["runs"][title] for result in results]
        nox, nox_j = ([run["seconds"] / result["runs"][other]["seconds"]
                       for run, result in zip(runs, results)] for other in (PLAIN, NOX_J))
        bound = [run["seconds"] / result["bound"] for run, result in zip(runs, results)]
        over = [run["excess"] / run["seconds"] / n for run in runs]
        peaks = [quantiles([run[key] / n for run in runs]).split(" / ")[1]
                 for key in ("peak", "later")]
        lines.append(f"| {title} | {quantiles(nox)} | {sum(x > 1.03 for x in nox)} | "
                     f"{quantiles(nox_j)} | "
                     f"{quantiles(bound)} | {statistics.mean(over):.2f} | {' | '.join(peaks)} |")
    return "\n".join(lines)


def disturbance(others: list[float]) -> str:
    return (f"Meanwhile other programs took {statistics.mean(others):.2f} real processors on "
            f"average, at most {max(others):.2f}; seconds count only where that is little.")


def truth(results: list[dict]) -> str:
    """How far what was measured is from arithmetic."""
    lines = ["| measured / by arithmetic | median / 90 % / worst |", "|---|---|"]
    for title in (PLAIN, NOX_J):
        ratios = [r["runs"][title]["seconds"] / r["arithmetic"][title] for r in results]
        lines.append(f"| {title} | {quantiles(ratios)} |")
    others = [run["others"] for result in results for run in result["runs"].values()]
    return "\n".join(lines) + f"\n\n{disturbance(others)}"


def may_schedule() -> bool:
    """Have we CAP_SYS_NICE? Tools need that, too."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def check(results: list[dict], most: float) -> None:
    """nox does what arithmetic says, or the rest means nothing; ours is not slower than nox."""
    for result in results:
        nox, ours = (result["runs"][title]["seconds"] for title in (PLAIN, OURS + "1"))
        for title, seconds in result["arithmetic"].items():
            ratio = result["runs"][title]["seconds"] / seconds
            if not 0.95 <= ratio <= 1.5:
                raise SystemExit(f"seed {result['seed']}: {title} takes {ratio:.2f} of the time "
                                 "that arithmetic says")
        if ours > nox * most:
            raise SystemExit(f"seed {result['seed']}, -j{result['processors']}: a first run takes "
                             f"{ours / nox:.2f} of the time of nox")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench fanout", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processors", default="2,4,8,16", help="N of each machine [2,4,8,16]")
    parser.add_argument("--instances", type=int, default=10, help="projects for each N [10]")
    parser.add_argument("--seconds", type=float, default=12.0,
                        help="that plain nox takes for each [12]")
    parser.add_argument("--runs", type=int, default=5, help="of the default, in a row [5]")
    parser.add_argument("--penalty", type=float, default=0.03,
                        help="of the speed, for each N that are runnable beyond N [0.03]")
    parser.add_argument("--seed", type=int, default=1, help="of the first one [1]")
    parser.add_argument("--tools", type=int, default=3,
                        help="rounds with real tools on the real processors [3]")
    parser.add_argument("--tool-seconds", type=float, default=4.0,
                        help="of computing in each of their sessions [4]")
    parser.add_argument("--check", type=float, metavar="RATIO",
                        help="fail if the default's first run takes more than that of nox's "
                             "time; other `jobs` are left out")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-fanout.json]")
    options = parser.parse_args()
    side_by_side.need(NOX)
    if not may_schedule():
        print("scripts/bench fanout needs CAP_SYS_NICE: nothing is measured", file=sys.stderr)
        sys.exit(0 if options.check else 1)
    results: dict[int, list[dict]] = {}
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(os.path.join(folder, "machine"))
        for n in map(int, options.processors.split(",")):
            results[n] = []
            for i in range(options.instances):
                progress(f"N = {n}: project {i + 1} of {options.instances}")
                instance = draw(options.seed + i, n, options.seconds)
                results[n].append(compare(instance, machine, options))
        progress("with real tools")
        real = compare_tools(machine, options) if options.tools else ""
    progress("")
    side_by_side.keep("fanout", {"options": vars(options), "results": results}, options.json)
    everything = [one for found in results.values() for one in found]
    if everything:
        for n, found in results.items():
            print(f"{table(found, n)}\n")
        print(f"{truth(everything)}\n")
    print(real)
    if options.check:
        check(everything, options.check)


if __name__ == "__main__":
    main()
