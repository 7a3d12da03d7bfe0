#!/usr/bin/env python3
"""Is each promise of tests/faults/README.md still made, and held by a test?

A row `| where | promise | held by |` has the words of README or a manual page, and tests as
`FILE` NAME, NAME…; `FILE` …, with FILE below tests/ and a NAME that stands in it. Prints what is
not there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
PAGES = {"nox.mk(5)": "mk/nox.mk.5", "noxmk(1)": "src/noxmk.1"}
ROW = re.compile(r"\| (README|nox\.mk\(5\)|noxmk\(1\)) \| (.*) \| (.*) \|$")


def read(*path: str) -> str:
    with open(os.path.join(TESTS, *path), encoding="utf-8") as file:
        return file.read()


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("`", ""))


def rendered(page: str) -> str:
    path = os.path.join(TESTS, "..", page)
    command = ["mandoc", "-Tascii", "-Owidth=200", path]
    return re.sub(".\x08", "", subprocess.check_output(command, text=True))


def missing(names: str, text: str) -> list[str]:
    """A name may have a comma: the longest that stands in the text counts."""
    parts, lacking, first = names.split(", "), [], 0
    while first < len(parts):
        for last in range(len(parts), first, -1):
            if ", ".join(parts[first:last]) in text:
                first = last
                break
        else:
            lacking.append(parts[first])
            first += 1
    return lacking


def main() -> int:
    documents = {where: words_of(rendered(page)) for where, page in PAGES.items()}
    documents["README"] = words_of(read("..", "README.md"))
    rows = [row.groups() for row in map(ROW.match, read("faults", "README.md").splitlines()) if row]
    wrong = [] if rows else ["there is no promise"]
    for where, promise, tests in rows:
        if words_of(promise) not in documents[where]:
            wrong.append(f"{where} does not promise any more: {promise}")
        for part in tests.split("; "):
            file, names = part[1:].split("` ", 1)
            wrong += [f"no test any more: {file}: {name}" for name in missing(names, read(file))]
    print("\n".join(wrong) or f"{len(rows)} promises")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
