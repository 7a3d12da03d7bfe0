"""Hands global variables on from one session's process to another's.

Under nox all sessions are one process, so one may assign a global variable that another reads
(coupling.py finds them). Here the first leaves the values in its run's folder, beside its report,
and the other takes them before it starts. The shim loads this file for such sessions only.

.TARGET.globals is a JSON object, "MODULE NAME" -> one of
    {"value": V}              it was assigned
    {"list" or "set": [V]}    items that were added to it; whoever takes it adds them, too
    {"dict": [[V, V]]}        items that were set in it
    {"error": "a Popen"}      it cannot be carried into another process
where V is null, true, a number, a string, or one of {"list"}, {"tuple"}, {"set"}, {"frozenset"},
{"dict"}, {"bytes": hexadecimal}, {"path"}. Only such values are carried: what a file says can make
no other object, and run nothing.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import pathlib
import stat
import sys

LISTS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def open_plain(path: str, flags: int) -> int:
    """For open(): neither waits for a FIFO nor follows a link, as the helper does (file.h)."""
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ValueError("no plain file")
    return fd


def pack(value: object) -> object:
    """The value as JSON has it; TypeError, with its type, if it is of another kind."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    for name, kind in LISTS.items():
        if type(value) is kind:
            return {name: [pack(item) for item in value]}
    if type(value) is dict:
        return {"dict": [[pack(key), pack(item)] for key, item in value.items()]}
    if type(value) in (bytes, bytearray):
        return {"bytes": value.hex()}
    if isinstance(value, pathlib.PurePath):
        return {"path": str(value)}
    raise TypeError(f"a {type(value).__name__}")


def unpack(packed: object) -> object:
    if not isinstance(packed, dict):
        return packed
    ((name, items),) = packed.items()
    if name in LISTS:
        return LISTS[name](unpack(item) for item in items)
    if name == "dict":
        return {unpack(key): unpack(item) for key, item in items}
    return bytes.fromhex(items) if name == "bytes" else pathlib.Path(items)


def items_of(value: object) -> tuple[str, list] | None:
    """The kind and the items of what is changed in place rather than assigned."""
    if isinstance(value, (list, collections.deque)):
        return "list", [pack(item) for item in value]
    if isinstance(value, set):
        return "set", [pack(item) for item in value]
    if isinstance(value, dict):
        return "dict", [[pack(key), pack(item)] for key, item in value.items()]
    return None


class Variable:
    """A global variable by its module and its name, which may be a path of attributes.

    A variable of the environment has os.environ for its module.
    """

    def __init__(self, module: str, name: str) -> None:
        self.key = f"{module} {name}"
        is_environment = module == "os.environ"
        *path, self.name = [name] if is_environment else name.split(".")
        self.names = os.environ if is_environment else vars(sys.modules[module])
        for step in path:
            self.owner = self.names[step]
            self.names = vars(self.owner)
        self.is_attribute = bool(path)
        self.before = self.get()
        try:
            self.items = items_of(self.before)
        except TypeError:
            self.items = None

    def get(self) -> object:
        return self.names.get(self.name)

    def set(self, value: object) -> None:
        if self.is_attribute:
            setattr(self.owner, self.name, value)
        else:
            self.names[self.name] = value

    def change(self) -> dict | None:
        """What is to be handed on: nothing if it is as it was, or not there."""
        value = self.get()
        try:
            if value is not self.before or not items_of(value):
                same = value is self.before and self.name in self.names
                return None if same or self.name not in self.names else {"value": pack(value)}
            kind, items = items_of(value)
            old = self.items[1] if self.items else []
            if kind == "list" and items[: len(old)] != old:
                return {"value": pack(list(value))}
            added = items[len(old) :] if kind == "list" else [i for i in items if i not in old]
            return {kind: added} if added else None
        except (TypeError, RecursionError) as error:
            return {"error": f"{error}"}

    def apply(self, change: dict) -> None:
        ((kind, packed),) = change.items()
        value = self.get()
        if kind == "value":
            self.set(unpack(packed))
        elif kind == "dict":
            value.update((unpack(key), unpack(item)) for key, item in packed)
        else:
            (value.extend if kind == "list" else value.update)(unpack(item) for item in packed)


class Handover:
    """What one session takes and leaves: "globals" of its line in the plan (planfile.h)."""

    def __init__(self, globals_: str, report: str) -> None:
        wanted = json.loads(globals_)
        self.folder, name = os.path.split(report)
        self.own = name[1 : -len(".report")]
        self.leaves, self.takes = wanted.get("leaves") or [], wanted["takes"]
        self.variables: list[Variable] = []

    def path(self, target: str) -> str:
        return os.path.join(self.folder, f".{target}.globals")

    def take(self) -> None:
        """ValueError, for people, if there is something that cannot be carried."""
        for target in self.takes:
            try:
                with open(self.path(target), encoding="ascii", opener=open_plain) as file:
                    changes = dict(json.load(file))
            except FileNotFoundError:  # it has not run in this make; nor would nox have run it
                continue
            except (OSError, TypeError, ValueError) as error:
                raise ValueError(f"{self.path(target)}: {error}") from None
            for key, change in changes.items():
                module, _, name = key.partition(" ")
                self.take_one(target, module, name, change)
        for module, name in self.leaves:
            with contextlib.suppress(KeyError, TypeError):  # the noxfile may be another by now
                self.variables.append(Variable(module, name))

    def take_one(self, target: str, module: str, name: str, change: dict) -> None:
        try:
            what = change.get("error")
            if not what:
                Variable(module, name).apply(change)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            what = f"something else ({type(error).__name__}: {error})"
        if what:
            raise ValueError(
                f"{target} leaves {what} in the global variable {name}, which cannot be carried "
                "into this process: use a file, or do both in one session"
            )

    def leave(self) -> None:
        changes = {variable.key: variable.change() for variable in self.variables}
        changes = {key: change for key, change in changes.items() if change}
        part = self.path(self.own) + ".part"
        try:
            with contextlib.suppress(FileNotFoundError):
                os.remove(part)
            with open(part, "x", encoding="ascii") as file:
                json.dump(changes, file)
            os.replace(part, self.path(self.own))
        except OSError as error:
            print(f"noxmk: cannot hand on global variables: {error}", file=sys.stderr)
