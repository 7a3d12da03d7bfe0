#!/usr/bin/env python3
"""Whatever lies in the state folder, no make waits for it or believes it, and the next mends it.

    tests/properties/anything.py [--cases N | --all] [--seed S] [--jobs N] [--only WORD] [-v]

Each file and folder of the state is made into something else (missing, empty, cut, a FIFO, a
folder, a link to /dev/zero or to nowhere, another user's, unreadable, huge) at each phase of a run:
before make, while it plans, between its begin and a session, while a session runs, and before its
end. One case does the same to five of them in one make, one in each phase. Afterwards

- that make has ended in time, and nothing of it lives,
- each session has the verdict that it has without that,
- the next make has all verdicts right, and says at most one thing of each file,
- the one after that says nothing.

N cases of them are tried [24], by the seed; 0 takes a random one. TAP on stdout. As root the makes
are run as nobody, who has other users and what he may not read; else those two do nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import standin  # noqa: E402

STAGE = os.environ.get("STAGE") or os.path.join(standin.TOP, "build", "stage")
MAKE = os.environ.get("MAKE") or "make"
STATE = ".nox/.noxmk"
NOBODY, STRANGER = 65534, 65533
PATIENCE = 180  # seconds for one make, however slow the machine is
PHASES = ("before", "planning", "between", "running", "end")
VERDICTS = {"one": "passed", "two": "passed", "three": "failed"}

# Those of a run are there from its begin on.
OF_STATE = ["sessions.mk", "plan.jsonl", "inputs.json", "own.mk", "order.mk", "history.json",
            "failed", "lock", ".gitignore", "CACHEDIR.TAG", "locks", "locks/mutex",
            "locks/0000000001", "runs", "latest"]
OF_RUN = ["", ".run.json", "plan.jsonl", ".request.json", ".alive", ".halt", "one.json", "one.log",
          ".one.report", "two.json", "two.log", "three.json", "three.log", "MAKE", "WELL"]

NOX = """#!/bin/sh
# In place of nox.
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
    ./meet planning
    exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=}
result=success
[ "$name" != two ] || ./meet running
[ "$name" != three ] || result=failed
echo "{\\"sessions\\": [{\\"name\\": \\"$name\\", \\"result\\": \\"$result\\"}]}" >"$5"
[ $result = success ]
"""

# We have `at` and `go` open ourselves, so nobody waits for the other end.
MEET = """#!/bin/sh
[ -p at ] || exit 0
echo "$1" >at
read -r unused <go
"""

MAKEFILE = """NOXMK := {stage}/bin/noxmk
include nox.mk
one: between
between: | .noxmk/begin ; @./meet between
.noxmk/end: | before-end
before-end: | $(addprefix .noxmk/run/,one two three) ; @./meet end
.PHONY: between before-end
"""


class Failure(Exception):
    pass


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(what)


# What is done. -------------------------------------------------------------------------------

def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def empty(path: str) -> None:
    was_folder = os.path.isdir(path)
    remove(path)
    os.mkdir(path) if was_folder else own(open(path, "wb").close() or path)
    own(path)


def cut(path: str) -> None:
    if os.path.isdir(path):
        for name in sorted(os.listdir(path))[::2]:
            remove(os.path.join(path, name))
    elif os.path.isfile(path):
        os.truncate(path, os.path.getsize(path) // 2)


def fifo(path: str) -> None:
    remove(path)
    os.mkfifo(path)
    own(path)


def folder(path: str) -> None:
    remove(path)
    os.mkdir(path)
    own(path)
    own(open(os.path.join(path, "file"), "w", encoding="utf-8").close() or path)


def link_to(target: str):
    def act(path: str) -> None:
        remove(path)
        os.symlink(target, path)
    return act


def give_away(path: str) -> None:
    if os.geteuid() == 0 and os.path.lexists(path):
        os.lchown(path, STRANGER, STRANGER)


def close(path: str) -> None:
    if os.path.exists(path):
        os.chmod(path, 0)


def huge(path: str) -> None:
    if os.path.isdir(path):
        return
    remove(path)
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    own(path)


FAULTS = {"missing": remove, "empty": empty, "cut": cut, "a FIFO": fifo, "a folder": folder,
          "a link to /dev/zero": link_to("/dev/zero"), "a link to nowhere": link_to("nowhere"),
          "another user's": give_away, "unreadable": close, "huge": huge}


def own(path: str) -> None:
    if os.geteuid() == 0:
        os.lchown(path, NOBODY, NOBODY)


# Cases. --------------------------------------------------------------------------------------

def cases_of(seed: int) -> list[tuple[str, dict[str, str]]]:
    """All: of each fault, what it is done to in which phase."""
    rnd = random.Random(seed)
    cases = []
    for fault in FAULTS:
        columns = {}
        for phase in PHASES:
            things = [f"{STATE}/{name}" for name in OF_STATE]
            if phase not in ("before", "planning"):
                things += [f"RUN/{name}" for name in OF_RUN]
            rnd.shuffle(things)
            columns[phase] = things
        for i in range(max(map(len, columns.values()))):
            cases.append((fault, {phase: things[i] for phase, things in columns.items()
                                  if i < len(things)}))
    return cases


class Case:
    def __init__(self, template: str, where: str, fault: str, things: dict[str, str]) -> None:
        self.folder, self.fault, self.things = where, fault, things
        shutil.copytree(template, where, symlinks=True)
        self.environment = standin.clean_environment() | {
            "NOX": "./nox", "ANYTHING": os.path.basename(where) + str(os.getpid()),
            "XDG_RUNTIME_DIR": self.path("runtime")}
        os.mkdir(self.path("runtime"))
        self.fds = []
        for name in ("at", "go"):
            os.mkfifo(self.path(name))
            self.fds.append(os.open(self.path(name), os.O_RDWR | os.O_NONBLOCK))
        for top, folders, files in os.walk(where):
            for name in [".", *folders, *files]:
                own(os.path.join(top, name))
        self.make: subprocess.Popen | None = None

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def thing(self, name: str) -> str:
        """Its path now; RUN is the folder of the run."""
        if not name.startswith("RUN/"):
            return self.path(name)
        runs, rest = self.path(f"{STATE}/runs"), name.removeprefix("RUN/")
        found = sorted(os.listdir(runs)) if os.path.isdir(runs) else []
        makes = [one for one in found if one.startswith(".make-")]
        newest = [one for one in found if one.startswith("2")]
        if not makes or not newest:
            return self.path(f"{STATE}/runs")
        if rest in ("MAKE", "WELL"):
            key = next((one for one in makes if one.endswith(newest[-1].split("-")[-1])), makes[-1])
            return os.path.join(runs, key if rest == "MAKE" else
                                key.replace(".make-", ".well-") + "-ci")
        return os.path.join(runs, newest[-1], rest).rstrip("/")

    def damage(self, phase: str) -> None:
        if phase in self.things:
            path = self.thing(self.things[phase])
            if os.path.isdir(os.path.dirname(path)):
                # What a running make puts in its place at that moment has mended it.
                with contextlib.suppress(FileNotFoundError):
                    FAULTS[self.fault](path)

    def start(self) -> None:
        self.out = open(self.path("out"), "wb")
        self.err = open(self.path("err"), "wb")
        drop = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self.make = subprocess.Popen(
            [MAKE, "-I", f"{STAGE}/include", "-j2", "ci", "NOXMK_DEADLINE=90s"], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err, env=self.environment,
            start_new_session=True, **drop)

    def run(self) -> None:
        """With our acts, if make comes to them."""
        end = time.monotonic() + PATIENCE
        self.start()
        while self.make.poll() is None:
            require(time.monotonic() < end, "make hangs")
            try:
                phases = os.read(self.fds[0], 64).decode().split()
            except BlockingIOError:
                time.sleep(0.004)
                continue
            for phase in phases:
                self.damage(phase)
                os.write(self.fds[1], b"\n")
        self.out.close()
        self.err.close()
        while self.processes():
            require(time.monotonic() < end, f"survivors: {self.processes()}")
            time.sleep(0.004)

    def processes(self) -> list[int]:
        mark = f"ANYTHING={self.environment['ANYTHING']}".encode()
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and mark in open(f"/proc/{entry}/environ", "rb").read():
                    found.append(int(entry))
            except OSError:
                continue
        return found

    def said(self, name: str) -> str:
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def verdicts(self) -> dict[str, str]:
        """As the summary has them."""
        found = {}
        table = self.said("out").rpartition("\nsession ")[2]
        for target in VERDICTS:
            line = re.search(rf"^{target} +(\w+( run)?) ", table, re.M)
            found[target] = line[1] if line else ""
        return found

    def messages(self) -> list[str]:
        usual = ("noxmk: ci: ", "make: ")
        return [line for line in self.said("err").splitlines() if not line.startswith(usual)]

    def check(self) -> None:
        self.damage("before")
        with open(self.path("noxfile.py"), "a", encoding="utf-8") as file:
            file.write("# other\n")
        self.run()
        is_ = self.verdicts()
        wrong = {target: verdict for target, verdict in is_.items() if verdict != VERDICTS[target]}
        require(self.make.returncode == 2, f"make: exit {self.make.returncode}")
        require(not wrong, f"{wrong}: {self.messages()}")
        require(not os.listdir(self.path("runtime")), "its runtime folder is left")
        for text in ("INTERNAL", "Traceback"):
            require(text not in self.said("err") + self.said("out"), text)
        os.remove(self.path("at"))
        self.run()
        require(self.verdicts() == VERDICTS, f"the next make: {self.verdicts()}")
        said = self.messages()
        require(len(said) <= len(self.things), f"the next make says: {said}")
        if said:
            self.run()
            require(self.verdicts() == VERDICTS, f"the third make: {self.verdicts()}")
            require(not self.messages(), f"the third make says: {self.messages()}")

    def clean(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for fd in self.fds:
            os.close(fd)


def make_template(where: str) -> None:
    project = standin.Project(where, STAGE)
    project.write("GNUmakefile", MAKEFILE.format(stage=STAGE))
    for name, text in {"nox": NOX, "meet": MEET}.items():
        project.write(name, text)
        os.chmod(project.path(name), 0o755)
    config = {"session": {"two": {"after": ["one"], "uses": ["port"]},
                          "three": {"after": ["two"], "uses": ["port"]}}}
    project.tell([{"name": name} for name in VERDICTS], [0, 1, 2], config)
    made = project.make(MAKE, "-j2", "ci")
    require(made.returncode == 2 and "1 failed" in made.stdout, made.stdout + made.stderr)


def attempt(number: int) -> str:
    """Why the case of that number fails; "" if it does not."""
    fault, things = CASES[number]
    case = Case(TEMPLATE, os.path.join(os.path.dirname(TEMPLATE), str(number)), fault, things)
    try:
        case.check()
        return ""
    except Failure as failure:
        text = "".join(f"\n#   {line}" for line in
                       (case.said("out") + case.said("err")).splitlines()) if VERBOSE else ""
        return str(failure) + text
    finally:
        case.clean()
        if not VERBOSE:
            shutil.rmtree(case.folder, ignore_errors=True)


def name_of(fault: str, things: dict[str, str]) -> str:
    return f"{fault}: " + ", ".join(f"{thing.removeprefix(STATE + '/')} ({phase})"
                                    for phase, thing in things.items())


CASES: list[tuple[str, dict[str, str]]] = []
TEMPLATE = ""
VERBOSE = False


def main() -> int:
    global TEMPLATE, VERBOSE
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-v", action="store_true", help="print what makes said; keep no folder")
    parser.add_argument("--all", action="store_true", help="all cases")
    parser.add_argument("--cases", type=int, default=24, help="how many [24]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--jobs", type=int, default=4, help="cases at once [4]")
    options = parser.parse_args()
    VERBOSE = options.v
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    print(f"# --seed {seed}")
    cases = cases_of(seed)
    if not options.all and not options.only:
        cases = random.Random(seed).sample(cases, options.cases)
    CASES.extend(case for case in cases if options.only in name_of(*case))
    failed = 0
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        TEMPLATE = os.path.join(top, "template")
        make_template(TEMPLATE)
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            for i, why in enumerate(pool.imap(attempt, range(len(CASES)))):
                failed += bool(why)
                print(f"{'not ok' if why else 'ok'} {i + 1} {name_of(*CASES[i])}")
                if why:
                    print(f"#   {why}")
                sys.stdout.flush()
    print(f"1..{len(CASES)}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
