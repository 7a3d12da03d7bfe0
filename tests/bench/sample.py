"""How long does the sample project take, and how long with what else there is?

Its default sessions (lint, types, security, three times the tests, docs, an installation into a
virtual environment, coverage) are run by

- nox, one after the other: the baseline,
- make -jN ci, with noxmk,
- nox -j N (newest nox), all sessions allowed to run in parallel,
- tox run-parallel, with the same commands,
- make -jN and xargs -PN, whose recipes are `nox -s SESSION`,

with virtual environments that are there already (nox -r) and with fresh ones. tox has one for each
of its environments, nox only for the one session that wants it; what a later step of the session
installs is built anew each time. The lower bound is the longest of the critical path, each session
as wide as it can be, and all processor time / N, both from a run under make -j1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile

import nested
import side_by_side
from side_by_side import INCLUDE, MAKE, NOX, Contestant, standin

SAMPLE = os.path.join(standin.TOP, "tests", "projects", "sample")
# coverage_report requires the tests, and nox -s runs them with it.
SESSIONS = ["lint", "typecheck", "security_scan", "docs", "install_check", "coverage_report"]
BACKENDS = ["memory", "json", "sqlite"]

TESTS = "".join(f"""
[testenv:tests-{name}]
set_env =
    PYTHONPATH = src
    COVERAGE_FILE = .coverage.unit_tests-{name}
    STOCKROOM_BACKEND = {name}
commands = python3-coverage run -m pytest --basetemp={{env_tmp_dir}}/pytest
""" for name in BACKENDS)

TOX = f"""[tox]
env_list = lint, typecheck, security_scan, tests-{{memory,json,sqlite}}, docs, install, coverage
no_package = true
[testenv]
allowlist_externals = *
pass_env = *
[testenv:lint]
commands = flake8 src tests docs noxfile.py
[testenv:typecheck]
commands = mypy --strict --cache-dir=/dev/null src
[testenv:security_scan]
commands = bandit -q -r src
{TESTS}
[testenv:docs]
set_env = PYTHONPATH = src
commands = python docs/build.py build/docs
[testenv:install]
commands =
    sh -c "rm -rf {{env_tmp_dir}}/tree && mkdir -p {{env_tmp_dir}}/tree && \\
        cp -r src pyproject.toml README.md {{env_tmp_dir}}/tree"
    python -m pip install -q --no-index --no-build-isolation --no-deps {{env_tmp_dir}}/tree
    python -c "import stockroom; print(stockroom.__file__)"
    stockroom --store json:{{env_tmp_dir}}/stock.json receive bolt 40 --place shelf
    stockroom --store json:{{env_tmp_dir}}/stock.json list
[testenv:coverage]
depends = tests-{{memory,json,sqlite}}
set_env = COVERAGE_FILE = .coverage
commands =
    python3-coverage combine --keep {' '.join(f'.coverage.unit_tests-{name}' for name in BACKENDS)}
    python3-coverage report --fail-under=97
"""


def contestants(scratch: str, jobs: int, fresh: bool) -> list[Contestant]:
    environment = standin.clean_environment() | {"VIRTUALENV_SETUPTOOLS": "bundle"}
    nox = f"{NOX}" if fresh else f"{NOX} -r"
    tox = os.path.join(nested.TOOLS, "bin", "tox")
    recipes = "".join(f"{name}: ; @{nox} -s {name}\n" for name in SESSIONS)
    commands = {
        "`nox`": nox.split(),
        "`make -jN ci`": [MAKE, *INCLUDE, f"-j{jobs}", f"NOX={nox}", "ci"],
        "`nox -j N`": [*nox.split(), "-j", str(jobs), "--allow-parallel"],
        "`tox run-parallel`": [tox, "run-parallel", "--parallel", str(jobs),
                               "--parallel-no-spinner"],
        "`make -jN`, recipes `nox -s`": [MAKE, "-f", "plain.mk", f"-j{jobs}", "all"],
        "`xargs -PN nox -s`": ["sh", "-c", f"printf '%s\\n' {' '.join(SESSIONS)} | "
                               f"xargs -P{jobs} -n1 {nox} -s"],
    }
    found = []
    for i, (title, command) in enumerate(commands.items()):
        folder = os.path.join(scratch, f"{i}{fresh}")
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns(".nox*", ".cov*", "build"))
        texts = {"tox.ini": TOX, "plain.mk": f".PHONY: all {' '.join(SESSIONS)}\n"
                 f"all: {' '.join(SESSIONS)}\n{recipes}",
                 "GNUmakefile": f"NOXMK := {side_by_side.STAGE}/bin/noxmk\ninclude nox.mk\n"}
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)

        def remove(folder: str = folder) -> None:
            for name in (".nox", ".tox"):
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)

        found.append(Contestant(title, tuple(command), folder, environment,
                                remove if fresh else None))
    return found


def lower_bound(scratch: str, jobs: int) -> float:
    """The critical path, each session as wide as it can be, or all work over all processors.

    From a run of one session after the other, in which the tools are told of no limit.
    """
    alone = contestants(os.path.join(scratch, "alone"), 1, False)[1]
    for _ in range(2):  # the first one makes the virtual environment
        side_by_side.run(alone)
    seconds, work = {}, 0.0
    latest = os.path.join(alone.folder, ".nox/.noxmk", "latest")
    for name in filter(lambda name: name.endswith(".json"), os.listdir(latest)):
        with open(os.path.join(latest, name), encoding="utf-8") as file:
            record = json.load(file)
        if "duration" in record:
            seconds[record["target"]] = record["duration"]
            work += record["cpu"]
    tests = max(time for name, time in seconds.items() if name.startswith("unit_tests"))
    path = max([tests + seconds["coverage_report"], *seconds.values()])
    return max(path, work / jobs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench sample", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many [5]")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="N [the processors]")
    parser.add_argument("--short", action="store_true",
                        help="only nox and make, with environments that are there")
    parser.add_argument("--check", action="store_true", help="fail if make is slower than nox")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-sample.json]")
    options = parser.parse_args()
    side_by_side.need(NOX)
    if not options.short:
        nested.get_tools()
    figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        bound = lower_bound(scratch, options.jobs)
        for fresh in (False,) if options.short else (False, True):
            figures["fresh" if fresh else "reused"] = side_by_side.compare(
                contestants(scratch, options.jobs, fresh)[:2 if options.short else None],
                options.rounds, warm_up=not fresh)
    side_by_side.keep("sample", {"options": vars(options), "bound": bound, **figures},
                      options.json)
    for kind, results in figures.items():
        ours = side_by_side.median(results["`make -jN ci`"])
        print(f"The sample's default sessions, N = {options.jobs}, {kind} environments, "
              f"{options.rounds} rounds:\n\n{side_by_side.table(results, '`nox`')}\n")
        if kind == "reused":
            print(f"The lower bound is {bound:.2f} s: make -jN ci takes {ours / bound:.2f} of "
                  "it.\n")
        if options.check and ours > side_by_side.median(results["`nox`"]):
            raise SystemExit("make -jN ci is slower than nox")


if __name__ == "__main__":
    main()
