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
import resource
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
    "os.chown",
    "os.utime",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
)

# Audit events of what another process finds otherwise: addresses, and ports that are free.
NETWORK = (
    "socket.bind",
    "socket.getaddrinfo",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.getnameinfo",
    "socket.sendmsg",
    "socket.sendto",
)

# What tells how long ago something was: a fork is younger than its noxfile.
STOPWATCHES = ("monotonic", "perf_counter", "process_time", "thread_time")

# What is another thing in each process, or at each time.
OF_A_PROCESS = re.compile(
    r"/proc/(self|thread-self|[0-9]+|loadavg|uptime|stat|meminfo|vmstat|pressure|net|locks"
    r"|interrupts|diskstats|sys/kernel/random)(/|$)|/dev/u?random$"
)

PR_GET_PDEATHSIG = 2

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
        self.handlers["os.rename"] = self.note_rename
        self.bytecode = 0  # so many bytes of it were written
        for event in NETWORK:
            self.handlers[event] = lambda *args: self.note_volatile("the network")
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
        for name in ("mkfifo", "mknod"):
            self.wrap(os, name, lambda name, args, kwargs: self.note_write(*args))
        for owner, name in ((os, "times"), (resource, "getrusage")):
            self.wrap(owner, name, self.note_time)
        # What waits looks at these, too, and the noxfile does not learn of that.
        for name in STOPWATCHES:
            self.wrap(time, name, super().note_clock)
            self.wrap(time, f"{name}_ns", super().note_clock)
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

    def note_rename(self, path, *unused) -> None:
        """A module's bytecode gets its name when it is written."""
        if is_bytecode(os.fsdecode(path)):
            self.bytecode += self.stat(path).st_size
        self.note_write(path)

    def note_write(self, path="", *unused) -> None:
        name = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
        if not is_bytecode(name) and not inputs.NO_FILES.match(name):
            self.volatile = self.volatile or f"what it writes, {name or 'a file'}"

    def note_number(self, *unused) -> None:
        self.note_volatile("its process number")

    def note_at_fork(self, *unused) -> None:
        self.note_volatile("what it has done at a fork")

    def note_redirection(self, *unused) -> None:
        self.note_volatile("where it redirects its streams")

    def note_time(self, *unused) -> None:
        self.note_volatile("the clock")

    note_clock = note_time

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
        """Whoever asks for it: a library that is imported is the same in all forks."""
        name = args[1]
        self.variables[os.fsdecode(name) if isinstance(name, (str, bytes)) else ""] = None


def is_bytecode(path: str) -> bool:
    return "__pycache__" in path or ".pyc" in path


def faces_of_nox() -> dict[tuple, object]:
    """What modules and classes of nox consist of; a noxfile may put something else there."""
    found: dict[tuple, object] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name != "nox" and not module_name.startswith("nox."):
            continue
        for name, value in list(vars(module).items()):
            if (module_name, name) != ("nox", "needs_version"):  # noxfiles are to set that
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
        "has what the kernel gives no fork": own_of_kernel(),
    }


def foreign_variables() -> set[bytes]:
    """What environ(7) has and os.environ has not, or the other way round."""
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    entries = (environ[i] for i in itertools.count()) if environ else ()
    ours = {os.fsencode(f"{name}={value}") for name, value in os.environ.items()}
    return ours ^ {*itertools.takewhile(lambda entry: entry is not None, entries)}


def handling_of_children() -> list[int]:
    """Is SIGCHLD ignored or caught? The zygote has to hear of it as it is."""
    lines = lines_of("status", "SigIgn:", "SigCgt:")
    return [int(line.split()[1], 16) >> (signal.SIGCHLD - 1) & 1 for line in lines]


def face_of_log() -> tuple:
    root = logging.getLogger()
    return root.level, root.disabled, root.manager.disable, root.handlers[:], root.filters[:]


def shared_memory() -> set[str]:
    """Mappings that all forks would write to."""
    return {line for line in lines_of("maps") if line.split()[1][1:4:2] == "ws"}


def own_of_kernel() -> tuple:
    """A signal for the end of its parent, timers, memory that is locked: by whatever C code."""
    death_signal = ctypes.c_int()
    ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(death_signal), 0, 0, 0)
    return death_signal.value, lines_of("timers"), lines_of("status", "VmLck:")


def lines_of(name: str, *starts: str) -> list[str]:
    """Of a file of /proc/self, those that begin so, or all; none if there is no such file."""
    try:
        with open(f"/proc/self/{name}", encoding="utf-8", errors="surrogateescape") as file:
            return [line for line in file if line.startswith(starts or "")]
    except FileNotFoundError:
        return []


def bytes_written() -> int:
    """By this process so far, whoever in it did that, C code among them."""
    return sum(int(line.split()[1]) for line in lines_of("io", "wchar:"))


def has_timer() -> bool:
    """A fork would have none."""
    return any(any(signal.getitimer(timer)) for timer in TIMERS)
