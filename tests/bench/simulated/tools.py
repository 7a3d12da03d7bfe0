"""Real tools on the real processors, to compare the simulated machine with.

pytest-xdist, mypy, black, ruff, a ninja build and an OpenMP loop compute. Each is measured alone,
with one worker and with as many as there are processors; that says what to tell the stand-ins. Then
both projects are run in the same ways. What tells is the ratio of each way to plain nox, real and
simulated.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

import nested
from side_by_side import NOX, PEERS, STAGE, standin

from .project import Session, Tool

TOOLS = os.path.join(PEERS, "fanout")
TOX = (os.path.join(TOOLS, "bin", "tox"), "run-parallel", "--parallel-no-spinner")
NAMES = ("pytest", "pytest-xdist", "tox", "mypy", "ruff", "black")
NOXFILE = """import nox
def define(name, *command):
    @nox.session(name=name, python=False)
    def run(session):
        session.run(*command, external=True)
"""
TESTS_SESSION = """
@nox.session(venv_backend="venv", reuse_venv=True)
def tests(session):
    session.run({words})
"""
FUNCTION = """
class Item{i}:
    def __init__(self, names: dict[str, list[int]], rest: tuple[int, ...] = ()) -> None:
        self.names, self.rest = names, rest

    def total(self, start: int = {i}) -> int:
        return start + sum(sum(x * y for y in self.rest) for v in self.names.values() for x in v)


def make_{i}(count: int) -> list[Item{i}]:
    items = [Item{i}({{str(k): [k] * count}}, (k, k + 1)) for k in range(count)]
    return sorted((x for x in items if x.total() > count), key=lambda x: x.total(x.rest[0]))
"""


def get_tools() -> str:
    """Their python, of an environment that is made once."""
    python = os.path.join(TOOLS, "bin", "python")
    if not os.path.exists(os.path.join(TOOLS, "bin", "black")):
        shutil.rmtree(TOOLS, ignore_errors=True)
        nested.sh(sys.executable, "-m", "venv", TOOLS)
        nested.sh(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *NAMES)
    return python


def commands(python: str, millions: int) -> dict[str, tuple[str, list[str], str]]:
    """Of each session: what kind of a tool it is, its command, the variable that it is told by."""
    program = os.path.dirname(python) + "/"
    return {
        "lint": ("narrow", [program + "ruff", "check", "--no-cache", "--isolated", "src"],
                 "RAYON_NUM_THREADS"),
        "types": ("ask", [program + "mypy", "--cache-dir=out/mypy", "src"],
                  "MYPY_NUM_WORKERS"),
        "tests": ("auto", ["python", "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider",
                           "tests"], "PYTEST_XDIST_AUTO_NUM_WORKERS"),
        "format": ("auto", [program + "black", "--check", "-q", "--no-cache", "src"],
                   "BLACK_NUM_WORKERS"),
        "build": ("elastic", [nested.NINJA], "-j"),
        "loop": ("auto", ["./burn-openmp", str(millions), "64"], "OMP_NUM_THREADS"),
    }


class Real:
    """The project with real tools."""

    def __init__(self, folder: str, seconds: float, jobs: object) -> None:
        self.python = get_tools()
        self.project = standin.Project(folder, STAGE)
        self.project.environment["NOX"] = NOX
        for flags, name in ((), "burn"), (("-fopenmp",), "burn-openmp"):
            nested.sh("gcc", "-O2", *flags, "-o", name, nested.BURN, cwd=folder)
        millions, steps = nested.measure(self.project, self.python, seconds)
        self.commands = commands(self.python, millions)
        # Hard links: to noxmk it is the session's own environment, with xdist in it.
        os.makedirs(self.project.path(".nox"))
        nested.sh("cp", "-al", TOOLS, self.project.path(".nox/tests"))
        self.write_sources(steps, millions, seconds)
        self.write_settings(jobs)

    def write_sources(self, steps: int, millions: int, seconds: float) -> None:
        write = self.project.write
        for name in ("src", "tests"):
            os.mkdir(self.project.path(name))
        write("tests/test_burn.py", nested.TESTS.format(steps=steps // 16))
        text = "".join(FUNCTION.format(i=k) for k in range(40))
        write("src/module0.py", f"from __future__ import annotations\n\n{text}")
        nested.sh(os.path.join(TOOLS, "bin", "black"), "-q", "src", cwd=self.project.folder)
        for i in range(1, max(4, int(5 * seconds))):
            write(f"src/module{i}.py", self.project.read("src/module0.py"))
        builds = "".join(f"build out/{i}: burn\n" for i in range(16))
        write("build.ninja", f"rule burn\n  command = ./burn {millions // 16}\n{builds}")

    def write_settings(self, jobs: object) -> None:
        calls, tox = [], ["[tox]", "env_list = " + ", ".join(self.commands), "no_package = true",
                          "[testenv]", "allowlist_externals = *", "pass_env = *"]
        for name, (_, command, _) in self.commands.items():
            if name == "tests":
                calls.append(TESTS_SESSION.format(words=", ".join(map(repr, command))))
                command = [self.python, *command[1:]]
            else:
                calls.append(f"define({name!r}, *{command!r})\n")
            tox += [f"[testenv:{name}]", "commands = " + " ".join(command)]
        for name in ("noxfile.py", "native.py"):
            self.project.write(name, NOXFILE + "".join(calls))
        self.project.write("tox.ini", "\n".join(tox) + "\n")
        if jobs:
            self.project.write("pyproject.toml", f"[tool.noxmk.session.\"*\"]\njobs = {jobs}\n")

    def alone(self, name: str, told: int) -> tuple[float, float]:
        """The least seconds of wall time and of processors that it takes in two tries."""
        _, command, variable = self.commands[name]
        environment, found = dict(self.project.environment), []
        if variable == "-j":
            command = [*command, f"-j{told}"]
        elif variable != "MYPY_NUM_WORKERS" or told > 1:
            environment[variable] = str(told)
        environment["PATH"] = self.project.path(".nox/tests/bin") + ":" + environment["PATH"]
        for _ in range(2):
            self.anew()
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(command, cwd=self.project.folder, env=environment, check=True,
                           stdout=subprocess.DEVNULL)
            seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            found.append((seconds, after.ru_utime + after.ru_stime - before.ru_utime -
                          before.ru_stime))
        return min(found)

    def anew(self) -> standin.Project:
        """As if nothing had ever been run."""
        for name in ("out", ".nox/.noxmk"):
            shutil.rmtree(self.project.path(name), ignore_errors=True)
        return self.project

    def model(self, processors: int) -> list[Session]:
        """What the stand-ins have to do, so that alone they take as long as the real ones."""
        sessions = []
        for name, (kind, _, _) in self.commands.items():
            one, cpu_one = self.alone(name, 1)
            all_of_them, cpu = self.alone(name, processors)
            shared = max(0.0, (one - all_of_them) / (1 - 1 / processors))
            if kind == "narrow":
                shared = one
            start = max(0.0, min((cpu - cpu_one) / processors, one - shared))
            tool = Tool(kind, shared, {"auto": 400, "ask": processors}.get(kind, 16),
                        boot=one - shared - start, start=start, tail=0.001)
            command = {"types": ["mypy"], "build": ["compile"], "loop": ["loop"],
                       "tests": ["python", "-m", "pytest", "-n", "auto"]}.get(name, ["lint"])
            sessions.append(Session(name, name, command, Tool(work=0.001), tool,
                                    xdist=name == "tests"))
        return sessions


def table(results: dict[str, list[float]], twins: dict[str, list[float]], plain: str) -> str:
    """Medians; ratios to plain nox."""
    lines = ["| | real tools | / `nox` | simulated | / `nox` | simulated / real |",
             "|---|---|---|---|---|---|"]
    real = {title: statistics.median(runs) for title, runs in results.items()}
    twin = {title: statistics.median(runs) for title, runs in twins.items()}
    for title, seconds in real.items():
        line = f"| {title} | {seconds:.2f} s | {seconds / real[plain]:.2f} | "
        if title in twin:
            ours, theirs = twin[title] / twin[plain], seconds / real[plain]
            line += f"{twin[title]:.2f} s | {ours:.2f} | {ours / theirs:.2f} |"
        else:
            line += "| | |"
        lines.append(line)
    return "\n".join(lines)
