"""Runs of records that were never run, and every form in which a run is told, held against itself.

    reports.py make FOLDER SESSIONS   a run folder with so many sessions, of hostile texts
    reports.py told NOXMK RUN FILE    each form is what it should be; the results go into FILE
    reports.py refused NOXMK RUN      each form is refused in one line
    reports.py grow NOXMK FOLDER...   what a form takes for each folder, next to the first
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree

FORMS = ("text", "json", "junit", "md", "trace", "svg", "html")
START, RUN = 1795396700.0, "20261123T000000.000Z-c0ffee01"
NASTY = ("]]> <script>alert(1)</script>", "\x1b[2J\x1b]0;title\x07 gone", "| a | b |\n# head",
         "\u202eright to left", "\x01 \ufffe \u2028", "'\"&amp;`$(true)`", "x" * 300, "漢字 é")


def write(folder: str, name: str, *lines: object) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def record(at: int, target: str) -> dict:
    """Eight at once, each for two seconds and more; one in nine has failed, and was tried twice."""
    started, failed, nasty = START + at // 8 * 2.5, at % 9 == 4, NASTY[at % len(NASTY)]
    waits = [{"for": "resource", "seconds": 0.5, "resource": nasty, "target": f"s{at - 8}",
              "pid": 1}] if at >= 8 else []
    steps = [{"kind": "environment", "command": "created by venv", "exit": 0, "started": started,
              "seconds": 0.5, "waited": 0.0},
             {"kind": "run", "command": nasty, "exit": 1, "started": started + 0.5, "seconds": 1.0,
              "waited": 0.25}]
    return {
        "schema": 1, "target": target, "session": f"s({nasty})",
        "verdict": "failed" if failed else "passed", "reason": nasty if failed else None,
        "exit": int(failed), "signal": None, "started": started, "ended": started + 2 + at % 3 / 10,
        "duration": 2 + at % 3 / 10, "log": f"{target}.log", "live": False, "excused": False,
        "notify": [], "waits": waits, "cue": f"s{at - 8}" if at >= 8 else None,
        "left": nasty if failed else None, "cpu": 1.5, "client": None, "told": 2, "width": 2,
        "memory": 1 << 26, "wide": [nasty], "crowded": 0.0, "own": 1.9, "shown": 0,
        "announced": [0, 0], "steps": steps,
        "attempts": [{"verdict": "failed", "reason": nasty, "duration": 1.0, "log": None}]
        if failed else [], "recheck": None, "slots": 1,
        "samples": {"every": 0.25, "cpu": [0.7] * 8, "width": [1] * 8, "mib": [64.0] * 8},
    }


def make(folder: str, sessions: int) -> None:
    os.makedirs(folder)
    write(folder, ".run.json", {"schema": 1, "run": RUN, "make": "1-2-3",
                                "started": START, "clock": 1.0, "jobs": 8})
    write(folder, ".request.json", {"schema": 1, "knobs": {}, "goals": ["ci"], "alone": "",
                                    "posargs": [], "processors": 8})
    write(folder, ".ended")
    targets = [f"s{at}" for at in range(sessions)]
    write(folder, "plan.jsonl", {"schema": 1}, *(
        {"target": target, "session": f"s({NASTY[at % len(NASTY)]})",
         "claims": [{"resource": NASTY[at % len(NASTY)], "use": "exclusive", "by": "uses"}]}
        for at, target in enumerate(targets)), {"group": "ci", "members": targets})
    for at, target in enumerate(targets):
        write(folder, f"{target}.json", record(at, target))
        with open(os.path.join(folder, f"{target}.log"), "wb") as file:
            file.write(bytes(range(256)) + NASTY[at % len(NASTY)].encode() + b"\n")


def report(noxmk: str, run: str, form: str) -> subprocess.CompletedProcess:
    option = [] if form == "text" else [f"--{form}"]
    return subprocess.run([noxmk, "report", *option, run], capture_output=True, check=False)


def is_shown(line: str) -> bool:
    """Nothing in it moves the cursor, or turns the text round."""
    return not {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Zl", "Zp"}


def is_event(event: dict) -> bool:
    """Is that what the "Trace Event Format" calls a complete, counter or metadata event?"""
    args, numbers = event["args"], [event.get(key) for key in ("pid", "tid", "ts", "dur")]
    pid, tid, ts, dur = numbers
    kinds = [type(number) for number in numbers]
    if not isinstance(event["name"], str) or not isinstance(args, dict) or not isinstance(pid, int):
        return False
    if event["ph"] == "X":
        return kinds[1:] == [int, float, float] and ts >= 0 and dur > 0 and event["cat"] != ""
    if event["ph"] == "C":
        return ts >= 0 and [type(value) for value in args.values()] == [float]
    return event["ph"] == "M" and (
        event["name"] in ("process_name", "thread_name") and isinstance(args["name"], str)
        or event["name"] == "process_sort_index" and isinstance(args["sort_index"], int))


def hold(form: str, said: bytes) -> None:
    text = said.decode("utf-8")
    if form == "json":
        results = json.loads(text)
        assert results["schema"] == 1 and results["sessions"], text[:500]
    elif form == "trace":
        events = json.loads(text)["traceEvents"]
        odd = [event for event in events if not is_event(event)]
        assert events and not odd, odd[:3]
    elif form == "junit":
        suite = xml.etree.ElementTree.fromstring(text)[0]
        assert len(suite.findall("testcase")) == int(suite.get("tests")), suite.attrib
    elif form in ("svg", "html"):
        assert "<script>alert" not in text, "a session's text is code"
        assert form == "html" or xml.etree.ElementTree.fromstring(text).tag.endswith("svg")
    else:
        odd = [line for line in text.split("\n") if not is_shown(line)]
        assert not odd, f"not for the screen: {odd[:3]}"
        assert form != "md" or "<script>" not in text, "Markdown that is HTML"


def told(noxmk: str, run: str, path: str) -> None:
    for form in FORMS:
        done = report(noxmk, run, form)
        assert (done.returncode, done.stderr) == (0, b""), f"{form}: {done}"[:2000]
        hold(form, done.stdout)
        if form == "json":
            with open(path, "wb") as file:
                file.write(done.stdout)


def refused(noxmk: str, run: str) -> None:
    for form in FORMS:
        done = report(noxmk, run, form)
        lines = done.stderr.decode("utf-8").splitlines()
        assert done.returncode == 1 and len(lines) == 1 and not done.stdout, f"{form}: {done}"
        assert lines[0].startswith("noxmk: ") and is_shown(lines[0]), lines


def seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def grow(noxmk: str, *folders: str) -> None:
    """By processor time: a second of work is not to become a minute's."""
    first = {}
    for folder in folders:
        names = sum(name.endswith(".log") for name in os.listdir(folder))
        for form in FORMS:
            before = seconds()
            done = report(noxmk, folder, form)
            took = seconds() - before
            hold(form, done.stdout)
            n, least, size = first.setdefault(form, (names, took, len(done.stdout)))
            more, slower, larger = names / n, took / least, len(done.stdout) / size
            print(f"{names} sessions, {form}: {took:.2f} s ({slower:.1f} times), "
                  f"{len(done.stdout)} bytes ({larger:.1f} times)")
            assert slower <= 2.5 * more + 1, "it takes more and more for each session"
            assert larger <= 1.1 * more, "there is more and more of each session"


if __name__ == "__main__":
    commands = {"make": lambda folder, n: make(folder, int(n)), "told": told, "refused": refused,
                "grow": grow}
    commands[sys.argv[1]](*sys.argv[2:])
