"""What does it cost that a session is traced?

Each workload runs as a session of make and noxmk, in turns: as it is, traced, and below
`strace -f --seccomp-bpf` that asks for the same calls. Told are the medians of wall time and
processor time, and what they are of those without. All that a tool needs is made first; what it
leaves is removed before each run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile

import side_by_side
from side_by_side import standin

WHEELS = "/usr/share/python-wheels"
CALLS = "%file,getdents64,bind,connect,flock,fchmod,fchown"
STRACE = f"strace -f --seccomp-bpf -o /dev/null -e trace={CALLS} "
WAYS = ("untraced", "traced", "strace")

# In place of nox: what is to be measured, and nothing else.
NOX = """#!/bin/sh
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
    exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=}
$WATCHED sh -e "work/$name" >/dev/null || exit
echo "{\\"sessions\\": [{\\"name\\": \\"$name\\", \\"result\\": \\"success\\"}]}" >"$5"
"""

# What some of them leave, which is removed before each run.
LEFT = "left"

WORKLOADS = {
    "pytest": "/usr/bin/python3 -m pytest -q -p no:cacheprovider suite",
    "mypy": f"mypy --cache-dir={LEFT} json_copy || true",
    "ruff": "ruff check --no-cache --exit-zero stdlib",
    "pip": f"/usr/bin/python3 -m venv {LEFT}\n"
           f"{LEFT}/bin/python -m pip install -q --no-index --no-deps {WHEELS}/*.whl",
    "compile": "for file in sources/*.c; do gcc -O1 -c -o /dev/null $file; done",
    "git": "for i in 1 2 3; do git -C repository status --short; done",
}

TEST = """import json, os, subprocess, sys
import pytest

@pytest.mark.parametrize("n", range(10))
def test_files(tmp_path, n):
    (tmp_path / "data.json").write_text(json.dumps({"n": n}))
    assert json.loads((tmp_path / "data.json").read_text()) == {"n": n}
    assert not os.path.exists(tmp_path / "nothing")

def test_process():
    assert subprocess.run([sys.executable, "-c", "import argparse"]).returncode == 0
"""


def make_things(project: standin.Project) -> None:
    """What the workloads work on."""
    library = os.path.dirname(json.__file__)
    for i in range(6):
        os.makedirs(project.path("suite"), exist_ok=True)
        project.write(f"suite/test_{i}.py", TEST)
    shutil.copytree(library, project.path("json_copy"))
    shutil.copytree(os.path.dirname(library), project.path("stdlib"),
                    ignore=shutil.ignore_patterns("site-packages", "test*", "__pycache__", "*.so"))
    os.makedirs(project.path("sources"))
    for name in ("buffer", "walk", "sort"):
        project.write(f"sources/{name}.c", "".join(
            f"#include <{header}.h>\n" for header in (
                "errno", "fcntl", "pthread", "signal", "stdio", "stdlib", "string", "unistd",
                "sys/socket", "sys/stat", "sys/wait", "netinet/in", "time", "math"))
            + "".join(f"int {name}{i}(int x) {{ return x * {i} + x / {i + 1}; }}\n"
                      for i in range(150)))
    repository = project.path("repository")
    for i in range(5000):
        os.makedirs(f"{repository}/d{i % 100}", exist_ok=True)
        project.write(f"repository/d{i % 100}/f{i}", str(i))
    for words in (["init", "-q"], ["add", "."],
                  ["-c", "user.name=u", "-c", "user.email=u@u", "commit", "-qm", "all"]):
        subprocess.run(["git", "-C", repository, *words], check=True)


def contestant(project: standin.Project, name: str, way: str) -> side_by_side.Contestant:
    def before() -> None:
        if LEFT in WORKLOADS[name]:
            shutil.rmtree(project.path(LEFT), ignore_errors=True)

    extra = {"untraced": {}, "traced": {"NOXMK_TRACE": "1"}, "strace": {"WATCHED": STRACE}}[way]
    return side_by_side.Contestant(
        way, (side_by_side.MAKE, "-s", *side_by_side.INCLUDE, name), project.folder,
        project.environment | extra, before)


def of_sample(folder: str, way: str) -> side_by_side.Contestant:
    """All default sessions of the sample project, one after the other."""
    words = (side_by_side.MAKE, "-s", "-j1", *side_by_side.INCLUDE, "ci")
    environment = standin.clean_environment() | {"NOXMK": f"{side_by_side.STAGE}/bin/noxmk"}
    if way == "traced":
        environment["NOXMK_TRACE"] = "1"
    return side_by_side.Contestant(way, (*STRACE.split(), *words) if way == "strace" else words,
                                   folder, environment)


def row(name: str, runs: dict[str, list[dict[str, float]]]) -> str:
    cells = [name]
    for what in ("seconds", "cpu"):
        base = side_by_side.median(runs["untraced"], what)
        cells.append(f"{base:.2f} s")
        cells += [f"{side_by_side.median(runs[way], what) / base:.2f}" for way in WAYS[1:]]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench tracing", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many [5]")
    parser.add_argument("--workloads", default=",".join((*WORKLOADS, "sample")),
                        help=f"which of [{','.join((*WORKLOADS, 'sample'))}]")
    parser.add_argument("--check", type=float, metavar="RATIO",
                        help="fail if a traced workload but git takes longer than that")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-tracing.json]")
    options = parser.parse_args()
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = standin.Project(os.path.join(folder, "project"), side_by_side.STAGE)
        project.write("nox", NOX)
        os.makedirs(project.path("work"))
        for name, script in WORKLOADS.items():
            project.write(f"work/{name}", script)
        make_things(project)
        project.tell([{"name": name} for name in WORKLOADS], list(range(len(WORKLOADS))), None)
        sample = os.path.join(folder, "sample")
        shutil.copytree(f"{standin.TOP}/tests/projects/sample", sample)
        with open(os.path.join(sample, "GNUmakefile"), "w", encoding="utf-8") as file:
            file.write("include nox.mk\n")
        for name in options.workloads.split(","):
            if name == "ruff" and not shutil.which("ruff"):
                print("ruff is not installed\n")
                continue
            results[name] = side_by_side.compare(
                [of_sample(sample, way) if name == "sample" else contestant(project, name, way)
                 for way in WAYS], options.rounds)
    side_by_side.keep("tracing", {"options": vars(options), "results": results}, options.json)
    print(f"{options.rounds} rounds, times without a trace, and ratios:\n\n"
          "| workload | wall | traced | strace | processors | traced | strace |\n"
          "|---|---|---|---|---|---|---|")
    print("\n".join(row(name, runs) for name, runs in results.items()))
    for name, runs in results.items():
        ratio = side_by_side.median(runs["traced"]) / \
            side_by_side.median(runs["untraced"])
        if options.check and name != "git" and ratio > options.check:
            raise SystemExit(f"{name} takes {ratio:.2f} times as long when it is traced")


if __name__ == "__main__":
    main()
