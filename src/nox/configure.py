"""Writes what `noxmk audit` proposes into pyproject.toml; comments and layout stay as they are.

    echo '{"docs":{"uses":["build"]},"tests":{"env":{"COVERAGE_FILE":".coverage.tests"}}}' |
        configure.py

Works in the current folder. Sections that the file does not have yet are added at its end. What is
to go into one that it has is for tomlkit; where that is not installed, nothing is written, and the
lines are printed. Whatever was written has to be what was meant: the file is read again before it
replaces the old one. Whatever goes wrong, that stays as it was. Its mode, owner and line ends are
kept.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import stat
import sys
import tempfile

FILE = "pyproject.toml"


def parser():
    """The module that reads TOML, or None."""
    for name in ("tomllib", "tomli"):
        try:
            return __import__(name)
        except ImportError:
            pass
    return None


def section(target: str, keys: dict) -> str:
    """The section as text. A basic string of TOML is one of JSON, if that is in ASCII."""
    bare = target.replace("-", "").replace("_", "").isalnum() and target.isascii()
    lines = ["[tool.noxmk.session.%s]" % (target if bare else json.dumps(target))]
    for key, value in keys.items():
        if isinstance(value, dict):
            pairs = ("%s = %s" % (name, json.dumps(text)) for name, text in value.items())
            lines.append("%s = {%s}" % (key, ", ".join(pairs)))
        else:
            lines.append("%s = %s" % (key, json.dumps(value)))
    return "\n".join(lines) + "\n"


def table_in(table: dict, name: str) -> dict:
    """The table of that name in there; it is made if need be."""
    inner = table.setdefault(name, {})
    if not isinstance(inner, dict):
        raise ValueError("%s is no table" % name)
    return inner


def merge(table: dict, keys: dict) -> None:
    """Adds the keys of one section; table may be tomlkit's."""
    for key, value in keys.items():
        if isinstance(value, dict):
            inner = table_in(table, key)
            for name, text in value.items():
                inner[name] = text
        elif key not in table:
            table[key] = value
        elif isinstance(table[key], list):
            table[key].extend([name for name in value if name not in table[key]])
        else:
            raise ValueError("%s is no list" % key)


def sessions_of(document: dict) -> dict:
    """The table of all sections; it is made if need be."""
    for name in ("tool", "noxmk", "session"):
        document = table_in(document, name)
    return document


def append(text: str, old: dict, changes: dict) -> str | None:
    """The text with new sections at its end; None if one of them is there already."""
    known = old.get("tool", {}).get("noxmk", {}).get("session", {})
    if any(target in known for target in changes):
        return None
    blank = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return text + blank + "\n".join(section(*item) for item in changes.items())


def edit(text: str, changes: dict) -> str | None:
    """The text with all changes, by tomlkit; None where that is not installed, or cannot do it."""
    try:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError
    except ImportError:
        return None
    try:
        return edit_by(tomlkit, text, changes)
    except TOMLKitError:
        return None


def edit_by(tomlkit, text: str, changes: dict) -> str:
    document = tomlkit.parse(text)
    place = document
    for name in ("tool", "noxmk", "session"):
        if name not in place:
            place[name] = tomlkit.table(is_super_table=True)
        place = place[name]
    for target, keys in changes.items():
        if target not in place:
            place[target] = tomlkit.table()
        merge(place[target], keys)
    return tomlkit.dumps(document)


def changed(text: str, changes: dict) -> str | None:
    """The new text, or None when nobody here can make it."""
    toml = parser()
    if toml is None:
        return None
    old = toml.loads(text)
    wanted = copy.deepcopy(old)
    table = sessions_of(wanted)
    for target, keys in changes.items():
        merge(table_in(table, target), keys)
    for new in (append(text, old, changes), edit(text, changes)):
        try:
            if new is not None and toml.loads(new) == wanted:
                return new
        except ValueError:
            pass
    return None


def read() -> str:
    """The file's text; "" where there is none."""
    try:
        file = os.open(FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    with open(file, encoding="utf-8", newline="") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ValueError("not a file")
        return stream.read()


def write(text: str) -> None:
    """Replaces the file, and not a link that leads to it, by one that is made beside it."""
    path = os.path.realpath(FILE)
    file, beside = tempfile.mkstemp(prefix=".%s." % FILE, dir=os.path.dirname(path))
    try:
        with open(file, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            if os.path.exists(path):
                old = os.stat(path)
                with contextlib.suppress(OSError):
                    os.fchown(file, old.st_uid, old.st_gid)
                os.fchmod(file, stat.S_IMODE(old.st_mode))
            else:
                umask = os.umask(0o077)
                os.umask(umask)
                os.fchmod(file, 0o666 & ~umask)
            os.fsync(file)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def configure(changes: dict) -> int:
    text = read()
    has_crlf = "\r\n" in text and not re.search(r"(?<!\r)\n", text)
    new = changed(text.replace("\r\n", "\n") if has_crlf else text, changes)
    if new is None:
        print("noxmk: %s has some of these sections, and tomlkit, which could change them, is "
              "not installed for %s: add these lines" % (FILE, sys.executable), file=sys.stderr)
        print("\n".join(section(*item) for item in changes.items()), end="")
        return 1
    if has_crlf:
        new = new.replace("\n", "\r\n")
    if new != text:
        write(new)
    print("noxmk: %s has the lines" % FILE)
    return 0


def main() -> int:
    changes = json.load(sys.stdin.buffer)
    try:
        return configure(changes)
    except OSError as error:
        why = error.strerror
    except (ValueError, RecursionError) as error:
        why = str(error)
    print("noxmk: %s: %s" % (FILE, why), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
