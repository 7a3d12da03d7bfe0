"""What a noxfile looks at while it is loaded. All of that decides the plan, so all of it is noted.

probe.py has this module look on. Python's audit events tell of files, folders, databases, imports,
programs and connections; what raises no event (os.stat and its like, variables, the clock) is
wrapped. Of what lies in the project, whatever code looks at it counts. Elsewhere only what the
project's code does or asks others to do counts; what a library does while it is imported does not.

Each input is a list. It tells of the moment before it was first looked at, so a change while the
noxfile is loaded shows in the next check:
    ["file", PATH, MTIME, SIZE, INODE]  its contents; MTIME in nanoseconds, -1 if that is too near
                                        to now to tell of the next change
    ["folder", PATH, MTIME, NAMES]      what is in it: sorted, joined by "/", a folder's with "/"
    ["kind", PATH, KIND]                "file", "program" (a file that may be executed), "folder",
                                        "other"
    ["link", PATH, TARGET]              of a symbolic link, else ""
    ["file", PATH] and so on            nothing is there
noxmk compares these with what is there (inputs.h), by the same rules.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import importlib.util
import os
import re
import stat
import sys
import time
import urllib.parse

# What the kernel makes up; but for /dev/shm, where people do keep files.
NO_FILES = re.compile(r"/(proc|sys|dev(?!/shm/))/")

# A file may change twice within one tick of the kernel's clock for files, in nanoseconds.
TICK = 20_000_000

# The os module's functions that look at a path without an audit event.
LOOKS = ("stat", "lstat", "access", "readlink")
# Those of others through which only the kind of a path is asked for.
KIND_IS_ENOUGH = re.compile(r"(l?exists|is_?(file|dir|link|symlink|mount)|_access_check|which)$")
# These find out where a path leads: of what is on the way only links count.
RESOLVERS = ("realpath", "_joinrealpath", "resolve")

# Events that say that the plan rests on what cannot be looked at again -> what to call that.
VOLATILE = {
    "subprocess.Popen": "a program that it runs",
    "os.system": "a program that it runs",
    "os.exec": "a program that it runs",
    "os.posix_spawn": "a program that it runs",
    "os.spawn": "a program that it runs",
    "pty.spawn": "a program that it runs",
    "socket.connect": "the network",
    "urllib.Request": "the network",
}
ROOM = ("statvfs", "fstatvfs")  # of os: how full a disk is
CLOCK = ("time", "time_ns", "localtime", "gmtime", "strftime", "ctime", "asctime")
CLOCK += ("clock_gettime", "clock_gettime_ns")
CLOCK_METHODS = {"now", "utcnow", "today"}  # of datetime and date, which cannot be wrapped
ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
CONSTRUCTORS = ("__new__", "__init__", "__post_init__")  # are called by the class's name
CO_OPTIMIZED = 1  # of code: it is a function's, not a module's or a class's

ALL_NAMES = "*"  # of variables, in place of the name of one
# make, shells and noxmk set these for themselves.
NOT_ASKED_FOR = re.compile("MAKE|MFLAGS$|NOXMK_|_$|SHLVL$|OLDPWD$")


def lies_in(path: str, folders: list[str]) -> bool:
    return any(path.startswith(folder + os.sep) for folder in folders)


def places(noxfile: str, project: str, *unwatched: str) -> tuple[list[str], list[str]]:
    """The project's folders, and what does not count there: its folders of that name, and nox."""
    home = os.path.dirname(os.path.abspath(noxfile))
    roots = list({project: None, os.path.realpath(project): None, home: None})
    skipped = [os.path.join(home, folder) for folder in unwatched]
    if lies_in(sys.prefix, roots):  # nox's own environment; nox_metadata of probe.py stands for it
        skipped.append(sys.prefix)
    return roots, skipped


class Inputs:
    """What is looked at between start() and stop(); the audit hook cannot be taken back."""

    def __init__(self, roots: list[str], skipped: list[str], not_ours: list[str]) -> None:
        self.roots, self.skipped = roots, skipped
        self.found: dict[tuple[str, str], list] = {}
        self.variables: dict[str, None] = {}
        self.volatile: str | None = None
        self.written: set[str] = set()
        self.active = False
        self.code_is_ours = dict.fromkeys(not_ours, False)
        self.stat, self.lstat, self.readlink = os.stat, os.lstat, os.readlink
        self.handlers = {
            "open": self.note_open,
            "os.listdir": self.note_folder,
            "os.scandir": self.note_folder,
            "import": self.note_import,
            "sqlite3.connect": self.note_database,
            "exec": self.note_exec,
        }
        for event, why in VOLATILE.items():
            self.handlers[event] = functools.partial(self.note_volatile, why)

    def start(self) -> None:
        self.undo = []
        for name in LOOKS:
            self.wrap(os, name, self.note_look)
        for name in ROOM:
            self.wrap(os, name, self.note_room)
        for name in CLOCK:
            self.wrap(time, name, self.note_clock)
        self.wrap(type(os.environ), "__getitem__", self.note_variable)
        self.wrap(type(os.environ), "__iter__", self.note_names)
        accessor = getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)
        for name in LOOKS if accessor else ():  # until Python 3.10 it has its own references
            if hasattr(accessor, name):
                self.undo.append((accessor, name, accessor.__dict__[name]))
                setattr(accessor, name, staticmethod(getattr(os, name)))
        self.active = True
        sys.addaudithook(self.hear)

    def stop(self) -> None:
        self.active = False
        for owner, name, original in reversed(self.undo):
            setattr(owner, name, original)

    def wrap(self, owner, name: str, note) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapper(*args, **kwargs):
            if self.active:
                self.quietly(note, name, args, kwargs)
            return original(*args, **kwargs)

        for known in (os.supports_dir_fd, os.supports_follow_symlinks, os.supports_fd):
            if original in known:
                known.add(wrapper)
        self.undo.append((owner, name, original))
        setattr(owner, name, wrapper)

    def hear(self, event: str, args: tuple) -> None:
        if self.active:
            handler = self.handlers.get(event)
            if handler:
                self.quietly(handler, *args)

    def quietly(self, note, *args) -> None:
        """What we look at ourselves does not count, nor does it disturb the noxfile."""
        self.active = False
        try:
            note(*args)
        except (OSError, ValueError):  # the working directory is gone, a NUL in a path
            pass
        finally:
            self.active = True

    # Who asks?

    def is_project_code(self, name: str) -> bool:
        known = self.code_is_ours.get(name)
        if known is None:
            in_project = lies_in(name, self.roots) and not lies_in(name, self.skipped)
            known = in_project and "site-packages" not in name
            self.code_is_ours[name] = known
        return known

    def asks(self) -> bool:
        """Does the project's code ask for this, itself or through others?"""
        frame = sys._getframe(1)
        while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
            if self.is_project_code(frame.f_code.co_filename):
                return True
            frame = frame.f_back
        return False

    def caller(self):
        """The frame that called what we look on at."""
        frame = sys._getframe(1)
        while frame and frame.f_code.co_filename == __file__:
            frame = frame.f_back
        return frame

    def counts(self, path: str) -> bool:
        if NO_FILES.match(path):
            return False
        if lies_in(path, self.skipped) or path in self.skipped or path in self.written:
            return False
        return path in self.roots or lies_in(path, self.roots) or self.asks()

    # What is looked at?

    def note_open(self, path, mode, flags) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        full = os.path.abspath(os.fsdecode(path))
        reads = flags & os.O_ACCMODE != os.O_WRONLY if mode is None else mode[:1] == "r"
        if not reads:
            self.written.add(full)
            return
        if full.endswith(".pyc"):
            with contextlib.suppress(ValueError):  # for a cached module, its source counts
                full = importlib.util.source_from_cache(full)
        if self.counts(full) or self.is_foreign_module(full):
            self.add_file(full)

    def is_foreign_module(self, path: str) -> bool:
        """A module that is installed nowhere: editable, or on PYTHONPATH."""
        if not path.endswith(".py") or "-packages" in path:
            return False
        return not lies_in(path, [sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)])

    def note_database(self, path) -> None:
        """SQLite opens its files itself; what is new may be in the second one."""
        name = os.fsdecode(path)
        if name.startswith("file:"):
            name = urllib.parse.unquote(name[len("file:") :].partition("?")[0])
            if name.startswith("//"):  # a host, which can only be this one
                name = "/" + name[2:].partition("/")[2]
        if name in ("", ":memory:"):
            return
        for full in (os.path.abspath(name), os.path.abspath(name) + "-wal"):
            if self.counts(full):
                self.add_file(full)

    def note_folder(self, path) -> None:
        if isinstance(path, int):
            return
        full = os.path.abspath(os.fsdecode(path or "."))
        if self.caller().f_code.co_filename.startswith("<frozen importlib"):
            return  # note_import says what it looks for
        if self.counts(full):
            self.add_folder(full)

    def note_look(self, name, args, kwargs) -> None:
        path = args[0] if args else kwargs.get("path")
        if not isinstance(path, (str, bytes, os.PathLike)) or kwargs.get("dir_fd") is not None:
            return
        full, asker = os.path.abspath(os.fsdecode(path)), self.caller().f_code.co_name
        if asker in LOOKS:  # Path.is_file() asks Path.stat()
            asker = self.caller().f_back.f_code.co_name
        if asker in RESOLVERS and name != "readlink" or not self.counts(full):
            return
        if name in ("lstat", "readlink"):
            self.add_link(full)
        elif name == "access" or KIND_IS_ENOUGH.match(asker):
            self.add_kind(full)
        else:
            self.add_file(full)

    def note_import(self, module, *unused) -> None:
        """Where the project could have that module: it may not be there yet."""
        frame = self.caller()
        while frame and frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        if not frame or not self.is_project_code(frame.f_code.co_filename):
            return
        for entry in sys.path:
            base = os.path.abspath(os.path.join(entry, module.replace(".", os.sep)))
            if lies_in(base, self.roots) and not lies_in(base, self.skipped):
                if "site-packages" not in base:
                    self.add_kind(base)
                    self.add_kind(base + ".py")

    def note_exec(self, code) -> None:
        name = getattr(code, "co_filename", "")
        if self.is_project_code(name) and reads_clock(code):
            self.volatile = self.volatile or "the clock"

    def note_clock(self, *unused) -> None:
        if self.is_project_code(self.caller().f_code.co_filename):
            self.volatile = self.volatile or "the clock"

    def note_room(self, *unused) -> None:
        self.note_volatile("how full a disk is")

    def note_volatile(self, why: str, *unused) -> None:
        if self.asks():
            self.volatile = self.volatile or why

    def note_variable(self, unused, args, kwargs) -> None:
        name = args[1]
        name = os.fsdecode(name) if isinstance(name, (str, bytes)) else ""
        if name and not NOT_ASKED_FOR.match(name) and self.asks():
            self.variables[name] = None

    def note_names(self, *unused) -> None:
        """Which variables there are; those whose values are asked for are noted besides."""
        if self.asks():
            self.variables[ALL_NAMES] = None

    # What is there?

    def add(self, kind: str, path: str, look) -> None:
        if (kind, path) not in self.found:
            try:
                self.found[kind, path] = [kind, path, *look(path)]
            except OSError:
                self.found[kind, path] = [kind, path]

    def add_file(self, path: str) -> None:
        self.add("file", path, self.look_at_file)

    def add_folder(self, path: str) -> None:
        self.add("folder", path, self.look_at_folder)

    def add_kind(self, path: str) -> None:
        self.add("kind", path, self.look_at_kind)

    def add_link(self, path: str) -> None:
        self.add("link", path, self.look_at_link)

    def look_at_file(self, path: str) -> list:
        found = self.stat(path)
        return [settled(found.st_mtime_ns), found.st_size, found.st_ino & (2**63 - 1)]

    def look_at_folder(self, path: str) -> list:
        mtime = settled(self.stat(path).st_mtime_ns)
        with os.scandir(os.fsencode(path)) as entries:
            names = sorted((e.name, b"/" * e.is_dir(follow_symlinks=False)) for e in entries)
        return [mtime, os.fsdecode(b"/".join(name + mark for name, mark in names))]

    def look_at_kind(self, path: str) -> list:
        mode = self.stat(path).st_mode
        if stat.S_ISREG(mode):
            return ["program" if mode & 0o111 else "file"]
        return ["folder" if stat.S_ISDIR(mode) else "other"]

    def look_at_link(self, path: str) -> list:
        return [self.readlink(path) if stat.S_ISLNK(self.lstat(path).st_mode) else ""]


def reads_clock(module) -> bool:
    """Does a module do so while it is loaded, itself or by one of its functions that it calls?

    Sessions, too, are functions of the module: they are defined there, but not called. The bodies
    of classes, and comprehensions, are run where they stand.
    """
    found: list = [module]
    functions: dict[str, list] = {}
    called: set = set()
    for code in found:
        loads = [at for at in dis.get_instructions(code) if at.opname.startswith("LOAD_")]
        if any(at.opname in ATTRIBUTES and at.argval in CLOCK_METHODS for at in loads):
            return True
        called |= {at.argval for at in loads if at.opname != "LOAD_CONST"}
        for part in (part for part in code.co_consts if hasattr(part, "co_names")):
            name = code.co_name if part.co_name in CONSTRUCTORS else part.co_name
            if name.endswith("comp>") or name == "<genexpr>" or not part.co_flags & CO_OPTIMIZED:
                found.append(part)
            else:
                functions.setdefault(name, []).append(part)
        for name in called & {*functions}:
            found += functions.pop(name)
    return False


def settled(mtime: int) -> int:
    return mtime if abs(time.time_ns() - mtime) > TICK else -1
