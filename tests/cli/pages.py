#!/usr/bin/env python3
"""pages.py FORGE LOG: what that forge's page makes of a job's output.

Prints the outline, a line for each thing that folds and for each command, and exits 1 if something
folds within another one, or is not closed. The rules are those of the sources: GitHub's
ActionCommand.cs and ActionCommandManager.cs; reporter.go of Forgejo's and Gitea's runners, and the
script of their pages; GitLab's regex.rb and ansi2json/converter.rb.
"""

from __future__ import annotations

import re
import sys
import unicodedata

# What GitHub's runner obeys; anything else that looks so is text.
GITHUBS = {"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group",
           "notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands",
           "warning", "internal-set-repo-path"}


def seen(text: str) -> str:
    """What a comparison by language takes into account, as .NET does it."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf"
                   and not "\ufe00" <= c <= "\ufe0f")


def githubs_command(line: str) -> tuple[str, str] | None:
    text = seen(line).lstrip()
    if match := re.match("::([^: ]+)( [^:]*(?::(?!:)[^:]*)*)?::(.*)", text, re.S):
        if match[1].lower() in GITHUBS:
            return match[1].lower(), match[3]
    # The older form, anywhere in a line.
    if match := re.search(r"##\[([^\] ]+)[^\]]*\](.*)", seen(line), re.S):
        if match[1].lower() in GITHUBS:
            return match[1].lower(), match[2]
    return None


def unescape(data: str) -> str:
    return data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def github(page: str):
    stopped = None
    # .NET's ReadLine ends a line at each of these.
    for line in re.split("\r\n|\r|\n", page):
        if stopped is not None:
            if seen(line).lstrip() == f"::{stopped}::":
                stopped = None
            continue
        command = githubs_command(line)
        if command and command[0] == "stop-commands":
            stopped = command[1]
        if not command:
            yield "text", line
        elif command[0] in ("group", "endgroup"):
            yield command[0], unescape(command[1])
        else:
            yield "command", command[0]


def forgejo(page: str):
    for line in page.split("\n"):
        line = line.rstrip("\r")
        match = re.fullmatch("::([^ :]+)( .*)?::(.*)", line)
        name, data = (match[1], match[3]) if match else ("", "")
        if name in ("group", "endgroup"):
            line = f"##[{name}]{data}"
        elif name in ("add-mask", "debug", "stop-commands", "notice", "warning", "error"):
            yield "command", name
            continue
        # The script of the page looks at how a line begins.
        if match := re.match(r"(?:##\[(end)?group\]|::(end)?group::)(.*)", line):
            yield ("endgroup" if match[1] or match[2] else "group"), match[3]
        else:
            yield "text", line


SECTION = re.compile(r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)"
                     r"(\[(?:\w+=\w+)(?:, ?(?:\w+=\w+))*\])?\r\033\[0K")


def gitlab(page: str):
    """The tokens of a line; a section's first line is its title."""
    for line in page.split("\n"):
        at, text, title = 0, "", None
        while at < len(line):
            if match := SECTION.match(line, at):
                name = match[3]
                if match[1] == "start":
                    title = name + (" folded" if match[4] == "[collapsed=true]" else "")
                else:
                    yield "endgroup", name
            elif match := re.compile("\033([@-_])(.*?)([@-~])").match(line, at):
                pass
            elif match := re.compile("\033(?:[@-_].*?)?$").match(line, at):
                break
            elif line[at] == "\r":
                match = re.compile("\r").match(line, at)
                text = ""
            else:
                match = re.compile(".[^\033\rs]*", re.S).match(line, at)
                text += match[0]
            at = match.end()
        yield ("group", f"{title}: {text}") if title else ("text", text)


def other(page: str):
    for line in page.split("\n"):
        yield "text", line


FORGES = {"github": github, "forgejo": forgejo, "gitea": forgejo, "gitlab": gitlab,
          "other": other}


def main() -> int:
    with open(sys.argv[2], encoding="utf-8", newline="") as file:
        page = file.read()
    depth, lines, wrong = 0, 0, 0
    for kind, text in FORGES[sys.argv[1]](page):
        if kind == "text":
            lines += 1
            if text.startswith("--- "):
                print(text)
        elif kind == "endgroup":
            print("end", text, f"after {'some' if lines else 'no'} lines")
            depth -= 1
        else:
            print(kind, text)
            depth += kind == "group"
            lines = 0
        wrong |= depth not in (0, 1)
    return 1 if wrong or depth else 0


sys.exit(main())
