"""What is left when a run is cut off: of its processes, and of its results?

Two sessions at once, one of which has just passed, the other one of several that do not want to
end. Then a signal comes: from the terminal to all, or to the runner. The same under

- make -j2 with noxmk,
- nox -j 2 (newest nox), all sessions allowed to run in parallel,
- tox run-parallel.

Counted are runs after which a process that a session has started is still there, runs after which
the report that the runner was asked for does not have the session that has passed, runs that had
not ended after 20 seconds, and how long the runner needed at most.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import nested

sys.path.insert(0, os.path.join(os.path.dirname(nested.BURN), "..", "faults"))
import case  # noqa: E402
import faults as catalogue  # noqa: E402

STAGE, MAKE, NOX = nested.STAGE, nested.MAKE, nested.NOX
KINDS = catalogue.KINDS
PATIENCE = 20  # seconds that a runner has to end, and then its sessions

NOXFILE = """import nox
def define(name):
    @nox.session(name=name, venv_backend="none")
    def run(session):
        session.run("sh", f"scripts/{name}", external=True)
"""

# A signal, and whether the whole group gets it, as from a terminal.
SIGNALS = {"^C": (signal.SIGINT, True), "SIGHUP to all": (signal.SIGHUP, True),
           "SIGTERM to the runner": (signal.SIGTERM, False),
           "SIGKILL to the runner": (signal.SIGKILL, False), "it ends by itself": (0, False)}
LEFT_BEHIND = "setsid sh -c 'trap \"\" INT TERM HUP; sleep 7654' & sleep 0.3; touch ready"


def make_project(folder: str, script: str) -> nested.standin.Project:
    project = nested.standin.Project(folder, STAGE)
    project.environment |= {"NOX": NOX, "NOXMK_FAULT": folder}
    os.makedirs(project.path("scripts"))
    project.write("scripts/quick", "touch quick\n")
    project.write("scripts/nasty", script + "\n")
    project.write("noxfile.py", NOXFILE + 'define("quick")\ndefine("nasty")\n')
    environments = "".join(f"[testenv:{name}]\ncommands = sh scripts/{name}\n"
                           for name in ("quick", "nasty"))
    project.write("tox.ini", "[tox]\nenv_list = quick, nasty\nno_package = true\n[testenv]\n"
                  f"allowlist_externals = *\npass_env = *\n{environments}")
    return project


def survivors(mark: str) -> list[int]:
    """All that carry our mark in their environment."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                marked = f"NOXMK_FAULT={mark}".encode() in file.read().split(b"\0")
            with open(f"/proc/{entry}/stat", "rb") as file:
                dead = file.read().rpartition(b")")[2].split()[0] in b"ZX"
        except OSError:
            continue
        if marked and not dead:
            found.append(int(entry))
    return found


def wait(holds, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_reported(project: nested.standin.Project) -> bool:
    """Does a report say that `quick` has passed?"""
    for name in ("report.json", ".nox/.noxmk/latest/quick.json"):
        if os.path.exists(project.path(name)) and "quick" in project.read(name):
            return True
    return False


def one(folder: str, command: list[str], script: str, number: int, to_all: bool) -> dict:
    project = make_project(folder, script)
    with open(project.path("said"), "wb") as out:
        runner = subprocess.Popen(command, cwd=folder, env=project.environment, stdout=out,
                                  stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
                                  preexec_fn=case.listen)
    ready = wait(lambda: os.path.exists(project.path("ready")) and
                 os.path.exists(project.path("quick")), 60)
    time.sleep(1)  # for the runner to take note of quick's end
    begun = time.monotonic()
    if number:
        (os.killpg if to_all else os.kill)(runner.pid, number)
    try:
        runner.wait(PATIENCE)
        hangs = False
    except subprocess.TimeoutExpired:
        hangs = True
    seconds = time.monotonic() - begun
    if hangs:
        runner.kill()
        runner.wait()
    wait(lambda: not survivors(folder), PATIENCE / 2)
    left = survivors(folder)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    reported = is_reported(project)
    shutil.rmtree(folder, ignore_errors=True)
    return {"ready": ready, "seconds": seconds, "hangs": hangs, "left": len(left),
            "reported": reported}


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench faults", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=4, help="runs at once [4]")
    parser.add_argument("--json", metavar="FILE", help="all figures [$B/bench-faults.json]")
    options = parser.parse_args()
    if not os.path.exists(NOX):
        sys.exit(f"{NOX} is missing: scripts/peers fetches it")
    nested.get_tools()
    runners = {
        "make -j2": [MAKE, "-I", f"{STAGE}/include", "-j2", "quick", "nasty"],
        "nox -j 2": [NOX, "-j", "2", "--allow-parallel", "--report", "report.json"],
        "tox run-parallel": [os.path.join(nested.TOOLS, "bin", "tox"), "run-parallel",
                             "--parallel-no-spinner", "--result-json", "report.json"],
    }
    results: dict[str, dict[str, list[dict]]] = {title: {} for title in SIGNALS}
    with tempfile.TemporaryDirectory() as scratch, \
            multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        tasks = []
        for title, (number, to_all) in SIGNALS.items():
            scripts = [catalogue.PROGRAMS[kind] for kind in KINDS] if number else [LEFT_BEHIND]
            for runner, command in runners.items():
                for script in scripts:
                    folder = os.path.join(scratch, str(len(tasks)))
                    tasks.append((title, runner, (folder, command, script, number, to_all)))
        for (title, runner, _), result in zip(tasks, pool.starmap(one, [t[2] for t in tasks], 1)):
            results[title].setdefault(runner, []).append(result)
    file = options.json or os.path.join(os.path.dirname(STAGE), "bench-faults.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(results, out, indent=1)
    print(f"Sessions that do not want to end: {', '.join(KINDS)}. All figures: "
          f"{os.path.relpath(file)}\n")
    print("| processes left / not in the report / hangs / longest, of runs | " +
          " | ".join(f"`{runner}`" for runner in runners) + " |")
    print("|---" * (len(runners) + 1) + "|")
    for title, by_runner in results.items():
        cells = [f"{sum(r['left'] > 0 for r in runs)} / {sum(not r['reported'] for r in runs)} / "
                 f"{sum(r['hangs'] for r in runs)} / {max(r['seconds'] for r in runs):.1f} s, "
                 f"of {len(runs)}" for runs in by_runner.values()]
        print(f"| {title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
