"""What the zygote notices while it loads the noxfile, besides what inputs.py does.

A session has to go as if it had loaded the noxfile itself. What one process finds out or makes
while it does that, and another one would not, is noted: then no session is forked.
"""

from __future__ import annotations

import atexit
import ctypes
import itertools
import logging
import os
import random
import re
import signal
import sys
import threading
import time
import uuid

from noxmk_shim import load

inputs = load("inputs", os.path.dirname(os.path.abspath(__file__)))

# Audit events of what every process would do for itself.
WRITES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
)

# What tells how long ago something was: a fork is younger than its noxfile.
STOPWATCHES = ("monotonic", "perf_counter", "process_time", "thread_time")

# What is another thing in each process, or at each time.
OF_A_PROCESS = re.compile(r"/proc/(self|thread-self|[0-9]+|loadavg|uptime)(/|$)")

TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)

# How a list is looked at, or changed.
LOOKS = ("__getitem__", "__iter__", "__len__", "__contains__", "__reversed__", "__repr__")
LOOKS += ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__add__", "__mul__")
LOOKS += ("__rmul__", "copy", "count", "index", "pop", "remove", "sort", "append", "extend")
LOOKS += ("insert", "clear", "reverse", "__setitem__", "__delitem__", "__iadd__", "__imul__")


class Arguments(list):
    """sys.argv while the noxfile is loaded, which tells when that looks at it."""

    def __init__(self, name: str, note) -> None:
        super().__init__(getattr(sys, name))
        self.name, self.note = name, note


def telling(look: str):
    original = getattr(list, look)

    def method(words, *args, **kwargs):
        words.note(f"sys.{words.name}")
        return original(words, *args, **kwargs)

    return method


for _look in LOOKS:
    setattr(Arguments, _look, telling(_look))


class Watch(inputs.Inputs):
    """Inputs, and what only matters to processes that are forked."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.arguments = [name for name in ("argv", "orig_argv") if hasattr(sys, name)]
        for event in WRITES:
            self.handlers[event] = self.note_write
        self.handlers["os.fork"] = lambda *args: self.note_volatile("a process that it forks")
        for event in ("ctypes.dlsym", "ctypes.dlsym/handle"):
            self.handlers[event] = lambda *args: self.note_volatile("what it calls in C")

    def start(self) -> None:
        super().start()
        for name in ("getpid", "getppid", "getpgid", "getpgrp", "getsid"):
            self.wrap(os, name, self.note_number)
        self.wrap(threading, "get_native_id", self.note_number)
        self.wrap(os, "register_at_fork", self.note_at_fork)
        self.wrap(os, "dup2", self.note_redirection)
        for name in STOPWATCHES:
            self.wrap(time, name, self.note_clock)
            self.wrap(time, f"{name}_ns", self.note_clock)
        for name in {"uuid1", "uuid6", "uuid7"} & {*dir(uuid)}:
            self.wrap(uuid, name, self.note_time)
        sources = ((os, "urandom"), (os, "getrandom"), (random, "_urandom"))
        for owner, name in (*sources, (random.Random, "seed")):
            self.wrap(owner, name, self.note_random)
        self.kept = [Arguments(name, self.note_arguments) for name in self.arguments]
        for words in self.kept:
            setattr(sys, words.name, words)

    def stop(self) -> None:
        super().stop()
        for words in self.kept:
            if getattr(sys, words.name) is not words:
                self.volatile = self.volatile or f"sys.{words.name}"
            setattr(sys, words.name, list(getattr(sys, words.name)))

    def note_open(self, path, mode, flags) -> None:
        super().note_open(path, mode, flags)
        for name in self.written:
            self.note_write(name)

    def note_write(self, path="", *unused) -> None:
        name = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
        if "__pycache__" not in name and ".pyc" not in name and not inputs.NO_FILES.match(name):
            self.volatile = self.volatile or f"what it writes, {name or 'a file'}"

    def note_number(self, *unused) -> None:
        self.note_volatile("its process number")

    def note_at_fork(self, *unused) -> None:
        self.note_volatile("what it has done at a fork")

    def note_redirection(self, *unused) -> None:
        self.note_volatile("where it redirects its streams")

    def note_time(self, *unused) -> None:
        self.note_volatile("the clock")

    def counts(self, path: str) -> bool:
        if OF_A_PROCESS.match(path):
            self.note_volatile(path)
        return super().counts(path)

    def note_random(self, name, args, unused) -> None:
        if name != "seed" or args[1:] in ((), (None,)):
            self.note_volatile("random numbers")

    def note_arguments(self, name: str) -> None:
        if self.active:
            self.quietly(self.note_volatile, name)

    def note_variable(self, unused, args, kwargs) -> None:
        if self.asks():
            name = args[1]
            self.variables[os.fsdecode(name) if isinstance(name, (str, bytes)) else ""] = None


def faces_of_nox() -> dict[tuple, object]:
    """What modules and classes of nox consist of; a noxfile may put something else there."""
    found: dict[tuple, object] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name != "nox" and not module_name.startswith("nox."):
            continue
        for name, value in list(vars(module).items()):
            found[module_name, name] = value
            if isinstance(value, type) and value.__module__.startswith("nox"):
                for part, item in list(vars(value).items()):
                    found[value.__module__, value.__name__, part] = item
    return found


def settings(config) -> dict[str, object]:
    """nox's options: until 2026.08 a namespace, then an object of attrs without one."""
    names = [one.name for one in getattr(type(config), "__attrs_attrs__", ())] or vars(config)
    return {name: getattr(config, name) for name in names}


def faces_of_process(descriptors: set[int]) -> dict[str, object]:
    """What a fork would not have as the noxfile has left it: in words for people -> what it is."""
    return {
        "replaces os.environ": id(os.environ),
        "sets variables, but not in os.environ": foreign_variables(),
        "redirects its streams": [os.fstat(fd)[1:3] for fd in {0, 1, 2} & descriptors],
        "handles the ends of its children": handling_of_children(),
        "changes the log": face_of_log(),
        "has something done at the end of its process": atexit._ncallbacks(),
        "keeps a file or socket open": descriptors,
        "has memory that processes share": shared_memory(),
    }


def foreign_variables() -> set[bytes]:
    """What environ(7) has and os.environ has not, or the other way round."""
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    entries = (environ[i] for i in itertools.count()) if environ else ()
    ours = {os.fsencode(f"{name}={value}") for name, value in os.environ.items()}
    return ours ^ {*itertools.takewhile(lambda entry: entry is not None, entries)}


def handling_of_children() -> list[int]:
    """Is SIGCHLD ignored or caught? The zygote has to hear of it as it is."""
    with open("/proc/self/status", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split() for line in file if line.startswith(("SigIgn:", "SigCgt:"))]
    return [int(word, 16) >> (signal.SIGCHLD - 1) & 1 for _, word in lines]


def face_of_log() -> tuple:
    root = logging.getLogger()
    return root.level, root.disabled, root.manager.disable, root.handlers[:], root.filters[:]


def shared_memory() -> set[str]:
    """Mappings that all forks would write to."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        return {line for line in file if line.split()[1][1:4:2] == "ws"}


def has_timer() -> bool:
    """A fork would have none."""
    return any(any(signal.getitimer(timer)) for timer in TIMERS)
